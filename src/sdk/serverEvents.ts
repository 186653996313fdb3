/** Server-sent events over `fetch`: reading one stream, and a stream that opens itself again whenever it is cut. */
import { createParser, type EventSourceParser } from "eventsource-parser";
import { OutlastError } from "../model/errors.ts";
import { defaults } from "../model/limits.ts";
import { backoffMs, pause } from "./backoff.ts";
import type { Call, Connection } from "./connection.ts";
import type { FetchAnswer } from "./fetch.ts";

/** One message, or a place in the stream: all that came before it has been told, and it can be resumed from there. */
type ServerItem =
  | { readonly kind: "event"; readonly event: string; readonly data: string }
  | { readonly kind: "place"; readonly id: string };

/** What a resumed stream brings: what the server sent, and a mark for each time it was opened. */
export type StreamItem = { readonly kind: "opened" } | ServerItem;

/**
 * Opens a stream, and opens it again whenever it is cut, for as long as the caller reads.
 * The first opening fails like any other call; later ones are tried until the signal is aborted.
 * @param describe says what to ask for: called before each opening, so that it can name the place to resume at
 */
export async function* resumedStream(
  connection: Connection,
  describe: () => Omit<Call, "method"> & Partial<Pick<Call, "method">>,
): AsyncGenerator<StreamItem, void, undefined> {
  let cutsInARow = 0;
  for (let isFirst = true; ; isFirst = false) {
    const call = describe();
    const answer = await connection.open({
      method: "GET",
      ...call,
      headers: { ...call.headers, accept: "text/event-stream" },
      retryForMs: isFirst ? call.retryForMs : Number.POSITIVE_INFINITY,
    });
    try {
      yield { kind: "opened" };
      for await (const item of readServerItems(answer.response)) {
        cutsInARow = 0;
        yield item;
      }
    } catch (error) {
      call.signal?.throwIfAborted();
      // What the reader of this generator throws is not a cut: it does not come through here.
      if (error instanceof OutlastError) throw error;
    } finally {
      answer.close();
    }
    // A server that closes at once must not be hammered.
    await pause(backoffMs(cutsInARow++), call.signal);
  }
}

async function* readServerItems(response: FetchAnswer): AsyncGenerator<ServerItem, void, undefined> {
  const { body } = response;
  if (body === null || !(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    throw new OutlastError("unsupported-media", "The answer is not a stream of events.", {
      hint: "A proxy in between may block streams.",
    });
  }
  const ready: ServerItem[] = [];
  const parser = createItemParser(ready);
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await withinStall(reader.read());
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* ready.splice(0);
    }
  } finally {
    // The connection is being given up; how that goes is of no interest.
    reader.cancel().catch(() => {});
  }
}

/** A message's own id names the place behind it; an id without a message names a place all the same. */
function createItemParser(ready: ServerItem[]): EventSourceParser {
  let pendingId: string | null = null;
  const flushPlace = () => {
    if (pendingId !== null) ready.push({ kind: "place", id: pendingId });
    pendingId = null;
  };
  const parser = createParser({
    // Called before the message that the id belongs to, if there is one.
    onId: (id) => {
      flushPlace();
      pendingId = id;
    },
    onEvent: ({ event = "message", data, id }) => {
      if (id === undefined) flushPlace();
      ready.push({ kind: "event", event, data });
      flushPlace();
    },
  });
  return {
    feed: (chunk) => {
      parser.feed(chunk);
      flushPlace();
    },
    reset: (options) => parser.reset(options),
  };
}

/** A half-open connection says nothing for ever: without a byte for so long, it counts as cut. */
export async function withinStall<Value>(
  read: Promise<Value>,
  stallMs: number = defaults.clientStreamStallMs,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("The stream has stalled.")), stallMs);
  });
  try {
    return await Promise.race([read, stalled]);
  } finally {
    clearTimeout(timer);
  }
}
