/** Reads HTTP answers: a whole body of limited size, or a stream of events. */
import type { IncomingMessage } from "node:http";
import { createParser } from "eventsource-parser";
import { limits } from "../model/limits.ts";
import { LinkError } from "../ports/transport.ts";

/** The body as text. @throws LinkError if it is longer than `bytesMax`, Error if the connection breaks off */
export async function readAnswer(response: IncomingMessage, bytesMax: number): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > bytesMax) {
      response.destroy();
      throw new LinkError("protocol", `The answer is longer than ${bytesMax} bytes.`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString("utf8");
}

/**
 * Calls `onData` with the data of each event until the stream ends; rejects if it breaks off, or with the
 * `LinkError` that `onData` throws.
 * Nothing more is handed on once `signal` is aborted.
 */
export function readStream(
  response: IncomingMessage,
  signal: AbortSignal,
  onData: (data: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const parser = createParser({
      maxBufferSize: limits.streamMessageBytesMax,
      onEvent: (event) => {
        if (!signal.aborted && !response.destroyed) onData(event.data);
      },
      onError: (error) => {
        // Unknown fields are ignored; a message without end is an error.
        if (error.type === "max-buffer-size-exceeded")
          throw new LinkError("protocol", "A message on the stream is too long.");
      },
    });
    response.setEncoding("utf8");
    response.on("data", (text: string) => {
      try {
        parser.feed(text);
      } catch (error) {
        // Anything else is a bug in the handler of the messages.
        if (!(error instanceof LinkError)) throw error;
        response.destroy();
        reject(error);
      }
    });
    response.on("end", resolve);
    response.on("error", reject);
    response.on("close", () => reject(new LinkError("unreachable", "The connection was lost.")));
  });
}
