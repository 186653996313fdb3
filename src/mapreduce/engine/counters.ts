/** The counters of a job: named sums, added up over maps and reduces that were committed. */
import { limits } from "../../model/limits.ts";

/** Too many names, or a name or a number that cannot be one. */
export class BadCounter extends Error {}

export class Counters {
  readonly #counts = new Map<string, number>();
  readonly #staged: (readonly [name: string, by: number])[] = [];
  /** Names among these that it does not have yet. */
  readonly #stagedNames = new Set<string>();

  /** @throws BadCounter */
  add(name: string, by: number): void {
    const count = this.#counts.get(name);
    if (count === undefined) this.#checkName(name);
    checkNumber(name, by);
    this.#counts.set(name, (count ?? 0) + by);
  }

  /** Counts once `keep` is called: what is wrong is told now. @throws BadCounter */
  stage(name: string, by: number): void {
    const isNew = !this.#counts.has(name) && !this.#stagedNames.has(name);
    if (isNew) this.#checkName(name);
    checkNumber(name, by);
    if (isNew) this.#stagedNames.add(name);
    this.#staged.push([name, by]);
  }

  keep(): void {
    const staged = this.#staged.splice(0);
    this.#stagedNames.clear();
    for (const [name, by] of staged) this.add(name, by);
  }

  discard(): void {
    this.#staged.length = 0;
    this.#stagedNames.clear();
  }

  addAll(counters: { readonly [name: string]: number }): void {
    for (const [name, by] of Object.entries(counters)) this.add(name, by);
  }

  /** By name, in the order of names. */
  toJson(): { [name: string]: number } {
    return Object.fromEntries([...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1)));
  }

  #checkName(name: string): void {
    if (name.length === 0 || name.length > limits.nameLengthMax) {
      throw new BadCounter(`The name of a counter has 1 to ${limits.nameLengthMax} characters.`);
    }
    if (this.#counts.size + this.#stagedNames.size < limits.jobCountersMax) return;
    throw new BadCounter(
      `A job has at most ${limits.jobCountersMax} counters. Count large sets of names by emitting them.`,
    );
  }
}

function checkNumber(name: string, by: number): void {
  if (!Number.isFinite(by)) throw new BadCounter(`Counter "${name}" cannot count ${String(by)}.`);
}
