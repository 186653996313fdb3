/** Bodies that are streamed to where they are kept: read piece by piece, and given up when nothing more arrives. */
import type { FastifyRequest } from "fastify";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";

/**
 * The body of a request as it arrives.
 * @param silenceMsMax it is given up when nothing has arrived for so long
 * @throws OutlastError `too-slow`, or `bad-request` if the client disconnects in the middle
 */
export async function* uploadOf(
  request: Pick<FastifyRequest, "raw">,
  silenceMsMax: number = limits.uploadSilenceMsMax,
): AsyncGenerator<Uint8Array, void, undefined> {
  // The connection must stay open after an error: the refusal is sent on it.
  const pieces = request.raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  const silence = Promise.withResolvers<never>();
  // It may be rejected when nobody waits any more.
  silence.promise.catch(() => {});
  const timer = setTimeout(() => {
    const message = `Nothing of the upload has arrived for ${silenceMsMax / 1000} seconds.`;
    silence.reject(new OutlastError("too-slow", message, { limit: "uploadSilenceMsMax" }));
  }, silenceMsMax);
  const iterator = pieces[Symbol.asyncIterator]();
  try {
    for (;;) {
      timer.refresh();
      const next = await Promise.race([iterator.next(), silence.promise]);
      if (next.done === true) break;
      yield next.value;
    }
  } catch (error) {
    if (error instanceof OutlastError) throw error;
    throw new OutlastError("bad-request", "The upload ended too early.");
  } finally {
    clearTimeout(timer);
  }
}

/** Counts the uploads and downloads that a master serves, and refuses those beyond its bound. */
export class Transfers {
  #open = 0;

  /** @returns what must be called when it has ended. @throws OutlastError `too-many` */
  begin(): () => void {
    if (this.#open >= limits.blobTransfersMax) {
      throw new OutlastError("too-many", "This master serves too many uploads and downloads at the moment.", {
        limit: "blobTransfersMax",
        hint: "Try again, or ask another master.",
      });
    }
    this.#open += 1;
    let isOpen = true;
    return () => {
      if (isOpen) this.#open -= 1;
      isOpen = false;
    };
  }
}
