/** The HTTP server of a master: all routes, access control and shutdown. */
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Server as TlsServer } from "node:tls";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { MasterApi } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import type { Log } from "../../ports/log.ts";
import type { Tracing } from "../../ports/tracing.ts";
import { type CertificateNeed, noCertificate, type ShowCertificate } from "../../ports/transport.ts";
import { checkExposure, TokenCheck } from "../auth/access.ts";
import { Guard } from "../auth/guard.ts";
import { SignInDelays } from "../auth/signInDelays.ts";
import { DashboardServer } from "../dashboard/serveDashboard.ts";
import { Positions } from "../events/positions.ts";
import { Streams } from "../events/streams.ts";
import { TaskWatch } from "../events/taskWatch.ts";
import { HistoryRecorder } from "../history/historyRecorder.ts";
import { Metrics } from "../routes/metrics.ts";
import { routes } from "../routes/routes.ts";
import { noSuchPath, serveRoutes } from "../routes/serveRoutes.ts";
import { addBodyParsers, withLine } from "./bodies.ts";
import { BodyBudget } from "./bodyBudget.ts";
import { addContinue, boundConnections, boundRequestTime, connectionLimits } from "./connectionLimits.ts";
import { Consistency } from "./consistency.ts";
import { toAnswer } from "./errors.ts";
import { everyHeader } from "./headers.ts";
import { closeLingering } from "./lingeringClose.ts";
import { joinPath } from "./pathsInUrls.ts";
import { Relay } from "./relay.ts";
import { Transfers } from "./uploads.ts";

export interface ApiOptions {
  readonly master: MasterApi;
  readonly log: Log;
  /** The bearer token that every request needs; null for none, which is allowed on loopback addresses only. */
  readonly token: string | null;
  /** With this one a worker may do what workers do, also once there are users; it asks nobody else for a credential. */
  readonly workerToken?: string;
  /** The folder of the built dashboard; absent to serve the API only. */
  readonly dashboard?: string;
  /** True to record what happens from now on, for `/v1/history` and `/v1/marks`. */
  readonly isRecording?: boolean;
  /** True if every request comes through a proxy that sets X-Forwarded-For, -Proto and -Host. */
  readonly isBehindProxy?: boolean;
  /** Names that people reach it by besides that of its address, in lower case. */
  readonly hostNames?: readonly string[];
  /** Who is told of submissions as parts of traces; absent for nobody. */
  readonly tracing?: Tracing;
  /** The certificate and its key, in PEM; absent to serve plain HTTP. */
  readonly tls?: TlsContent;
  readonly certificatesOf?: CertificateNeed;
  /** Shown to the leader when requests are passed on to it. */
  readonly showCertificate?: ShowCertificate;
}

export interface TlsContent {
  readonly cert: string;
  readonly key: string;
  /** Who signs the certificates of those that call, in PEM; absent to ask nobody for one. */
  readonly ca?: string;
}

export interface ApiServer {
  /** Resolves with the base URL. @throws OutlastError if the address may not or cannot be listened on */
  listen(where: { readonly address: string; readonly port: number }): Promise<string>;
  /** For connections from now on. @throws if the key does not belong to the certificate */
  renewTls(content: TlsContent): void;
  /** Ends streams and lets requests finish, for at most `limits.closeWaitMsMax`. */
  close(): Promise<void>;
  /** The underlying server, for tests without a socket. */
  readonly http: FastifyInstance;
}

/** How addresses are read. */
const addresses = {
  routerOptions: { maxParamLength: limits.urlParameterLengthMax },
  rewriteUrl: ({ url = "/" }: IncomingMessage) => joinPath(url),
};

export function createApi(options: ApiOptions): ApiServer {
  const { master, log, token, dashboard: folder, isRecording, isBehindProxy = false, tls, tracing = null } = options;
  const tokenCheck = token === null ? null : new TokenCheck(token);
  const guard = createGuard(options, tokenCheck);
  const streams = new Streams(master, log, (grant) => guard.isCurrent(grant));
  const relay = new Relay(master, options.showCertificate ?? noCertificate);
  const metrics = new Metrics(master, streams, relay);
  const history = new HistoryRecorder(master);
  if (isRecording === true) history.start();
  const dashboard = folder === undefined ? null : new DashboardServer(folder);
  const http = fastify({
    ...connectionLimits,
    // The framework knows another type of server with TLS, which has all that we use.
    ...(tls !== undefined && ({ https: { ...connectionLimits.http, ...tls, ...askFor(options) } } as object)),
    logger: false,
    // One proxy is believed; what it was told itself is not.
    trustProxy: isBehindProxy ? (_address: string, hop: number) => hop === 0 : false,
    bodyLimit: limits.bodyBytesMax,
    forceCloseConnections: "idle",
    return503OnClosing: false,
    ...addresses,
    frameworkErrors: (error, request, reply) => {
      sendError(error, request, reply);
    },
  });
  boundConnections(http.server);
  boundRequestTime(http);
  addBodyParsers(http);
  http.decorateRequest("grant", null);
  addAccessChecks(http, guard, dashboard);
  addContinue(http);
  addAnswerHeaders(http, master);
  countRequests(http, metrics);
  http.setErrorHandler((error, request, reply) => sendError(error, request, reply));
  const consistency = new Consistency(master, relay);
  const bodyBudget = new BodyBudget();
  serveRoutes(http, routes, {
    ...{ master, streams, metrics, relay, consistency, bodyBudget, history, guard, tracing },
    transfers: new Transfers(),
    ...{ watch: new TaskWatch(master), positions: new Positions(master) },
    delays: new SignInDelays(),
  });
  if (dashboard !== null) {
    dashboard.serve(http);
    // Only pages get here: whatever else matches no route was refused before.
    http.setNotFoundHandler((_request, reply) => dashboard.sendPage(reply));
  }

  function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { outlast } = request.routeOptions.config ?? {};
    const { status, error, isBug } = toAnswer(thrown, request.id, outlast?.body?.limit ?? "bodyBytesMax");
    const told = withLine(request, error);
    if (isBug) {
      const stack = thrown instanceof Error ? thrown.stack : undefined;
      log.error("a request failed", { request: request.id, route: outlast?.path, error: thrown, stack });
    }
    if (error.code === "unauthorized") {
      reply.header("www-authenticate", "Bearer");
      log.debug("refused a request without the token", { peer: request.ip });
    }
    if (status === 503 || status === 429) {
      const { retryAfterMs } = error.details;
      reply.header("retry-after", String(typeof retryAfterMs === "number" ? Math.ceil(retryAfterMs / 1000) : 1));
    }
    if (!request.raw.complete && hasBody(request)) {
      // The rest of the body is not read.
      reply.header("connection", "close");
      closeLingering(request.raw);
    }
    // The hooks do not run for requests that the framework itself refuses.
    reply.headers(everyHeader(master));
    return reply.code(status).type("application/json; charset=utf-8").send(told.toBody());
  }

  return {
    http,
    listen: async ({ address, port }) => {
      checkExposure(address, tokenCheck);
      return listen(http, address, port, tls === undefined ? "http" : "https");
    },
    renewTls: (content) => (http.server as unknown as TlsServer).setSecureContext(content),
    close: () => {
      history.close();
      return close(http, streams, relay);
    },
  };
}

