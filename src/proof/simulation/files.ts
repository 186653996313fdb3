/** A master's handle on the place of files, which all masters share: slow, away for a moment, and not always sure what it did. */
import type { MemoryBlobs } from "../../blobs/memory/blobs.ts";
import {
  type Blobs,
  BlobsUnavailable,
  type ByteRange,
  type ListedObject,
  type ObjectContent,
  type StoredObject,
} from "../../ports/blobs.ts";
import type { Ledger } from "../checkers/ledger.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

export interface FilesParts {
  readonly place: MemoryBlobs;
  readonly process: Process;
  readonly random: Random;
  readonly ledger: Ledger;
}

const latencyMsMax = 200;
const failureChance = 0.03;

export class SimulatedFiles implements Blobs {
  readonly isShared = true;
  readonly #parts: FilesParts;

  constructor(parts: FilesParts) {
    this.#parts = parts;
  }

  open(): Promise<string> {
    return this.#parts.place.open();
  }

  put(name: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredObject> {
    return this.#ask(async ({ place, ledger }) => {
      const stored = await place.put(name, content, bytesMax);
      ledger.add({ kind: "object-stored", object: name });
      return stored;
    });
  }

  get(name: string, range?: ByteRange): Promise<ObjectContent | null> {
    return this.#ask(({ place }) => place.get(name, range));
  }

  stat(name: string): Promise<{ readonly size: number } | null> {
    return this.#ask(({ place }) => place.stat(name));
  }

  delete(name: string): Promise<void> {
    return this.#ask(async ({ place, ledger }) => {
      if ((await place.stat(name)) === null) return;
      await place.delete(name);
      ledger.add({ kind: "object-deleted", object: name });
    });
  }

  deleteAll(folder: string): Promise<void> {
    return this.#ask(({ place }) => place.deleteAll(folder));
  }

  list(folder: string): AsyncIterable<ListedObject> {
    return this.#parts.place.list(folder);
  }

  close(): Promise<void> {
    return this.#parts.process.sleep(0);
  }

  /** What was asked for may be done although nobody hears of it: the answer is lost, or the process dies meanwhile. */
  async #ask<Answer>(act: (parts: FilesParts) => Promise<Answer>): Promise<Answer> {
    await this.#pass();
    const answer = await act(this.#parts);
    await this.#pass();
    return answer;
  }

  async #pass(): Promise<void> {
    const { process, random } = this.#parts;
    await process.sleep(random.spread(1, latencyMsMax));
    if (random.chance(failureChance)) throw new BlobsUnavailable("network", "simulated: the place of files is away");
  }
}
