/** What a slot's process and its thread for user code say to each other. */
import type { Json } from "../../model/json.ts";
import type { ByteRange } from "../engine/byteRanges.ts";
import type { MapFigures } from "../engine/mapRun.ts";
import type { Codec } from "../engine/segment.ts";
import type { PlannedFile } from "./inputFiles.ts";
import type { FileRef } from "./jobFiles.ts";

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
  /** For `range`: the keys at which partitions begin. */
  readonly boundaries: readonly string[];
  readonly compression: Codec;
  /** So many records may be skipped by one map; null for no bound. */
  readonly skippedMax: number | null;
  readonly recordTimeoutMs: number;
  readonly params: Json;
}

/** The range of a file, with the file. */
export interface PlannedRange extends Omit<ByteRange, "file"> {
  readonly file: PlannedFile;
}

export type ThreadTask =
  | {
      readonly kind: "map";
      readonly map: number;
      readonly ranges: readonly PlannedRange[];
      readonly poison: readonly string[];
    }
  | { readonly kind: "reduce"; readonly partition: number; readonly manifests: FileRef }
  | { readonly kind: "sample"; readonly ranges: readonly PlannedRange[] }
  | { readonly kind: "check" };

/** What a map leaves: its committed result is what reduces read. */
export interface MapManifest extends FileRef, MapFigures {
  readonly map: number;
  /** Pairs in the file, after combining. */
  readonly pairs: number;
  readonly runs: number;
}

/** A part of the output, before it is promoted. */
export interface PartManifest extends FileRef {
  readonly partition: number;
  /** Lines. */
  readonly records: number;
  readonly keys: number;
  /** Bytes read from the maps. */
  readonly shuffledBytes: number;
  readonly counters: { readonly [name: string]: number };
}

export type ReduceResult =
  | { readonly part: PartManifest }
  /** The output of these maps is gone or damaged. They must run again, and then this reduce. */
  | { readonly lost: readonly number[]; readonly reason: string };

export type ThreadResult = MapManifest | ReduceResult | { readonly keys: readonly string[] } | null;

export interface ToThread {
  readonly settings: JobSettings;
  readonly task: ThreadTask;
}

export type FromThread = { readonly result: ThreadResult } | { readonly failure: ThreadFailure };

export interface ThreadFailure {
  /** `record`: user code threw on a record. `final`: another attempt makes no sense. */
  readonly kind: "record" | "final" | "error";
  readonly message: string;
  /** With the user's stack. */
  readonly log: string;
}
