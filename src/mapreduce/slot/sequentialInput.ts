/** Input that comes from its beginning to its end only: a stream, or the text of a compressed file. */
import { Readable } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { limits } from "../../model/limits.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import type { OpenInput } from "../coordinator/mapWork.ts";
import type { Compression } from "../coordinator/settings.ts";

export class SequentialInput implements OpenInput {
  readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>;
  readonly #release: () => Promise<void>;
  #at = 0;
  #left: Uint8Array = Buffer.alloc(0);

  /** @param release called when it is closed, after the generator has returned */
  constructor(pieces: AsyncGenerator<Uint8Array, void, undefined>, release: () => Promise<void> = async () => {}) {
    this.#pieces = pieces;
    this.#release = release;
  }

  async read(target: Buffer, position: number): Promise<number> {
    if (position !== this.#at) throw new Error(`byte ${position} was asked for where byte ${this.#at} comes next`);
    let done = 0;
    while (done < target.length) {
      if (this.#left.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) break;
        this.#left = next.value;
      }
      const piece = this.#left.subarray(0, target.length - done);
      target.set(piece, done);
      this.#left = this.#left.subarray(piece.length);
      done += piece.length;
    }
    this.#at += done;
    return done;
  }

  async close(): Promise<void> {
    try {
      await this.#pieces.return();
    } finally {
      await this.#release();
    }
  }
}

/** The text of a compressed file of which the stored bytes can be read; closes it as well. */
export function unpacked(stored: OpenInput, compression: Compression, path: string): OpenInput {
  return new SequentialInput(unpackedPieces(stored, compression, path), () => stored.close());
}

async function* unpackedPieces(
  stored: OpenInput,
  compression: Compression,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const options = { chunkSize: limits.jobChunkBytes / 4 };
  const unpacker = compression === "gzip" ? createGunzip(options) : createZstdDecompress(options);
  const packed = Readable.from(storedPieces(stored));
  packed.on("error", (error) => unpacker.destroy(error));
  packed.pipe(unpacker);
  try {
    yield* unpacker;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (!/^(Z_|ZSTD_|ERR_ZLIB)/.test(code)) throw error;
    throw new NonRetryableError(`${path} is no whole ${compression} file: ${(error as Error).message}.`);
  } finally {
    packed.destroy();
    unpacker.destroy();
  }
}

async function* storedPieces(stored: OpenInput): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; ; ) {
    const piece = Buffer.allocUnsafe(limits.jobChunkBytes);
    const count = await stored.read(piece, at);
    if (count === 0) return;
    at += count;
    yield piece.subarray(0, count);
  }
}
