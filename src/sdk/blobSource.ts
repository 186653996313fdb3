/** What can be uploaded, and how it leaves. */
import type { FetchInit } from "./fetch.ts";

/** Bytes or text, or a function that begins to read them anew: it is called again when another master must be asked. */
export type BlobSource = Uint8Array | string | (() => AsyncIterable<Uint8Array>);

export interface BodyListener {
  /** For each piece that leaves. */
  readonly onProgress: () => void;
  /** The source itself cannot be read: no other master would help. */
  readonly onUnreadable: (error: unknown) => void;
}

export function toBody(
  content: BlobSource,
  { onProgress, onUnreadable }: BodyListener,
): Pick<FetchInit, "body" | "duplex"> {
  if (typeof content === "string") return { body: content };
  if (content instanceof Uint8Array) return { body: content as Uint8Array<ArrayBuffer> };
  const pieces = content()[Symbol.asyncIterator]();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next: IteratorResult<Uint8Array, unknown> = await pieces.next().catch((error: unknown) => {
        onUnreadable(error);
        throw error;
      });
      onProgress();
      if (next.done === true) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await pieces.return?.();
    },
  });
  return { body: stream, duplex: "half" };
}
