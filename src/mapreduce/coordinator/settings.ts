/** What the tasks of a job give to each other: its settings and plan, and the manifests of maps and reduces. */
import type { Json } from "../../model/json.ts";
import type { MapReduceInput } from "../../model/kinds/mapReduce.ts";
import type { ByteRange, InputFile } from "../engine/byteRanges.ts";
import type { MapFigures } from "../engine/mapRun.ts";
import type { KeyLoad } from "../engine/reduceTable.ts";
import type { Codec } from "../engine/segment.ts";
import type { FileRef } from "./store.ts";

/** What the first step of a job remembers. */
export interface Plan {
  readonly maps: number;
  /** Of the input. */
  readonly bytes: number;
  readonly files: number;
  /** `PlannedFile[]`. */
  readonly input: FileRef;
  readonly code: FileRef;
  /** For the partition `range`: the keys at which partitions begin. */
  readonly boundaries: readonly string[];
}

/** A file as it was when the job was planned. */
export interface PlannedFile extends InputFile {
  /**
   * Another version has another text: the time of the last change, or an ETag; empty if nobody tells. Of a whole file, how it is read
   * stands before it: a worker of an earlier version, which would take compressed bytes for lines, finds another version and refuses.
   */
  readonly version: string;
  readonly compression?: Compression;
  /** An address whose server gives no parts of it. */
  readonly isStream?: true;
}

export type Compression = "gzip" | "zstd";

/** The range of a file, with the file. */
export interface PlannedRange extends Omit<ByteRange, "file"> {
  readonly file: PlannedFile;
}

/** What all tasks of a job have in common. */
export interface JobSettings {
  readonly id: string;
  /** The folder of the output. */
  readonly folder: string;
  readonly code: FileRef;
  /** The name of the job in its module. */
  readonly job: string;
  readonly format: "lines" | "chunks";
  readonly outputFormat: "tsv" | "jsonl";
  readonly reduces: number;
  readonly partition: "hash" | "own" | "range";
  readonly boundaries: readonly string[];
  readonly compression: Codec;
  /** So many records may be skipped by one map; null for no bound. */
  readonly skippedMax: number | null;
  readonly recordTimeoutMs: number;
  readonly params: Json;
}

export interface MapInput {
  readonly settings: JobSettings;
  readonly map: number;
  readonly ranges: readonly PlannedRange[];
}

/** What a map leaves: its committed result is what reduces read. */
export interface MapManifest extends FileRef, MapFigures {
  readonly map: number;
  /** Pairs in the file, after combining. */
  readonly pairs: number;
  readonly runs: number;
  /** What it has skipped; missing if that is nothing. */
  readonly skippedFile?: SkippedFile;
}

/** A file of skipped records, one a line as JSON. */
export interface SkippedFile extends FileRef {
  /** How many it holds: of very many, only the first. */
  readonly records: number;
}

export interface ReduceInput {
  readonly settings: JobSettings;
  readonly partition: number;
  /** `PinnedFile[]`: the committed output of each map, and no other. */
  readonly manifests: FileRef;
}

/** What a reduce must know of the output of a map. */
export type PinnedFile = Pick<MapManifest, "map" | "name" | "size">;

/** A part of the output, before it is promoted. */
export interface PartManifest extends FileRef {
  readonly partition: number;
  /** Lines. */
  readonly records: number;
  readonly keys: number;
  /** Bytes read from the maps. */
  readonly shuffledBytes: number;
  readonly counters: { readonly [name: string]: number };
  /** Missing where values are combined. */
  readonly load?: KeyLoad;
}

export type ReduceResult =
  | { readonly part: PartManifest }
  /** The output of these maps is gone or damaged. They must run again, and then this reduce. */
  | { readonly lost: readonly number[]; readonly reason: string };

const defaultRecordTimeoutMs = 60_000;

export function settingsOf(id: string, input: MapReduceInput, plan: Pick<Plan, "code" | "boundaries">): JobSettings {
  const { maxSkipped = 0 } = input;
  return {
    id,
    folder: input.output.folder,
    code: plan.code,
    job: input.job,
    format: input.input.format,
    outputFormat: input.output.format,
    reduces: input.reduces,
    partition: input.partition,
    boundaries: plan.boundaries,
    compression: input.compression ?? "zstd",
    skippedMax: typeof maxSkipped === "number" ? maxSkipped : null,
    recordTimeoutMs: input.recordTimeoutMs ?? defaultRecordTimeoutMs,
    params: input.params ?? null,
  };
}
