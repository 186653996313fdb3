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
  #seq = 0;
  #loop: Promise<void> = Promise.resolve();
  #onChange: () => void = () => {};

  /** @param isExcused true of changes that have causes of their own */
  constructor(client: Outlast, isExcused: (change: Change) => boolean) {
    this.#client = client;
    this.#isExcused = isExcused;
  }

  start(after: number): void {
    this.#seq = after;
    this.#loop = this.#follow(after).catch((error: unknown) => {
      if (!this.#stopping.signal.aborted) throw error;
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  /** Changes after one entry and up to another that nobody has an excuse for. Waits until they have been told; forgets what came before. */
  async between(afterSeq: number, seq: number, waitMs: number): Promise<readonly Change[]> {
    const until = performance.now() + waitMs;
    // An entry without events is passed over: a later one shows that it has been told.
    while (this.#seq < seq && performance.now() < until) await this.#told(100);
    const found = this.#changes.filter((change) => change.seq > afterSeq && change.seq <= seq);
    this.#changes = this.#changes.filter((change) => change.seq > seq);
    return found;
  }

  async #follow(after: number): Promise<void> {
    for await (const event of this.#client.events({ after, signal: this.#stopping.signal })) {
      this.#seq = Math.max(this.#seq, event.seq);
      const change = { seq: event.seq, kind: event.kind, id: nameOf(event) };
      if (!this.#isExcused(change)) this.#changes.push(change);
      this.#onChange();
    }
  }

  #told(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#onChange = () => {
        clearTimeout(timer);
        resolve();
      };
    });
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
