/** Registers the routes with the HTTP server: validation before the handler, and errors for unsupported methods. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ScopedMaster } from "../../master/service/scopedMaster.ts";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import { toActor } from "../../model/principals/principal.ts";
import { closed, open } from "../../model/schema.ts";
import { hideSecrets } from "../auth/hiddenSecrets.ts";
import { TaskWatch } from "../events/taskWatch.ts";
import { addRawBodies, checkBodyHead } from "../http/bodies.ts";
import { type Check, checkBody, checkParameters } from "../http/validation.ts";
import type { Context, Route, Schemas } from "./route.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Undefined for paths that do not exist and methods that are not allowed. */
    readonly outlast?: Route;
    /** A file of the dashboard, which needs no token. */
    readonly isDashboard?: boolean;
  }
}

/** All methods that reach the routing. */
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] as const;

/** What handlers are given, as long as nobody knows who calls. */
export type SharedContext = Omit<Context, "actor">;

export function serveRoutes(server: FastifyInstance, routes: readonly Route[], context: SharedContext): void {
  for (const route of routes) if (route.body?.isRaw !== true) serve(server, route, context);
  void server.register((part, _options, done) => {
    addRawBodies(part);
    for (const route of routes) if (route.body?.isRaw === true) serve(part, route, context);
    done();
  });
  for (const path of new Set(routes.map((route) => route.path))) serveOtherMethods(server, path, routes);
}

function serve(server: FastifyInstance, route: Route, context: SharedContext): void {
  const checkHead = headCheck(route);
  const check = bodyCheck(route);
  server.route({
    method: route.method,
    url: route.path,
    config: { outlast: route },
    bodyLimit: limits[route.body?.limit ?? "bodyBytesMax"],
    // HEAD would open a stream, too.
    exposeHeadRoute: route.method === "GET" && route.isStream !== true,
    // A relayed answer ends the request here.
    onRequest: [
      ...(route.needsLeader === undefined || route.needsLeader === false
        ? []
        : [relayHook(context, route.needsLeader)]),
      (request, reply, done) => {
        // Where a request is relayed, the leader decides, and writes down what it refuses.
        const { id, name } = request.params as { id?: string; name?: string };
        if (request.grant !== null) context.guard.check(request.grant, route.access, route.name, id ?? name);
        checkBodyHead(request, route.body);
        checkHead(request);
        checkLength(request, route);
        context.bodyBudget.take(request, reply, route);
        done();
      },
    ],
    preHandler: [
      (request, _reply, done) => {
        if (route.method !== "GET") check(request.body);
        done();
      },
      ...(route.query?.["leader"] === undefined ? [] : [leaderHook(context)]),
      ...(route.query?.["consistent"] === undefined ? [] : [consistencyHook(context)]),
    ],
    preSerialization: (request, _reply, answer, done) => done(null, hideSecrets(request.grant, answer)),
    handler: (request, reply) => route.handle(request, reply, contextOf(request, context)),
  });
}

function bodyCheck({ body }: Route): Check {
  if (body === undefined) return refuseBody;
  return body.isRaw === true ? () => undefined : checkBody(body.schema);
}

/** The framework does this for bodies that it reads itself. @throws OutlastError `too-large` */
function checkLength({ headers }: FastifyRequest, { body }: Route): void {
  if (body?.isRaw !== true || Number(headers["content-length"] ?? 0) <= limits[body.limit]) return;
  const message = `The file is larger than ${limits[body.limit]} bytes.`;
  throw new OutlastError("too-large", message, { limit: body.limit });
}

/** The master as the caller may see it. */
function contextOf({ grant }: FastifyRequest, context: SharedContext): Context {
  if (grant === null) return { ...context, actor: undefined };
  const actor = toActor(grant.principal, grant.address);
  const master = new ScopedMaster(context.master, actor);
  if (actor.queues === undefined) return { ...context, master, actor };
  return { ...context, master, actor, watch: new TaskWatch(master) };
}

function relayHook({ relay, master }: SharedContext, need: true | "unless-shared") {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (need === true || !master.blobs.isShared) await relay.pass(request, reply);
  };
}

function leaderHook({ relay }: SharedContext) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if ((request.query as { leader?: boolean }).leader === true) await relay.pass(request, reply);
  };
}

function consistencyHook({ consistency }: SharedContext) {
  return async (request: FastifyRequest): Promise<void> => {
    if ((request.query as { consistent?: boolean }).consistent === true) await consistency.catchUp(request);
  };
}

/** Validates path, query and headers before any of the body is read. */
function headCheck(route: Route): (request: FastifyRequest) => void {
  const needed: Schemas = pick(route.query ?? {}, (name) => route.queryNeeded?.includes(name) === true);
  const optional: Schemas = pick(route.query ?? {}, (name) => route.queryNeeded?.includes(name) !== true);
  const checkPath = checkParameters(open(route.parameters ?? {}), "The path");
  const checkQuery = checkParameters(closed(needed, optional), "The query");
  const checkHeaders = checkParameters(open({}, route.headers ?? {}), "The headers");
  return (request) => {
    checkPath(request.params);
    checkQuery(request.query);
    checkHeaders(request.headers);
  };
}

function pick(schemas: Schemas, isWanted: (name: string) => boolean): Schemas {
  return Object.fromEntries(Object.entries(schemas).filter(([name]) => isWanted(name)));
}

/** Some clients send `{}` with every POST, so that is accepted. */
const refuseBody: Check = (body) => {
  if (body === undefined || body === null) return;
  if (typeof body === "object" && !Array.isArray(body) && Object.keys(body).length === 0) return;
  throw new OutlastError("bad-request", "This route takes no body.");
};

function serveOtherMethods(server: FastifyInstance, path: string, routes: readonly Route[]): void {
  const here = routes.filter((route) => route.path === path);
  const allowed: string[] = [...here.map((route) => route.method), "OPTIONS"];
  if (here.some((route) => route.method === "GET" && route.isStream !== true)) allowed.push("HEAD");
  const allow = allowed.toSorted().join(", ");
  server.route({
    method: methods.filter((method) => !allowed.includes(method)),
    url: path,
    exposeHeadRoute: false,
    onRequest: (request, reply, done) => {
      reply.header("allow", allow);
      done(
        new OutlastError("method-not-allowed", `${request.method} is not allowed on ${path}.`, {
          hint: `Allowed: ${allow}.`,
        }),
      );
    },
    handler: () => {},
  });
  server.route({
    method: "OPTIONS",
    url: path,
    handler: (_request, reply) => reply.code(204).header("allow", allow).send(),
  });
}

/** For requests that match no route; their bodies are not read. */
export function noSuchPath(): OutlastError {
  return new OutlastError("not-found", "Unknown path.", {
    hint: "GET /openapi.json lists all paths.",
  });
}
