/**
 * Looks at files whose disk may hang. Each such look holds one of the few threads that Node has for files, and the outbox needs
 * them, too: only so many looks are under way at once, and none is waited for without end.
 */

export class BoundedLooks {
  readonly #max: number;
  readonly #waitMs: number;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(max: number, waitMs: number) {
    this.#max = max;
    this.#waitMs = waitMs;
  }

  /** Rejects with `late()` if the look has not come to an end in time, the wait for its turn included. */
  run<Value>(look: () => Promise<Value>, late: () => Error): Promise<Value> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        reject(late());
      }, this.#waitMs);
      const begin = (): void => {
        if (isLate) return;
        this.#running += 1;
        const free = (): void => {
          clearTimeout(timer);
          this.#running -= 1;
          this.#next();
        };
        look().finally(free).then(resolve, reject);
      };
      this.#queue.push(begin);
      this.#next();
    });
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  #next(): void {
    while (this.#running < this.#max) {
      const begin = this.#queue.shift();
      if (begin === undefined) return;
      begin();
    }
  }
}
