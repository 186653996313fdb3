/** Reads a stream of server-sent events and resumes it after every cut, so that nothing is missed. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { refusalOf } from "./client.ts";
import { credentialHeaders } from "./credentials.ts";

/** A silent stream is pinged every two seconds: one that says nothing for this long is dead. */
const silenceMsMax = 9_000;
const retryMsMin = 250;
const retryMsMax = 5_000;

export interface StreamOptions {
  readonly url: string;
  readonly onEvent: (message: EventSourceMessage) => void;
  /** The stream is open; called after every reconnect, too. */
  readonly onOpen?: () => void;
  /** The stream was cut, or cannot be opened; it is tried again by itself. */
  readonly onCut?: (error: unknown) => void;
  readonly signal: AbortSignal;
}

/** Resolves when `signal` aborts, or the master ends a stream whose end is told by `isOver`. */
export async function followStream(options: StreamOptions, isOver: () => boolean = () => false): Promise<void> {
  let lastId: string | null = null;
  let retryMs = retryMsMin;
  while (!options.signal.aborted && !isOver()) {
    try {
      await readOnce(
        options,
        lastId,
        (id) => (lastId = id),
        () => (retryMs = retryMsMin),
      );
      if (!isOver()) options.onCut?.(null);
    } catch (error) {
      if (options.signal.aborted) return;
      options.onCut?.(error);
    }
    if (isOver()) return;
    await pause(retryMs, options.signal);
    retryMs = Math.min(retryMsMax, retryMs * 2);
  }
}

async function readOnce(
  { url, onEvent, onOpen, signal }: StreamOptions,
  lastId: string | null,
  setLastId: (id: string) => void,
  onAlive: () => void,
): Promise<void> {
  const silence = new AbortController();
  const both = AbortSignal.any([signal, silence.signal]);
  let timer = setTimeout(() => silence.abort(), silenceMsMax);
  try {
    const headers = {
      ...credentialHeaders(false),
      accept: "text/event-stream",
      ...(lastId === null ? {} : { "last-event-id": lastId }),
    };
    const response = await fetch(url, { headers, signal: both, cache: "no-store" });
    if (!response.ok || response.body === null) throw await refusalOf(response);
    onAlive();
    onOpen?.();
    const parser = createParser({
      onEvent: (message) => {
        if (message.id !== undefined) setLastId(message.id);
        onEvent(message);
      },
    });
    const decoder = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), silenceMsMax);
      parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
