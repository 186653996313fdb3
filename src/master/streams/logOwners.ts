/** Whose attempt a piece of output is from: no worker may write into another one's log, and no task into that of a later one. */

import type { Write } from "../../model/entry.ts";
import { attemptKey, type TaskId, type WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { isOutputOf } from "../../model/logOwner.ts";
import type { LogChunk, LoggedAttempt } from "../../model/protocol.ts";
import type { Store } from "../../ports/store.ts";

interface Owner {
  readonly attempt: number;
  readonly assignedAt: number;
  readonly worker: WorkerId;
}

export class LogOwners {
  readonly #store: Store;
  /** Of each task, the attempt that was looked up last. It stays true until the task is forgotten and its id may be used again. */
  readonly #known = new Map<TaskId, Owner>();
  /** Counts what was dropped from `#known`, so that a look-up that was under way meanwhile is not remembered. */
  #drops = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Must be told of every write that this master commits while it leads. */
  note(write: Write): void {
    if (write.kind !== "forget-task") return;
    this.#drops += 1;
    this.#known.delete(write.id);
  }

  /** Must be called when a term begins: another master may have forgotten tasks since the last one. */
  clear(): void {
    this.#drops += 1;
    this.#known.clear();
  }

  /**
   * Those of the pieces that are from attempts of this worker. For an attempt that is not the task's last one the store does
   * not say whose it was: late output of it is accepted, unless it was assigned before the task was created.
   */
  async ownPieces(worker: WorkerId, pieces: readonly LogChunk[]): Promise<readonly LogChunk[]> {
    const isOwn = new Map<string, boolean>();
    for (const piece of pieces) {
      const key = issueKey(piece);
      if (!isOwn.has(key)) isOwn.set(key, await this.#isOwn(worker, piece));
    }
    return pieces.filter((piece) => isOwn.get(issueKey(piece)));
  }

  async #isOwn(worker: WorkerId, piece: LoggedAttempt): Promise<boolean> {
    const { task, attempt, assignedAt } = piece;
    const known = this.#known.get(task);
    if (known?.attempt === attempt && (assignedAt ?? known.assignedAt) === known.assignedAt)
      return known.worker === worker;
    const drops = this.#drops;
    const document = await this.#store.readTask(task);
    if (document === null || attempt > document.attempt || !isOutputOf(document, piece)) return false;
    if (attempt < document.attempt) return true;
    if (document.host === undefined || document.assignedAt === undefined) return false;
    if (drops === this.#drops) this.#remember(task, document.assignedAt, attempt, document.host);
    return document.host === worker;
  }

  #remember(task: TaskId, assignedAt: number, attempt: number, worker: WorkerId): void {
    const [oldest] = this.#known.keys();
    if (this.#known.size >= limits.logOwnersMax && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(task, { attempt, assignedAt, worker });
  }
}

function issueKey({ task, attempt, assignedAt }: LoggedAttempt): string {
  return `${attemptKey(task, attempt)}@${assignedAt ?? ""}`;
}
