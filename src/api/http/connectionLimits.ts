/** Limits of connections, and the answers to what is not HTTP. */
import type { Server } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import type { FastifyHttpOptions, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";

/** Limits for slow headers, slow bodies, idle connections and long headers. */
export const connectionLimits = {
  // See `boundRequestTime`: files may take longer.
  requestTimeout: 0,
  keepAliveTimeout: limits.idleConnectionMsMax,
  http: {
    headersTimeout: limits.headersWaitMsMax,
    connectionsCheckingInterval: defaults.connectionCheckMs,
    maxHeaderSize: limits.headerBytesMax,
    // Our own check refuses a request without a host.
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
  },
  clientErrorHandler: answerGarbage,
} satisfies FastifyHttpOptions<Server>;

export function boundConnections(server: Server): void {
  server.maxConnections = limits.connectionsMax;
  boundPerAddress(server, limits.connectionsPerAddressMax);
  // The client is told to continue only after its headers have been checked.
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  // Other expectations may be ignored (RFC 9110, 10.1.1); Node's default answer is not in our format.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
}

/** Closes connections beyond `max` from one address, without an answer, since answers would cost work in a flood. */
export function boundPerAddress(server: NetServer, max: number): void {
  const counts = new Map<string, number>();
  server.prependListener("connection", (socket: Socket) => {
    // It is closed already.
    const address = socket.remoteAddress;
    if (address === undefined) return;
    const count = (counts.get(address) ?? 0) + 1;
    counts.set(address, count);
    socket.once("close", () => {
      const left = (counts.get(address) ?? 0) - 1;
      if (left > 0) counts.set(address, left);
      else counts.delete(address);
    });
    if (count > max) socket.destroy();
  });
}

/** Bounds how long a whole request may take to arrive, but for files, whose readers watch that they make progress. */
export function boundRequestTime(server: FastifyInstance, waitMsMax: number = limits.requestWaitMsMax): void {
  server.addHook("onRequest", (request, reply, done) => {
    if (hasBody(request) && request.routeOptions.config.outlast?.body?.isRaw !== true) {
      // A small body has mostly come with the headers, and is read in this turn: then there is nothing to wait for.
      setImmediate(() => {
        const { complete, destroyed } = request.raw;
        if (!complete && !destroyed) boundBody(request, reply, waitMsMax);
      });
    }
    done();
  });
}

function boundBody({ raw }: FastifyRequest, reply: FastifyReply, waitMsMax: number): void {
  const timer = setTimeout(() => {
    if (reply.raw.headersSent) raw.destroy();
    else answerGarbage(Object.assign(new Error(), { code: "ERR_HTTP_REQUEST_TIMEOUT" }), raw.socket);
  }, waitMsMax);
  const stop = () => clearTimeout(timer);
  raw.once("end", stop);
  raw.once("close", stop);
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** Answers `Expect: 100-continue`. */
export function addContinue(server: FastifyInstance): void {
  server.addHook("preParsing", (request, reply, _payload, done) => {
    if (
      request.headers.expect !== undefined &&
      Number(request.headers["content-length"] ?? 0) <= request.routeOptions.bodyLimit
    ) {
      reply.raw.writeContinue();
    }
    done();
  });
}

/** Answers connections that send no valid HTTP, or headers that are too slow or too long, and closes them. */
function answerGarbage(error: Error & { code?: string }, socket: Socket): void {
  // The client has disconnected.
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, refusal } = refusalOf(error.code);
  const body = JSON.stringify(refusal.toBody());
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
      `connection: close\r\nx-content-type-options: nosniff\r\n\r\n${body}`,
  );
  // Whatever still arrives is discarded.
  socket.destroySoon();
}

function refusalOf(code: string | undefined): { status: string; refusal: OutlastError } {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        status: "431 Request Header Fields Too Large",
        refusal: new OutlastError("too-large", `The request headers are larger than ${limits.headerBytesMax} bytes.`, {
          limit: "headerBytesMax",
        }),
      };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return {
        status: "408 Request Timeout",
        refusal: new OutlastError("too-slow", "The request took too long to arrive.", { limit: "requestWaitMsMax" }),
      };
    default:
      return {
        status: "400 Bad Request",
        refusal: new OutlastError("bad-request", "The request is not valid HTTP/1.1."),
      };
  }
}
