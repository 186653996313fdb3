/** Answers the health checks of container engines and of Kubernetes for a process that has no API of its own. */
import { createServer } from "node:http";

export interface HealthPort {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on all interfaces: probes come from outside of a container. `GET /healthz` answers 200 while the event loop runs,
 * `GET /readyz` 200 or 503 as `isReady` says.
 */
export function openHealthPort(port: number, isReady: () => boolean): Promise<HealthPort> {
  return new Promise((resolve, reject) => {
    const server = createServer((request, response) => {
      const isOk = request.url === "/healthz" || (request.url === "/readyz" && isReady());
      const status = isOk ? 200 : request.url === "/readyz" ? 503 : 404;
      response.writeHead(status, { "content-type": "text/plain", connection: "close" });
      response.end(`${isOk ? "ok" : status === 404 ? "not found" : "not ready"}\n`);
    });
    server.once("error", reject);
    server.listen(port, () => {
      const bound = server.address();
      if (bound === null || typeof bound === "string") return reject(new Error(`No TCP port for health checks.`));
      // The worker's work keeps the process alive, not this.
      server.unref();
      resolve({ port: bound.port, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}
