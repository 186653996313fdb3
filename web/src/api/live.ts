/**
 * Keeps what is shown up to date. One stream says what kinds of things were changed; then what is on the screen of them is read again,
 * at most once a second. After a cut everything is read again, so that nothing is missed. A hidden tab does not listen.
 */
import type { QueryClient } from "@tanstack/react-query";
import { followStream } from "./eventStream.ts";
import { type Changed, concerns, Refresher } from "./refresher.ts";

declare module "@tanstack/react-query" {
  interface Register {
    queryMeta: {
      /** What it is about, in the words of the event stream. Left out where all that changes may matter; empty where it has a pace of its own. */
      readonly of?: readonly string[];
    };
  }
}

/** A cut that is shorter than this is not worth a word. */
const quietCutMs = 700;

export type LiveState =
  | { readonly kind: "off" | "connecting" | "live" | "hidden" }
  | { readonly kind: "lost"; readonly since: number };

export class Live {
  readonly #queries: QueryClient;
  readonly #onReopen: () => void;
  readonly #listeners = new Set<() => void>();
  readonly #refreshers = new Set<() => Promise<unknown>>();
  readonly #refresher = new Refresher((changed) => this.#refresh(changed));
  #isOn = false;
  /** Whether there was a time in which nothing was heard, since somebody signed in. */
  #hasGap = false;
  #state: LiveState = { kind: "off" };
  #stream: AbortController | null = null;
  #cutTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param onReopen is called when the stream has been opened after a time in which nothing was heard */
  constructor(queries: QueryClient, onReopen: () => void) {
    this.#queries = queries;
    this.#onReopen = onReopen;
  }

  start(): void {
    document.addEventListener("visibilitychange", () => this.#connect());
  }

  /** On while somebody is signed in: without a credential the master tells nothing. */
  setOn(isOn: boolean): void {
    this.#isOn = isOn;
    this.#connect();
  }

  readonly state = (): LiveState => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Also calls `refresh` whenever tasks may have changed, for what is not kept by the query client. It resolves when they are read. */
  onRefresh(refresh: () => Promise<unknown>): () => void {
    this.#refreshers.add(refresh);
    return () => this.#refreshers.delete(refresh);
  }

  /** Connects at once instead of after the pause between two tries. */
  retry(): void {
    this.#disconnect();
    this.#connect();
  }

  #disconnect(): void {
    this.#stream?.abort();
    this.#stream = null;
    clearTimeout(this.#cutTimer);
    this.#cutTimer = undefined;
  }

  #connect(): void {
    if (!this.#isOn || document.hidden) {
      this.#disconnect();
      this.#hasGap = this.#isOn;
      return this.#set({ kind: this.#isOn ? "hidden" : "off" });
    }
    if (this.#stream !== null) return;
    this.#stream = new AbortController();
    this.#set({ kind: "connecting" });
    void followStream({
      url: "/v1/events?positions=true",
      signal: this.#stream.signal,
      onOpen: () => {
        clearTimeout(this.#cutTimer);
        this.#cutTimer = undefined;
        this.#set({ kind: "live" });
        if (this.#hasGap) this.#onReopen();
        this.#hasGap = true;
        this.#refresher.note(null);
      },
      onEvent: ({ data }) => this.#refresher.note(changedBy(data)),
      onCut: () => this.#noteCut(),
    });
  }

  #noteCut(): void {
    this.#hasGap = true;
    if (this.#state.kind === "lost" || this.#cutTimer !== undefined) return;
    const since = Date.now();
    this.#cutTimer = setTimeout(() => this.#set({ kind: "lost", since }), quietCutMs);
  }

  async #refresh(changed: Changed): Promise<void> {
    const lists = concerns(["tasks"], changed) ? [...this.#refreshers].map((refresh) => refresh()) : [];
    const queries = this.#queries.invalidateQueries({ predicate: ({ meta }) => concerns(meta?.of, changed) });
    await Promise.allSettled([queries, ...lists]);
  }

  #set(state: LiveState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/** A master of an earlier version does not say what has changed. */
function changedBy(data: string): Changed {
  const { of } = JSON.parse(data) as { readonly of?: readonly string[] };
  return of === undefined ? null : new Set(of);
}
