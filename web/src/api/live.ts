/**
 * Keeps what is shown up to date. One stream says that something was committed; then what is on the screen is read again, at most
 * once a second. After a cut everything is read again, so that nothing is missed. A hidden tab does not listen.
 */
import type { QueryClient } from "@tanstack/react-query";
import { followStream } from "./eventStream.ts";

/** At most so often is what is on the screen read again. */
const refreshMs = 1_000;
/** A cut that is shorter than this is not worth a word. */
const quietCutMs = 700;

export type LiveState =
  | { readonly kind: "off" | "connecting" | "live" | "hidden" }
  | { readonly kind: "lost"; readonly since: number };

export class Live {
  readonly #queries: QueryClient;
  readonly #listeners = new Set<() => void>();
  readonly #refreshers = new Set<() => void>();
  #isOn = false;
  #state: LiveState = { kind: "off" };
  #stream: AbortController | null = null;
  #cutTimer: ReturnType<typeof setTimeout> | undefined;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #refreshedAt = 0;

  constructor(queries: QueryClient) {
    this.#queries = queries;
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

  /** Also calls `refresh` whenever something may have changed, for what is not kept by the query client. */
  onRefresh(refresh: () => void): () => void {
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
        this.#refreshSoon();
      },
      onEvent: () => this.#refreshSoon(),
      onCut: () => this.#noteCut(),
    });
  }

  #noteCut(): void {
    if (this.#state.kind === "lost" || this.#cutTimer !== undefined) return;
    const since = Date.now();
    this.#cutTimer = setTimeout(() => this.#set({ kind: "lost", since }), quietCutMs);
  }

  #refreshSoon(): void {
    if (this.#refreshTimer !== undefined) return;
    const waitMs = Math.max(0, this.#refreshedAt + refreshMs - Date.now());
    this.#refreshTimer = setTimeout(() => {
      this.#refreshTimer = undefined;
      this.#refreshedAt = Date.now();
      void this.#queries.invalidateQueries();
      for (const refresh of this.#refreshers) refresh();
    }, waitMs);
  }

  #set(state: LiveState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}
