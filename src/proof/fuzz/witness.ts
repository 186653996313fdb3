/** Follows the journal from outside and remembers what changed in which entry, for whoever asks what a refusal has changed. */
import type { Outlast } from "../../sdk/client.ts";

export interface Change {
  readonly seq: number;
  readonly kind: string;
  readonly id: string;
}

export class Witness {
  readonly #client: Outlast;
  readonly #isExcused: (change: Change) => boolean;
  readonly #stopping = new AbortController();
  #changes: Change[] = [];
  #loop: Promise<void> = Promise.resolve();
  #awaited: { readonly id: string; readonly seen: () => void } | null = null;

  /** @param isExcused true of changes that have causes of their own */
  constructor(client: Outlast, isExcused: (change: Change) => boolean) {
    this.#client = client;
    this.#isExcused = isExcused;
  }

  start(after: number): void {
    this.#loop = this.#follow(after).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error;
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /**
   * Changes since the last call that nobody has an excuse for, up to where this one becomes visible.
   * @param id of what `make` makes, for which there is an excuse
   */
  async until(id: string, make: () => Promise<unknown>, waitMs: number): Promise<readonly Change[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { id, seen: resolve };
    await make();
    const timer = setTimeout(resolve, waitMs);
    await promise;
    clearTimeout(timer);
    return this.#changes.splice(0);
  }

  async #follow(after: number): Promise<void> {
    for await (const event of this.#client.events({ after, signal: this.#stopping.signal })) {
      const change = { seq: event.seq, kind: event.kind, id: nameOf(event) };
      if (!this.#isExcused(change)) this.#changes.push(change);
      if (change.id === this.#awaited?.id) this.#awaited.seen();
    }
  }
}

type Event = ReturnType<Outlast["events"]> extends AsyncGenerator<infer Item> ? Item : never;

function nameOf(event: Event): string {
  switch (event.kind) {
    case "task":
      return event.task.id;
    case "worker":
      return event.worker.id;
    case "queue":
      return event.queue.name;
    case "forgotten":
      return event.id;
    default:
      return "";
  }
}
