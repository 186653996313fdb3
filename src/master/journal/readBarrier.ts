/** Those who want proof that this master still leads: only an entry that was begun after they asked can give it. */

interface Waiter {
  resolve(seq: number): void;
  reject(error: Error): void;
}

export class ReadBarrier {
  #waiting: Waiter[] = [];
  #underWay: Waiter[] = [];

  /** Resolves with the seq of an entry that was begun later than this and is committed. */
  ask(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** An entry is about to be made: if it is committed, it proves to all who wait by now. @returns whether anybody does */
  begin(): boolean {
    this.#underWay.push(...this.#waiting.splice(0));
    return this.#underWay.length > 0;
  }

  /** The entry of the last `begin` is committed. */
  settle(seq: number): void {
    for (const waiter of this.#underWay.splice(0)) waiter.resolve(seq);
  }

  rejectAll(error: () => Error): void {
    for (const waiter of [...this.#underWay.splice(0), ...this.#waiting.splice(0)]) waiter.reject(error());
  }
}
