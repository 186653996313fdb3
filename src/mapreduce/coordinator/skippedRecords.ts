/** Records that maps have left out, kept for people: a file of each map that left some out, and of these one file of the output. */
import { limits } from "../../model/limits.ts";
import type { SkippedRecord } from "../engine/mapRun.ts";
import { DamagedSegment } from "../engine/segment.ts";
import type { MapManifest, SkippedFile } from "./settings.ts";
import type { FileRef, JobFileWriter, JobStore } from "./store.ts";

export const skippedName = "_skipped.jsonl";

/** What one map leaves out. Nothing is written before the first record. */
export class SkippedWriter {
  readonly #store: JobStore;
  readonly #prefix: string;
  readonly #bytesMax: number;
  #file: JobFileWriter | null = null;
  #bytes = 0;
  #records = 0;

  constructor(store: JobStore, prefix: string, bytesMax: number = limits.jobMapSkippedBytesMax) {
    this.#store = store;
    this.#prefix = prefix;
    this.#bytesMax = bytesMax;
  }

  add(record: SkippedRecord): void {
    this.addLine(JSON.stringify(record));
  }

  /** @returns false if there is no room for it, nor for any other */
  addLine(line: string): boolean {
    const bytes = Buffer.from(`${line}\n`);
    this.#bytes += bytes.length;
    if (this.#bytes > this.#bytesMax) return false;
    this.#file ??= this.#store.create(this.#prefix, ".jsonl");
    this.#file.write(bytes);
    this.#records += 1;
    return true;
  }

  /** @returns null if there were none */
  async end(): Promise<SkippedFile | null> {
    return this.#file === null ? null : { ...(await this.#file.end()), records: this.#records };
  }

  abandon(): void {
    this.#file?.abandon();
  }
}

/** Puts those of all maps into one file. What is lost of them is left out: it is no reason to run a map again. */
export async function gatherSkipped(
  store: JobStore,
  maps: readonly MapManifest[],
  log: (text: string) => void,
): Promise<SkippedFile | null> {
  const writer = new SkippedWriter(store, "job/skipped", limits.jobSkippedBytesMax);
  try {
    for (const { map, skippedFile } of maps) {
      const lines = skippedFile === undefined ? [] : await linesOf(store, skippedFile);
      if (lines === null) log(`The records that map ${map} has skipped are counted, but no longer there.`);
      if (!(lines ?? []).every((line) => writer.addLine(line))) break;
    }
    return await writer.end();
  } finally {
    writer.abandon();
  }
}

async function linesOf(store: JobStore, file: FileRef): Promise<readonly string[] | null> {
  try {
    return (await store.text(file)).split("\n").slice(0, -1);
  } catch (error) {
    if (error instanceof DamagedSegment) return null;
    throw error;
  }
}
