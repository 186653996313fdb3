/** How spans of traces are told to whoever collects them. */

export interface SpanAbout {
  /** `server` answers a request, `consumer` does what was asked for earlier, `internal` is a part of that. */
  readonly kind: "server" | "consumer" | "internal";
  readonly attributes?: { readonly [name: string]: string | number };
  /** When it began, in ms since 1970; now if left out. */
  readonly startAt?: number;
}

/** Something that is being done. */
export interface OpenSpan {
  /** Names it, for what belongs to it. */
  readonly traceparent: string;
  /** It is over. @param problem why it failed, for people; left out if it did not */
  end(problem?: string): void;
}

export interface Tracing {
  /** @param parent the `traceparent` of what it belongs to; null for a trace of its own */
  begin(name: string, parent: string | null, about: SpanAbout): OpenSpan;
  /** Sends what has not been sent, as far as that is possible in a few seconds. */
  stop(): Promise<void>;
}
