/** The counters of a job: named sums, added up over maps and reduces that were committed. */
import { limits } from "../../model/limits.ts";

/** Too many names, or a name or a number that cannot be one. */
export class BadCounter extends Error {}

export class Counters {
  readonly #counts = new Map<string, number>();

  /** @throws BadCounter */
  add(name: string, by: number): void {
    const count = this.#counts.get(name);
    if (count === undefined) this.#check(name);
    if (!Number.isFinite(by)) throw new BadCounter(`Counter "${name}" cannot count ${String(by)}.`);
    this.#counts.set(name, (count ?? 0) + by);
  }

  addAll(counters: { readonly [name: string]: number }): void {
    for (const [name, by] of Object.entries(counters)) this.add(name, by);
  }

  /** By name, in the order of names. */
  toJson(): { [name: string]: number } {
    return Object.fromEntries([...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  #check(name: string): void {
    if (name.length === 0 || name.length > limits.nameLengthMax) {
      throw new BadCounter(`The name of a counter has 1 to ${limits.nameLengthMax} characters.`);
    }
    if (this.#counts.size < limits.jobCountersMax) return;
    throw new BadCounter(
      `A job has at most ${limits.jobCountersMax} counters. Count large sets of names by emitting them.`,
    );
  }
}
