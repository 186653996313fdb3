/**
 * Streams of journal positions: they tell that something was committed, and of what kind, so that a client can read again what it shows.
 *
 * One subscription serves all of them, and however many there are, only so many are told in a second: each waits for its turn.
 */
import type { ChangeBatch, MasterApi, Subscription } from "../../master/service/masterApi.ts";
import type { CollectionName } from "../../model/collections/table.ts";
import { defaults } from "../../model/limits.ts";
import { sseMessage } from "./changeEvents.ts";
import type { EventStream } from "./eventStream.ts";

/** What may have changed: tasks, who leads, or records of a collection. */
type Changed = "tasks" | "leader" | CollectionName;

interface Follower {
  readonly stream: Pick<EventStream, "send" | "end">;
  /** Since it was told last. */
  readonly changed: Set<Changed>;
  sentAt: number;
  timer: NodeJS.Timeout | null;
}

export class Positions {
  readonly #master: MasterApi;
  readonly #followers = new Set<Follower>();
  #subscription: Promise<Subscription> | null = null;
  #seq = 0;
  /** The last turn that was given to anybody. */
  #turnAt = Number.NEGATIVE_INFINITY;

  constructor(master: MasterApi) {
    this.#master = master;
  }

  /** It is told of what is committed after this has resolved. */
  async follow(stream: Follower["stream"]): Promise<Subscription> {
    const follower: Follower = { stream, changed: new Set(), sentAt: Number.NEGATIVE_INFINITY, timer: null };
    this.#followers.add(follower);
    try {
      this.#subscription ??= this.#master.changes(
        null,
        (batch) => this.#note(batch),
        () => this.#endAll(),
      );
      await this.#subscription;
    } catch (error) {
      this.#subscription = null;
      this.#stop(follower);
      throw error;
    }
    return { close: () => this.#stop(follower) };
  }

  #note(batch: ChangeBatch): void {
    this.#seq = batch.seq;
    const changed = changedBy(batch);
    const now = performance.now();
    for (const follower of this.#followers) {
      for (const each of changed) follower.changed.add(each);
      if (follower.timer !== null) continue;
      this.#turnAt = Math.max(now, this.#turnAt + defaults.positionTurnMs);
      const dueAt = Math.max(this.#turnAt, follower.sentAt + defaults.positionMs);
      follower.timer = setTimeout(() => this.#tell(follower), dueAt - now);
    }
  }

  #tell(follower: Follower): void {
    follower.timer = null;
    follower.sentAt = performance.now();
    const of = [...follower.changed].toSorted();
    follower.changed.clear();
    follower.stream.send(`${sseMessage("position", { seq: this.#seq, of })}id: ${this.#seq}\n\n`);
  }

  #endAll(): void {
    for (const { stream } of this.#followers) stream.end();
  }

  #stop(follower: Follower): void {
    this.#followers.delete(follower);
    if (follower.timer !== null) clearTimeout(follower.timer);
    if (this.#followers.size > 0 || this.#subscription === null) return;
    // A failed subscription was reported to all who waited for it.
    this.#subscription.then((subscription) => subscription.close()).catch(() => {});
    this.#subscription = null;
  }
}

function changedBy({ writes }: ChangeBatch): ReadonlySet<Changed> {
  const changed = new Set<Changed>();
  for (const write of writes) {
    if (write.kind === "record") changed.add(write.collection);
    else if (write.kind === "marker") changed.add("leader");
    else if (write.kind !== "digest") changed.add("tasks");
  }
  return changed;
}
