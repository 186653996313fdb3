/** What a queue must be able to do to be measured beside others: durable no-op tasks, batched submits, three worker processes. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export const workerCount = 3;
/** Where tasks run in processes of their own, one at a time each. */
export const processesPerWorker = 16;

/** What a task carries whose start is timed: its worker appends the nanoseconds since `sentAt` to the file when it starts. */
export interface Timing {
  /** `process.hrtime.bigint()` of the client, in decimal digits. Processes of one machine share that clock. */
  readonly sentAt: string;
  readonly file: string;
}

export interface Contender {
  readonly name: string;
  /** What it waits for before it answers a submit. */
  readonly durability: string;
  /** Starts its server, with everything it keeps in `directory`, and three workers. */
  start(directory: string): Promise<void>;
  /** Submits as many no-op tasks in one request; resolves when they are durable. */
  submit(tasks: number): Promise<void>;
  /** Submits one task whose start is timed; resolves when it is durable. */
  submitTimed(timing: Timing): Promise<void>;
  /** Tasks that have been submitted and are not done. */
  countOpen(): Promise<number>;
  /** CPU time that its server and workers have used, in ms. */
  cpuMs(): number;
  stop(): Promise<void>;
}

/** @param peerArguments which peer, and where its server is */
export async function startWorkers(...peerArguments: readonly string[]): Promise<ChildProcess[]> {
  return Promise.all(
    Array.from({ length: workerCount }, async () => {
      const script = fileURLToPath(new URL("worker.ts", import.meta.url));
      const child = spawn(process.execPath, [script, ...peerArguments], { stdio: ["ignore", "pipe", "inherit"] });
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
