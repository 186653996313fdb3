/**
 * Decides when what is on the screen is read again: at most once in a second however much changes, never twice at a time however slow
 * the master is, and once more after the last change.
 */

/** What has changed, in the words of the event stream; null for anything. */
export type Changed = ReadonlySet<string> | null;

const everyMs = 1_000;
/** A reading that takes longer does not hold up the next one. */
const readMsMax = 10_000;

export class Refresher {
  readonly #refresh: (changed: Changed) => Promise<unknown>;
  /** Since the last reading began. */
  #changed: Changed = new Set();
  #isDue = false;
  #isReading = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #begunAt = Number.NEGATIVE_INFINITY;

  /** @param refresh resolves when all is read */
  constructor(refresh: (changed: Changed) => Promise<unknown>) {
    this.#refresh = refresh;
  }

  note(changed: Changed): void {
    this.#changed = changed === null || this.#changed === null ? null : this.#changed.union(changed);
    this.#isDue = true;
    this.#schedule();
  }

  #schedule(): void {
    if (!this.#isDue || this.#isReading || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.#read(), Math.max(0, this.#begunAt + everyMs - performance.now()));
  }

  #read(): void {
    const changed = this.#changed;
    this.#timer = undefined;
    this.#changed = new Set();
    this.#isDue = false;
    this.#isReading = true;
    this.#begunAt = performance.now();
    let isOver = false;
    const end = () => {
      if (isOver) return;
      isOver = true;
      clearTimeout(tooLong);
      this.#isReading = false;
      this.#schedule();
    };
    const tooLong = setTimeout(end, readMsMax);
    this.#refresh(changed).then(end, end);
  }
}

/** @param of what a query is about; undefined for all that may change */
export function concerns(of: readonly string[] | undefined, changed: Changed): boolean {
  if (changed === null) return true;
  return of === undefined ? changed.size > 0 : of.some((each) => changed.has(each));
}
