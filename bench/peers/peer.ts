/** What a queue must be able to do to be measured like Outlast: durable no-op tasks, batched submits, three worker processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";

export interface Peer {
  readonly name: string;
  readonly durability: string;
  /** Starts its server with everything it keeps in `directory`. */
  start(directory: string): Promise<void>;
  submit(tasks: number): Promise<void>;
  /** The process id of its server, once it is started. */
  readonly serverPid: () => number;
  /** Tasks that have been submitted and are not done. */
  countOpen(): Promise<number>;
  /** The command line of one worker process, which prints `ready` when it is. */
  readonly worker: readonly string[];
  stop(): Promise<void>;
}

export async function startWorkers(peer: Peer, count: number): Promise<ChildProcess[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const script = fileURLToPath(new URL("worker.ts", import.meta.url));
      const child = spawn(process.execPath, [script, ...peer.worker], { stdio: ["ignore", "pipe", "inherit"] });
      await waitFor(child, "ready");
      return child;
    }),
  );
}

/** Resolves when the process prints this. */
export async function waitFor(child: ChildProcess, text: string): Promise<void> {
  const died = once(child, "exit").then(() =>
    Promise.reject(new Error(`${child.spawnfile} ended before it was ready.`)),
  );
  const said = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (piece: Buffer) => {
        if (piece.includes(text)) resolve();
      });
  });
  // It may well end later, when nobody waits any more.
  died.catch(() => {});
  await Promise.race([said, died]);
}

export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("There is no free port.");
  return address.port;
}
