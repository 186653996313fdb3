/** Whose attempt a piece of output is from: no worker may write into the log of another's. */
import { attemptKey, type WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LogChunk } from "../../model/protocol.ts";
import type { Store } from "../../ports/store.ts";

export class LogOwners {
  readonly #store: Store;
  /** An attempt never changes its worker, so what was looked up once stays true. */
  readonly #known = new Map<string, WorkerId>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Those of the pieces that are from attempts of this worker. Of an attempt that is not the last one the store does not
   * tell whose it was: late output of it is taken.
   */
  async ownPieces(worker: WorkerId, pieces: readonly LogChunk[]): Promise<readonly LogChunk[]> {
    const isOwn = new Map<string, boolean>();
    for (const { task, attempt } of pieces) {
      const key = attemptKey(task, attempt);
      if (!isOwn.has(key)) isOwn.set(key, await this.#isOwn(worker, { task, attempt }, key));
    }
    return pieces.filter(({ task, attempt }) => isOwn.get(attemptKey(task, attempt)));
  }

  async #isOwn(worker: WorkerId, { task, attempt }: Pick<LogChunk, "task" | "attempt">, key: string): Promise<boolean> {
    const known = this.#known.get(key);
    if (known !== undefined) return known === worker;
    const document = await this.#store.readTask(task);
    if (document === null || attempt > document.attempt) return false;
    if (attempt < document.attempt) return true;
    if (document.host !== undefined) this.#remember(key, document.host);
    return document.host === worker;
  }

  #remember(key: string, worker: WorkerId): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= limits.logOwnersMax && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, worker);
  }
}
