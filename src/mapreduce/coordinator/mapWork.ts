/** The work of one map: runs the user's map over its ranges, and writes one file with a segment per reduce. */
import { limits } from "../../model/limits.ts";
import { columnFor } from "../engine/combiners.ts";
import type { Cursor } from "../engine/cursor.ts";
import type { KeyTable } from "../engine/keyTable.ts";
import {
  type Emitter,
  type MapContext,
  type MapFigures,
  runMap,
  type SkippedRecord,
  type UserMap,
} from "../engine/mapRun.ts";
import { byRange } from "../engine/rangePartition.ts";
import { type Partition, ShuffleWriter } from "../engine/shuffleWriter.ts";
import type { ByteSource } from "../engine/wholeLines.ts";
import type { MapReduceJob } from "../job.ts";
import type { JobSettings, MapManifest, PlannedFile, PlannedRange } from "./settings.ts";
import { SkippedWriter } from "./skippedRecords.ts";
import type { JobStore } from "./store.ts";

export interface MapParts {
  readonly settings: JobSettings;
  readonly job: MapReduceJob;
  readonly cursor: Cursor;
  /** Serves one task after the other. */
  readonly table: KeyTable;
  /** Opens an input file. @throws NonRetryableError if it is not the one that was planned */
  readonly open: (file: PlannedFile) => Promise<OpenInput>;
}

/** An input file that is being read. */
export interface OpenInput extends ByteSource {
  close(): Promise<void>;
}

export interface MapWork {
  readonly map: number;
  readonly ranges: readonly PlannedRange[];
  /** Records to leave out, because the map did not survive them: `range:offset`. */
  readonly poison: readonly string[];
}

export async function doMap(
  parts: MapParts,
  store: JobStore,
  { map: index, ranges, poison }: MapWork,
): Promise<MapManifest> {
  const { settings, job } = parts;
  const number = String(index).padStart(5, "0");
  const file = store.create(`map/${number}`);
  const skipped = new SkippedWriter(store, `job/skipped-${number}`);
  try {
    const emitter = new ShuffleWriter({
      table: parts.table,
      partitions: settings.reduces,
      partition: partitionerOf(parts),
      column: columnFor(job.combine),
      memoryBytes: limits.jobMapMemoryBytes,
      codec: settings.compression,
      sink: (bytes) => file.write(bytes),
      aside: (work) => parts.cursor.aside(work),
    });
    const figures = await runRanges(parts, ranges, emitter, new Set(poison), (record) => skipped.add(record));
    const { records: pairs, runs } = emitter.end();
    const skippedFile = await skipped.end();
    const withSkipped = skippedFile === null ? {} : { skippedFile };
    return { map: index, ...(await file.end({ isRemade: true })), ...figures, pairs, runs, ...withSkipped };
  } finally {
    file.abandon();
    skipped.abandon();
  }
}

/** Keys of the first records of each range. */
export async function sampleKeys(parts: MapParts, ranges: readonly PlannedRange[]): Promise<readonly string[]> {
  const keys: string[] = [];
  // The same share of each range: the first ones alone may be far from what follows them.
  const share = Math.max(1, Math.floor(limits.jobSampledKeysMax / Math.max(1, ranges.length)));
  const taken = ranges.map(() => 0);
  const take = (key: string) => {
    const range = parts.cursor.file;
    const count = (taken[range] ?? 0) + 1;
    if (count > share) return;
    taken[range] = count;
    keys.push(key);
  };
  const textOf = (bytes: Uint8Array, start: number, end: number) => Buffer.from(bytes.subarray(start, end)).toString();
  const stageText = (key: string) => () => take(key);
  const emitter: Emitter = {
    emitText: take,
    emitBytes: (bytes, start, end) => take(textOf(bytes, start, end)),
    stageText,
    stageBytes: (bytes, start, end) => stageText(textOf(bytes, start, end)),
  };
  await runRanges(
    { ...parts, settings: { ...parts.settings, skippedMax: null } },
    ranges,
    emitter,
    new Set(),
    () => {},
  );
  return keys;
}

async function runRanges(
  { settings, job, cursor, open }: MapParts,
  ranges: readonly PlannedRange[],
  emitter: Emitter,
  poison: ReadonlySet<string>,
  onSkipped: (record: SkippedRecord) => void,
): Promise<MapFigures> {
  const userMap: UserMap = {
    format: settings.format,
    map: (record: unknown, emit: unknown, ctx: MapContext) => job.map(record as never, emit as never, ctx),
  };
  // One at a time: a map may read a thousand files.
  let opened: OpenInput | null = null;
  const close = async () => {
    const before = opened;
    opened = null;
    await before?.close();
  };
  try {
    return await runMap({
      user: userMap,
      ranges: ranges.map(({ start, end }, index) => ({ file: index, start, end })),
      paths: ranges.map(({ file }) => file.path),
      async open(index) {
        const range = ranges[index];
        if (range === undefined) throw new Error("there is no such range");
        await close();
        opened = await open(range.file);
        return opened;
      },
      emitter,
      cursor,
      params: settings.params,
      skippedMax: settings.skippedMax ?? Number.POSITIVE_INFINITY,
      poison,
      onSkipped,
    });
  } finally {
    await close();
  }
}

function partitionerOf({ settings, job, cursor }: MapParts): Partition | null {
  const { partition, reduces } = settings;
  const own = job.partition;
  if (partition === "hash") return null;
  if (partition === "own" && typeof own === "function") {
    return (bytes, start, end) => cursor.call(() => own(bytes.toString("utf8", start, end), reduces));
  }
  return byRange(settings.boundaries);
}
