/** The work of one reduce: reads its segments of the pinned files and no other, and writes its part of the output. */
import { limits } from "../../model/limits.ts";
import { type Combine, columnFor } from "../engine/combiners.ts";
import type { Cursor } from "../engine/cursor.ts";
import type { KeyTable } from "../engine/keyTable.ts";
import { extentsOf } from "../engine/mapFile.ts";
import { OutputWriter } from "../engine/outputWriter.ts";
import { runReduce } from "../engine/reduceRun.ts";
import { ReduceTable } from "../engine/reduceTable.ts";
import type { Scratch } from "../engine/scratch.ts";
import { blocksOf, DamagedSegment } from "../engine/segment.ts";
import type { MapReduceJob } from "../job.ts";
import type { JobSettings, PinnedFile, ReduceResult } from "./settings.ts";
import type { FileRef, JobStore } from "./store.ts";

export interface ReduceParts {
  readonly settings: JobSettings;
  readonly job: MapReduceJob;
  readonly cursor: Cursor;
  /** Serves one task after the other. */
  readonly table: KeyTable;
  readonly openScratch: () => ClosableScratch;
}

export interface ClosableScratch extends Scratch {
  close(): void;
}

export interface ReduceWork {
  readonly partition: number;
  readonly manifests: FileRef;
}

export async function doReduce(
  parts: ReduceParts,
  store: JobStore,
  { partition, manifests }: ReduceWork,
): Promise<ReduceResult> {
  const { settings, job, cursor } = parts;
  const maps = JSON.parse(await store.text(manifests)) as readonly PinnedFile[];
  const scratches: ClosableScratch[] = [];
  const openScratch = (): Scratch => {
    const scratch = parts.openScratch();
    scratches.push(scratch);
    return {
      get length() {
        return scratch.length;
      },
      append: (bytes) => scratch.append(bytes),
      // A reduce that asks for the next value may wait for the disk.
      read: (offset, length) => cursor.aside(() => scratch.read(offset, length)),
    };
  };
  const column = columnFor(watched(job.combine, cursor));
  const table = new ReduceTable({
    table: parts.table,
    column,
    memoryBytes: limits.jobReduceMemoryBytes,
    openScratch,
  });
  try {
    const lost: number[] = [];
    let reason = "";
    let shuffledBytes = 0;
    for (const pinned of maps) {
      try {
        shuffledBytes += await fold(table, store, pinned, partition, parts);
      } catch (error) {
        if (!(error instanceof DamagedSegment)) throw error;
        lost.push(pinned.map);
        reason ||= error.message;
      }
    }
    if (lost.length > 0) return { lost, reason };
    const file = store.create(`reduce/${String(partition).padStart(5, "0")}`);
    try {
      const writer = new OutputWriter(settings.outputFormat, (bytes) => file.write(bytes));
      const { params } = settings;
      const figures = await runReduce({ groups: table.groups(), reduce: job.reduce, params, writer, cursor });
      const load = table.load === null ? {} : { load: table.load };
      const written = { ...(await file.end()), records: writer.records };
      return { part: { partition, ...written, shuffledBytes, ...figures, ...load } };
    } finally {
      file.abandon();
    }
  } finally {
    for (const scratch of scratches) scratch.close();
  }
}

/** Here it runs on its own, for no record or key. */
function watched(combine: Combine | null, cursor: Cursor): Combine | null {
  if (typeof combine === "function") return (one: never, other: never) => cursor.call(() => combine(one, other));
  if (typeof combine !== "object" || combine === null) return combine;
  return { topK: combine.topK, by: (value: never) => cursor.call(() => combine.by(value)) };
}

/** @throws DamagedSegment */
async function fold(
  table: ReduceTable,
  store: JobStore,
  pinned: PinnedFile,
  partition: number,
  { settings, cursor }: ReduceParts,
): Promise<number> {
  const file = await store.read(pinned);
  let bytes = 0;
  try {
    for (const extent of await extentsOf(pinned.size, partition, settings.reduces, file.readAt)) {
      for await (const block of blocksOf(extent, file.readAt)) table.fold(block);
      bytes += extent.length;
    }
    cursor.addBytes(bytes);
    return bytes;
  } finally {
    file.close();
  }
}
