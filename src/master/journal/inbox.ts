/** Inputs that wait for the scheduler. Everything that arrives while a commit is in flight goes into the next batch. */
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import { bytesOfInput } from "./weights.ts";

export class Inbox {
  readonly #clock: Clock;
  #waiting: SchedulerInput[] = [];
  /** Of all that wait, about. */
  #records = 0;
  /** Who waits until so many records do. */
  #watch: { readonly records: number; resolve(isWaiting: true): void } | null = null;
  #wake: (() => void) | null = null;
  #timer: Timer | null = null;
  #isInterrupted = false;
  #isShut = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /**
   * Inputs of this master itself are always accepted: they are few, and would not be repeated.
   * @throws OutlastError `too-many` for inputs from outside while `limits.inboxMax` wait
   */
  push(input: SchedulerInput): void {
    if (this.#isShut) return;
    const isFromOutside = "request" in input || input.kind === "beat";
    if (isFromOutside && this.#waiting.length >= limits.inboxMax) {
      throw new OutlastError("too-many", "Too many requests wait for the leader.", {
        limit: "inboxMax",
      });
    }
    // A pause must be known before anything is decided by the new time.
    if (input.kind === "clock-gap") this.#waiting.unshift(input);
    else this.#waiting.push(input);
    this.#records += recordsOf(input);
    this.#stir();
    this.#tellWatch();
  }

  /** Makes the current or next `take` return at once. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#stir();
  }

  /** Waits for inputs, or until `wakeAt`. @returns the inputs in order of arrival, perhaps none, and their time */
  async take(wakeAt: number | null): Promise<{ now: number; inputs: SchedulerInput[] }> {
    if (!this.#isInterrupted && this.#waiting.length === 0 && (wakeAt === null || wakeAt > this.#clock.now())) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (wakeAt !== null) this.#timer = this.#clock.at(wakeAt, () => this.#stir());
      });
    }
    this.#isInterrupted = false;
    return this.takeAtOnce();
  }

  /** The same without a wait. */
  takeAtOnce(): { now: number; inputs: SchedulerInput[] } {
    // The time must be read first: if this process was paused, the clock reports it within this call, and that input must be
    // processed before silence is judged by the new time.
    const now = this.#clock.now();
    const inputs = this.#waiting.slice(0, countForBatch(this.#waiting));
    this.#waiting = this.#waiting.slice(inputs.length);
    for (const input of inputs) this.#records -= recordsOf(input);
    return { now, inputs };
  }

  /** Resolves once about so many records wait. Each call takes the place of the one before, which is never resolved then. */
  untilWaiting(records: number): Promise<true> {
    return new Promise((resolve) => {
      this.#watch = { records, resolve };
      this.#tellWatch();
    });
  }

  #tellWatch(): void {
    const watch = this.#watch;
    if (watch === null || this.#records < watch.records) return;
    this.#watch = null;
    watch.resolve(true);
  }

  /** Puts inputs that were taken, and found no room in their batch, before all others. */
  giveBack(inputs: readonly SchedulerInput[]): void {
    this.#waiting = [...inputs, ...this.#waiting];
    for (const input of inputs) this.#records += recordsOf(input);
  }

  /** Drops all inputs, and all later ones until `open`. A deposed leader must do so. */
  shut(): void {
    this.#waiting = [];
    this.#records = 0;
    this.#isShut = true;
  }

  open(): void {
    this.#isShut = false;
  }

  #stir(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}

/** How many of the first inputs fit into one entry; at least one. */
function countForBatch(inputs: readonly SchedulerInput[]): number {
  let records = 0;
  let bytes = 0;
  let count = 0;
  for (const input of inputs) {
    records += recordsOf(input);
    bytes += bytesOfInput(input);
    if (count > 0 && (records > limits.recordsPerCommitMax || bytes > limits.entryFillBytes)) break;
    count += 1;
  }
  return count;
}

/** Roughly how many records an input writes. */
function recordsOf(input: SchedulerInput): number {
  switch (input.kind) {
    case "submit":
      return 2 * input.specs.length;
    case "report":
      return 1 + input.items.length;
    default:
      return 1;
  }
}
