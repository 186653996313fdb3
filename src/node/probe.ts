/** Asks whether a process is still there by knocking at a port that only it listens on, and lets itself be asked so. */
import { connect, createServer } from "node:net";
import { defaults } from "../model/limits.ts";
import type { Probe } from "../ports/transport.ts";

/**
 * `refused` proves that nobody listens: the process is dead. `connected` proves little, since the kernel also takes
 * connections for a stopped process. Everything else (no route, no answer in time) is `unknown`.
 */
export const probe: Probe = (host, port) =>
  new Promise((resolve) => {
    const socket = connect({ host, port, autoSelectFamily: false });
    const timer = setTimeout(() => end("unknown"), defaults.probeTimeoutMs);
    const end = (answer: "refused" | "connected" | "unknown") => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end("connected"));
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code === "ECONNREFUSED" ? "refused" : "unknown"));
  });

export interface ProbePort {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on a free port of `address` for as long as this process lives, and hangs up on every caller. Advertise it only where
 * masters reach this very listener at the address they see this worker come from: behind a NAT, or with an `address` that
 * masters do not see, a refusal would prove nothing and cost the attempts that run here.
 */
export function openProbePort(address: string): Promise<ProbePort> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.destroy();
    });
    server.once("error", reject);
    server.listen({ host: address, port: 0 }, () => {
      const bound = server.address();
      if (bound === null || typeof bound === "string") return reject(new Error(`No TCP port on ${address}.`));
      // What keeps a worker alive is its work, not this.
      server.unref();
      resolve({ port: bound.port, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}
