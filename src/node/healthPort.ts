/** Answers health checks and asks for metrics, for a process that has no API of its own. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { limits } from "../model/limits.ts";

export interface HealthPort {
  readonly port: number;
  close(): Promise<void>;
}

export interface HealthPortOptions {
  readonly port: number;
  /** All interfaces if left out: checks come from outside of a container. */
  readonly address?: string;
  readonly isReady: () => boolean;
  /** Answers `GET /metrics`, or refuses it. */
  readonly answerMetrics?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** `GET /healthz` answers 200 while the event loop runs, `GET /readyz` 200 or 503 as `isReady` says. */
export function openHealthPort({ port, address, isReady, answerMetrics }: HealthPortOptions): Promise<HealthPort> {
  return new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      if (request.method === "GET" && request.url === "/metrics" && answerMetrics !== undefined)
        return answerMetrics(request, response);
      const isOk = request.url === "/healthz" || (request.url === "/readyz" && isReady());
      const status = isOk ? 200 : request.url === "/readyz" ? 503 : 404;
      response.writeHead(status, { "content-type": "text/plain", connection: "close" });
      response.end(`${isOk ? "ok" : status === 404 ? "not found" : "not ready"}\n`);
    });
    server.maxConnections = limits.connectionsPerAddressMax;
    server.once("error", reject);
    server.listen({ port, ...(address !== undefined && { host: address }) }, () => {
      const bound = server.address();
      if (bound === null || typeof bound === "string") return reject(new Error(`No TCP port for health checks.`));
      // The worker's work keeps the process alive, not this.
      server.unref();
      resolve({ port: bound.port, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}
