/** Finds and kills processes from a thread of its own, so that a scan of `/proc` that hangs does not stop a worker's heartbeats. */
import type { Worker } from "node:worker_threads";
import { limits } from "../model/limits.ts";
import type { Sweep } from "../ports/processes.ts";
import { startThread } from "../threads/thread.ts";
import type { SweepRequest } from "./processSweeper.ts";
import type { SweepAnswer, SweepOrder } from "./sweeperThread.ts";

const unseen: Sweep = { killed: 0, left: [], isComplete: false };

export class ThreadedSweeper {
  #thread: Worker | null = null;
  readonly #waiting = new Map<number, (sweep: Sweep) => void>();
  #lastNumber = 0;

  /** Resolves with an incomplete sweep if the thread does not answer in time. */
  killAll(request: SweepRequest): Promise<Sweep> {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    return new Promise((resolve) => {
      // The thread itself gives up after `processSweepMsMax`, unless it hangs.
      const timer = setTimeout(() => this.#settle(number, unseen), 1.5 * limits.processSweepMsMax);
      this.#waiting.set(number, (sweep) => {
        clearTimeout(timer);
        resolve(sweep);
      });
      this.#start().postMessage({ number, request } satisfies SweepOrder);
    });
  }

  /** True if it was asked something and has not answered. */
  get isBusy(): boolean {
    return this.#waiting.size > 0;
  }

  #settle(number: number, sweep: Sweep): void {
    this.#waiting.get(number)?.(sweep);
    this.#waiting.delete(number);
  }

  #start(): Worker {
    if (this.#thread !== null) return this.#thread;
    // Beside this file: the source in a checkout, what was built of it in a package.
    const file = import.meta.url.endsWith(".ts") ? "./sweeperThread.ts" : "./sweeperThread.js";
    const thread = startThread(new URL(file, import.meta.url));
    this.#thread = thread;
    thread.on("message", ({ number, sweep }: SweepAnswer) => this.#settle(number, sweep));
    const fail = () => {
      this.#thread = null;
      for (const number of [...this.#waiting.keys()]) this.#settle(number, unseen);
    };
    thread.on("error", fail);
    thread.once("exit", fail);
    // The process must not live on for it; the timer of a sweep holds it while one is under way.
    thread.unref();
    return thread;
  }
}
