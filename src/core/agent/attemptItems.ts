/** What one attempt has to tell the leader while it runs: items that wait for their acknowledgement, and the latest progress. */
import type { Json } from "../../model/json.ts";
import { jsonBytes } from "../../model/jsonBytes.ts";
import { limits } from "../../model/limits.ts";
import type { AttemptContent, ItemRefusal } from "../../model/protocol.ts";

/** An item that the leader has not acknowledged. */
export interface PendingItem {
  /** Unique in this boot; the item is always sent with the same id. */
  readonly id: number;
  /** Names the item towards the shell. */
  readonly ticket: number;
  readonly content: AttemptContent;
  readonly bytes: number;
}

/** The items of all attempts of a worker share one bound. */
export interface ItemBudget {
  bytes: number;
}

export class AttemptItems {
  readonly #budget: ItemBudget;
  /** In the order in which they were sent. The first `sent` of them are in the report that waits for its answer. */
  #pending: PendingItem[] = [];
  sent = 0;
  #bytes = 0;
  /** The leader has answered `stale`: the attempt is over for it, whatever else is sent. */
  isOver = false;
  /** True while the attempt stands in the line of those with items to send. */
  isQueued = false;
  /** What needs no acknowledgement: only the latest is sent. It is kept, so that a new leader can be told of it. */
  latest: AttemptContent | null = null;
  isLatestUnsent = false;
  latestSentAt = Number.NEGATIVE_INFINITY;
  /** True while the attempt stands in the line of those with an unsent `latest`. */
  isLatestQueued = false;
  readonly #messages = new Set<string>();

  constructor(budget: ItemBudget) {
    this.#budget = budget;
  }

  get pendingCount(): number {
    return this.#pending.length;
  }

  get unsentCount(): number {
    return this.#pending.length - this.sent;
  }

  get unsent(): readonly PendingItem[] {
    return this.#pending.slice(this.sent);
  }

  /** The first `count` items, which are in the report under way. */
  inReport(count: number): readonly PendingItem[] {
    return this.#pending.slice(0, count);
  }

  /** @returns why it cannot be taken; null if it was */
  add(item: PendingItem): ItemRefusal | null {
    if (this.#pending.length >= limits.attemptItemsMax) {
      return {
        code: "too-many",
        message: `${limits.attemptItemsMax} items of this attempt wait for the leader already.`,
      };
    }
    if (this.#pending.length > 0 && this.#bytes + item.bytes > limits.attemptItemsBytesMax) {
      const message = `Items of ${this.#bytes} bytes of this attempt wait for the leader already.`;
      return { code: "too-many", message };
    }
    if (this.#budget.bytes + item.bytes > limits.workerItemsBytesMax) {
      const message = `Items of ${this.#budget.bytes} bytes of this worker wait for the leader already.`;
      return { code: "too-many", message };
    }
    this.#pending.push(item);
    this.#bytes += item.bytes;
    this.#budget.bytes += item.bytes;
    return null;
  }

  /** The first `count` items have been answered. @returns them */
  shift(count: number): readonly PendingItem[] {
    const gone = this.#pending.splice(0, count);
    this.sent = Math.max(0, this.sent - gone.length);
    for (const { bytes } of gone) {
      this.#bytes -= bytes;
      this.#budget.bytes -= bytes;
    }
    return gone;
  }

  /** @returns false if this message was handed on before */
  takeMessage(id: string): boolean {
    if (this.#messages.has(id)) return false;
    if (this.#messages.size >= limits.attemptMessagesMax) {
      for (const oldest of this.#messages) {
        this.#messages.delete(oldest);
        break;
      }
    }
    this.#messages.add(id);
    return true;
  }
}

/** An upper bound for the size of an item on the wire. */
export function itemBytes(content: AttemptContent): number {
  return 1024 + jsonBytes(content as unknown as Json);
}
