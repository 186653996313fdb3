/** Asks whether a process is still there by knocking at a port that only it listens on, and lets itself be asked so. */
import { connect, createServer, type Socket } from "node:net";
import type { BootId } from "../model/ids.ts";
import { defaults } from "../model/limits.ts";
import type { Probe } from "../ports/transport.ts";

type ProbeResult = "refused" | "connected" | "unknown";

/**
 * `refused` proves that nobody listens: the process is dead. `connected` proves little, since the kernel also takes
 * connections for a stopped process. Everything else (no route, no answer in time) is `unknown`.
 */
export function probe(host: string, port: number): Promise<ProbeResult> {
  return knock(host, port, (socket, end) => socket.once("connect", () => end("connected")));
}

/** As `probe`, at a port of `openProbePort`; `connected` is only who names itself as this boot. */
export const probeBoot: Probe = (host, port, boot) =>
  knock(host, port, (socket, end) => {
    let heard = "";
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => {
      heard += text;
      if (heard.length > boot.length) end("unknown");
    });
    socket.once("end", () => end(heard === boot ? "connected" : "unknown"));
  });

function knock(
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
 * Listens on a free port of `address` for as long as this process lives, tells every caller its boot and hangs up. Advertise it only where
 * masters reach this very listener at the address they see this worker come from: behind a NAT, or with an `address` that
 * masters do not see, a refusal would prove nothing and cost the attempts that run here.
 */
export function openProbePort(address: string, boot: BootId): Promise<ProbePort> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      // Callers are not listened to, so nothing of theirs may keep the socket.
      socket.write(boot);
      socket.destroySoon();
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
