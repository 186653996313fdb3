/** The inside of the sweeper's thread: reading a process's memory map may hang with that process, and then holds up nothing else. */
import { parentPort } from "node:worker_threads";
import type { Sweep } from "../ports/processes.ts";
import { keepCompiledCode } from "../threads/thread.ts";
import { ProcessSweeper, type SweepRequest } from "./processSweeper.ts";

export interface SweepOrder {
  readonly number: number;
  readonly request: SweepRequest;
}

export interface SweepAnswer {
  readonly number: number;
  readonly sweep: Sweep;
}

const port = parentPort;
if (port === null) throw new Error("This is the inside of a thread.");
keepCompiledCode();
const sweeper = new ProcessSweeper();

port.on("message", ({ number, request }: SweepOrder) => {
  const failed: Sweep = { killed: 0, left: [], isComplete: false };
  void sweeper.killAll(request).then(
    (sweep) => port.postMessage({ number, sweep } satisfies SweepAnswer),
    () => port.postMessage({ number, sweep: failed } satisfies SweepAnswer),
  );
});
