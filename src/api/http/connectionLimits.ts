/** What can be said of a connection before there is a request: how long it may take, and what is answered to garbage. */
import type { Server } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import type { FastifyHttpOptions, FastifyInstance } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";

/** Slow heads, slow bodies, idle connections and long heads are all bounded. */
export const connectionLimits = {
  requestTimeout: limits.requestWaitMsMax,
  keepAliveTimeout: limits.idleConnectionMsMax,
  http: {
    headersTimeout: limits.headersWaitMsMax,
    connectionsCheckingInterval: defaults.connectionCheckMs,
    maxHeaderSize: limits.headerBytesMax,
    // A request without a host is answered by our own check, in our own words.
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
  },
  clientErrorHandler: answerGarbage,
} satisfies FastifyHttpOptions<Server>;

export function boundConnections(server: Server): void {
  server.maxConnections = limits.connectionsMax;
  boundPerAddress(server, limits.connectionsPerAddressMax);
  // Whether the body is wanted is known only when its head has been looked at; until then nobody is told to go on.
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  // Whatever else a client expects may be ignored (RFC 9110, 10.1.1); the answer by default would be none of ours.
  server.on("checkExpectation", (request, response) => server.emit("request", request, response));
}

/** What comes from one address beyond `max` is hung up on: to answer each would be work that a flood could ask for. */
export function boundPerAddress(server: NetServer, max: number): void {
  const counts = new Map<string, number>();
  server.prependListener("connection", (socket: Socket) => {
    // It has hung up already.
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

/** Tells a client that asked first (`Expect: 100-continue`) to send its body. */
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

/** What is not HTTP, or too slow or too long in its head, never becomes a request; it gets this and is hung up on. */
function answerGarbage(error: Error & { code?: string }, socket: Socket): void {
  // Whoever has hung up hears nothing more.
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
  // Nothing that may still come on this connection is of interest.
  socket.destroySoon();
}

function refusalOf(code: string | undefined): { status: string; refusal: OutlastError } {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return {
        status: "431 Request Header Fields Too Large",
        refusal: new OutlastError(
          "too-large",
          `The head of the request is larger than ${limits.headerBytesMax} bytes.`,
          {
            limit: "headerBytesMax",
          },
        ),
      };
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return {
        status: "408 Request Timeout",
        refusal: new OutlastError("too-slow", "The request took too long to arrive.", { limit: "requestWaitMsMax" }),
      };
    default:
      return {
        status: "400 Bad Request",
        refusal: new OutlastError("bad-request", "This is not HTTP as it is spoken here."),
      };
  }
}
