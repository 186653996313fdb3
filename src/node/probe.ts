/** Probes whether a process is alive by connecting to a port that only it listens on, and answers such probes. */
import { connect, createServer, type Socket } from "node:net";
import type { BootId } from "../model/ids.ts";
import { defaults } from "../model/limits.ts";
import type { Probe } from "../ports/transport.ts";

type ProbeResult = "refused" | "connected" | "unknown";

/**
 * `refused` proves that no process listens: the process is dead. `connected` proves little, since the kernel also accepts
 * connections for a stopped process. Everything else (no route, no answer in time) is `unknown`.
 */
export function probe(host: string, port: number): Promise<ProbeResult> {
  return tryConnection(host, port, (socket, end) => socket.once("connect", () => end("connected")));
}

/** Like `probe`, for a port of `openProbePort`; `connected` only if it answers with this boot. */
export const probeBoot: Probe = (host, port, boot) =>
  tryConnection(host, port, (socket, end) => {
    let heard = "";
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      heard += text;
      if (heard.length > boot.length) end("unknown");
    });
    socket.once("end", () => end(heard === boot ? "connected" : "unknown"));
  });

function tryConnection(
  host: string,
  port: number,
  listen: (socket: Socket, end: (result: ProbeResult) => void) => void,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, autoSelectFamily: false });
    const timer = setTimeout(() => end("unknown"), defaults.probeTimeoutMs);
    const end = (result: ProbeResult) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    socket.once("error", (error: NodeJS.ErrnoException) => end(error.code === "ECONNREFUSED" ? "refused" : "unknown"));
    listen(socket, end);
  });
}

export interface ProbePort {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens on a free port of `address` as long as this process lives, sends its boot to every caller and closes. Advertise the port
 * only if masters reach this listener at the address that they see for this worker: behind a NAT a refusal would prove nothing,
 * and would cost the attempts that run here.
 */
export function openProbePort(address: string, boot: BootId): Promise<ProbePort> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      // Callers need not send anything.
      socket.write(boot);
      socket.destroySoon();
    });
    server.once("error", reject);
    server.listen({ host: address, port: 0 }, () => {
      const bound = server.address();
      if (bound === null || typeof bound === "string") return reject(new Error(`No TCP port on ${address}.`));
      // This server does not keep the process alive.
      server.unref();
      resolve({ port: bound.port, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}