function createGuard(options: ApiOptions, rootToken: TokenCheck | null): Guard {
  const { master, tls, isBehindProxy = false, hostNames = [], workerToken } = options;
  const reach = { isTls: tls !== undefined, isBehindProxy, hostNames, asksWorkers: tls?.ca !== undefined };
  return new Guard(master, rootToken, reach, workerToken);
}

/** With workers only, a connection without a certificate is taken, and what workers do is refused on it. */
function askFor({ tls, certificatesOf = "workers" }: ApiOptions): object {
  return tls?.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: certificatesOf === "all" };
}

function addAnswerHeaders(http: FastifyInstance, master: MasterApi): void {
  http.addHook("onSend", (_request, reply, payload, done) => {
    for (const [name, value] of Object.entries(everyHeader(master))) {
      // A page of the dashboard has its own policies.
      if (!reply.hasHeader(name)) reply.header(name, value);
    }
    done(null, payload);
  });
}

/** Who may ask at all; runs before everything else. */
function addAccessChecks(http: FastifyInstance, guard: Guard, dashboard: DashboardServer | null): void {
  http.addHook("onRequest", async (request) => {
    const { outlast, isDashboard } = request.routeOptions.config;
    const isPage = isDashboard === true || (request.is404 && dashboard?.wants(request) === true);
    guard.checkSource(request, outlast?.name === "signIn");
    // The files of the dashboard hold nothing secret; what it shows, it reads from the API.
    if (!isPage && outlast?.access.needs !== "everybody") request.grant = await guard.identify(request);
    guard.checkCertificate(request, outlast?.access);
    if (request.is404 && !isPage) throw noSuchPath();
  });
}

function countRequests(http: FastifyInstance, metrics: Metrics): void {
  http.addHook("onResponse", (request, reply, done) => {
    const { outlast } = request.routeOptions.config;
    const isStream = String(reply.raw.getHeader("content-type") ?? "").startsWith("text/event-stream");
    metrics.countRequest(
      outlast?.path ?? null,
      request.method,
      reply.raw.statusCode,
      isStream ? null : reply.elapsedTime / 1000,
    );
    done();
  });
}

/** `complete` is false for a request without a body, too, until a handler has run. */
function hasBody({ headers }: FastifyRequest): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

async function listen(http: FastifyInstance, address: string, port: number, scheme: string): Promise<string> {
  // `localhost` may resolve to two addresses; the IPv4 one is used everywhere.
  const host = address === "localhost" ? "127.0.0.1" : address;
  try {
    // After an election all workers come at once; whoever found no room would try again only a second later, and then later still.
    await http.listen({ host, port, backlog: limits.connectionsWaitingMax });
  } catch (error) {
    throw cannotListen(error, host, port);
  }
  const bound = http.server.address() as AddressInfo;
  return `${scheme}://${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

function cannotListen(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case "EADDRINUSE":
      return new OutlastError("conflict", `${host}:${port} is already in use.`, {
        hint: "Another master may be running there. Choose another port with --port.",
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new OutlastError("bad-request", `${host} is not an address of this machine.`);
    case "EACCES":
      return new OutlastError("forbidden", `This user may not listen on port ${port}.`, {
        hint: "Ports below 1024 are reserved.",
      });
    default:
      return error;
  }
}

async function close(http: FastifyInstance, streams: Streams, relay: Relay): Promise<void> {
  streams.close();
  relay.endStreams();
  // Hanging requests and stalled readers are cut after this time.
  const timer = setTimeout(() => {
    streams.destroy();
    http.server.closeAllConnections();
  }, limits.closeWaitMsMax);
  try {
    await http.close();
  } finally {
    clearTimeout(timer);
    relay.close();
  }
}
