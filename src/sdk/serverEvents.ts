/** Server-sent events over `fetch`: reading one stream, and a stream that opens itself again whenever it is cut. */
import { createParser } from "eventsource-parser";
import { OutlastError } from "../model/errors.ts";
import { defaults } from "../model/limits.ts";
import { backoffMs, pause } from "./backoff.ts";
import type { Call, Connection } from "./connection.ts";

export interface ServerEvent {
  readonly event: string;
  readonly data: string;
  readonly id: string | null;
}

/** What a resumed stream brings: what the server sent, and a mark for each time it was opened. */
export type StreamItem = { readonly kind: "opened" } | ({ readonly kind: "event" } & ServerEvent);

/**
 * Opens a stream, and opens it again whenever it is cut, for as long as the caller reads.
 * The first opening fails like any other call; later ones are tried until the signal is aborted.
 * @param describe says what to ask for: called before each opening, so that it can name the place to resume at
 */
export async function* resumedStream(
  connection: Connection,
  describe: () => Omit<Call, "method">,
): AsyncGenerator<StreamItem, void, undefined> {
  let cutsInARow = 0;
  for (let isFirst = true; ; isFirst = false) {
    const call = describe();
    const answer = await connection.open({
      ...call,
      method: "GET",
      headers: { ...call.headers, accept: "text/event-stream" },
      retryForMs: isFirst ? call.retryForMs : Number.POSITIVE_INFINITY,
    });
    try {
      yield { kind: "opened" };
      for await (const event of readServerEvents(answer.response)) {
        cutsInARow = 0;
        yield { kind: "event", ...event };
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

async function* readServerEvents(response: Response): AsyncGenerator<ServerEvent, void, undefined> {
  const { body } = response;
  if (body === null || !(response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    throw new OutlastError("unsupported-media", "The answer is not a stream of events.", {
      hint: "A proxy between may not let streams through.",
    });
  }
  const ready: ServerEvent[] = [];
  const parser = createParser({
    onEvent: (message) => ready.push({ event: message.event ?? "message", data: message.data, id: message.id ?? null }),
  });
  const decoder = new TextDecoder();
  const reader = (body as ReadableStream<Uint8Array>).getReader();
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

/** A half-open connection says nothing for ever: without a byte for so long, it counts as cut. */
async function withinStall<Value>(read: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stalled = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("The stream has stalled.")), defaults.clientStreamStallMs);
  });
  try {
    return await Promise.race([read, stalled]);
  } finally {
    clearTimeout(timer);
  }
}
