/** Passes the output of a run on while it runs, from where it has come to, and what is left of it after its end. */
import { type Backend, BackendTrouble, type RunHandle } from "../../ports/backend.ts";
import type { Clock } from "../../ports/clock.ts";

export interface RunLogSettings {
  /** How often it is looked how a run is, and whether it has written more, if its log does not say that sooner. */
  readonly pollMs: number;
  /** How long the last output of a run is waited for. */
  readonly logMsMax: number;
}

export interface RunLogParts {
  readonly backend: Backend;
  readonly handle: RunHandle;
  readonly settings: RunLogSettings;
  readonly clock: Clock;
  onOutput(bytes: Uint8Array): void | Promise<void>;
  /** There is no more for now: perhaps the run has ended. */
  onPause(): void;
}

export class RunLog {
  readonly #parts: RunLogParts;
  readonly #reading = new AbortController();
  #offset = 0;
  #isLast = false;
  #hurry: () => void = () => {};
  #ended: Promise<void> = Promise.resolve();

  constructor(parts: RunLogParts) {
    this.#parts = parts;
  }

  /** Call it once. */
  start(): void {
    this.#ended = this.#read();
  }

  /** The run has ended, or is to be stopped. Resolves when all that it wrote before has been passed on, or that takes too long. */
  async end(): Promise<void> {
    const { clock, settings } = this.#parts;
    this.#isLast = true;
    this.#hurry();
    const timer = clock.at(clock.now() + settings.logMsMax, () => this.#reading.abort());
    await this.#ended;
    timer.cancel();
  }

  /** The run goes on without this attempt: its output is nobody's business here any more. */
  leave(): void {
    this.#isLast = true;
    this.#reading.abort();
    this.#hurry();
  }

  async #read(): Promise<void> {
    const { settings, clock } = this.#parts;
    for (;;) {
      // What is asked for after the end of the run is all that there is.
      const isLast = this.#isLast;
      await this.#readOn();
      if (isLast || this.#reading.signal.aborted) return;
      this.#parts.onPause();
      if (this.#isLast) continue;
      await new Promise<void>((resolve) => {
        const timer = clock.at(clock.now() + settings.pollMs, resolve);
        this.#hurry = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#hurry = () => {};
    }
  }

  async #readOn(): Promise<void> {
    const { backend, handle } = this.#parts;
    try {
      for await (const bytes of backend.logs(handle, this.#offset, this.#reading.signal)) {
        this.#offset += bytes.length;
        await this.#parts.onOutput(bytes);
      }
    } catch (error) {
      // Output is asked for again; that it cannot be had says nothing about the run.
      if (!(error instanceof BackendTrouble)) throw error;
    }
  }
}
