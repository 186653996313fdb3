/** What has arrived for the scheduler and waits for the next batch. What came while a commit was in flight goes into one batch. */
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { Clock, Timer } from "../../ports/clock.ts";

export class Inbox {
  readonly #clock: Clock;
  #waiting: SchedulerInput[] = [];
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
   * What this master itself has to say always finds room: there is never much of it, and nobody would say it again.
   * @throws OutlastError `too-many` for what comes from outside, if more waits than may wait
   */
  push(input: SchedulerInput): void {
    if (this.#isShut) return;
    const isFromOutside = "request" in input || input.kind === "beat";
    if (isFromOutside && this.#waiting.length >= limits.inboxMax) {
      throw new OutlastError("too-many", "The leader has more to do than it can remember; try again shortly.", {
        limit: "inboxMax",
      });
    }
    // However much waits, a pause is known before it is judged.
    if (input.kind === "clock-gap") this.#waiting.unshift(input);
    else this.#waiting.push(input);
    this.#stir();
  }

  /** Makes the `take` that waits, or else the next one, return at once, with whatever there is. */
  interrupt(): void {
    this.#isInterrupted = true;
    this.#stir();
  }

  /** Waits until there is something, or until `wakeAt`. @returns the inputs in the order of their arrival, perhaps none, and their time */
  async take(wakeAt: number | null): Promise<{ now: number; inputs: SchedulerInput[] }> {
    if (!this.#isInterrupted && this.#waiting.length === 0 && (wakeAt === null || wakeAt > this.#clock.now())) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (wakeAt !== null) this.#timer = this.#clock.at(wakeAt, () => this.#stir());
      });
    }
    this.#isInterrupted = false;
    // The time comes first: if this process stood still, the clock says so within this call, and whoever was silent meanwhile
    // must not be judged by the new time without that.
    const now = this.#clock.now();
    const inputs = this.#waiting.slice(0, countForBatch(this.#waiting));
    this.#waiting = this.#waiting.slice(inputs.length);
    return { now, inputs };
  }

  /** Forgets all that waits, as a leader that has been deposed must, and all that is still on its way here, until `open`. */
  shut(): void {
    this.#waiting = [];
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

/** How many of the first inputs fit into one entry; always at least one. */
function countForBatch(inputs: readonly SchedulerInput[]): number {
  let records = 0;
  let bytes = 0;
  let count = 0;
  for (const input of inputs) {
    records += recordsOf(input);
    bytes += bytesOf(input);
    if (count > 0 && (records > limits.recordsPerCommitMax || bytes > limits.entryBytesMax)) break;
    count += 1;
  }
  return count;
}

/** About how many records an input will write. */
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

/** About how many bytes an input will write, of those that clients decide over. */
function bytesOf(input: SchedulerInput): number {
  let bytes = 0;
  if (input.kind === "submit") for (const { input: payload } of input.specs) bytes += sizeOf(payload);
  if (input.kind === "report") {
    for (const item of input.items)
      if (item.kind === "result" && item.output !== undefined) bytes += sizeOf(item.output);
  }
  return bytes;
}

/** About the length of a value's JSON text. Values are as deep as `limits.jsonDepthMax` at most. */
function sizeOf(value: Json): number {
  if (typeof value === "string") return value.length + 2;
  if (value === null || typeof value !== "object") return 8;
  let size = 2;
  if (Array.isArray(value)) for (const item of value) size += sizeOf(item) + 1;
  else for (const name of Object.keys(value)) size += name.length + 4 + sizeOf(value[name] ?? null);
  return size;
}
