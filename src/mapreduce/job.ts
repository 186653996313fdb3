/** `mapReduce`: a job as its users write it, checked and marked so that a worker finds it in a module. */
import { OutlastError } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import { limits } from "../model/limits.ts";
import type { Combine } from "./engine/combiners.ts";
import type { EmitBytes, MapContext } from "./engine/mapRun.ts";
import type { ReduceContext } from "./engine/reduceRun.ts";

/** Marks jobs, so that a worker finds them among a module's exports, also those of another copy of this package. */
export const jobMark: unique symbol = Symbol.for("outlast.map-reduce-job");

export interface Lines {
  readonly format: "lines";
  readonly paths: readonly string[];
}

export interface Chunks {
  readonly format: "chunks";
  readonly paths: readonly string[];
}

/**
 * Text by lines: files, folders, patterns such as `logs/*.log`, http(s) addresses, `s3://bucket/key` (an object, a folder, a pattern), and
 * `job:ID`, the output of another job. What ends in `.gz` or `.zst` is uncompressed, by one map. A line ends at `\n`, or `\r\n`.
 */
export function lines(paths: readonly string[] | string): Lines {
  return { format: "lines", paths: [paths].flat() };
}

/** The same as pieces of about 1 MiB that hold whole lines: for maps that work on bytes. */
export function chunks(paths: readonly string[] | string): Chunks {
  return { format: "chunks", paths: [paths].flat() };
}

export interface JobOutput {
  readonly format: "tsv" | "jsonl";
  readonly folder: string;
}

/** A folder, or `s3://bucket/prefix`, of `part-00000.tsv` …: a line per key and value, tab-separated, sorted by the bytes of the key within each part. */
export function tsv(folder: string): JobOutput {
  return { format: "tsv", folder };
}

/** A folder, or `s3://bucket/prefix`, of `part-00000.jsonl` …: a line `{ "key", "value" }` per key and value. */
export function jsonl(folder: string): JobOutput {
  return { format: "jsonl", folder };
}

/** A combiner that keeps the `count` values with the highest `by`. The value for the key is their list, the highest first. */
export function topK<Value>(count: number, by: (value: Value) => number): { topK: number; by(value: Value): number } {
  return { topK: count, by };
}

/** `sum`, `count`, `max`, `min` of numbers, `topK`, or a function of two values that is associative and commutative. */
export type CombineOption<Value> =
  | "sum"
  | "count"
  | "max"
  | "min"
  | { readonly topK: number; by(value: Value): number }
  | ((one: Value, other: Value) => Value);

interface CommonOptions<Value> {
  /** A letter, then letters, digits and `. _ -`. Unique within its module. */
  readonly name: string;
  /** How many maps; made from the size of the input if left out. */
  readonly maps?: number;
  /** How many reduces, each of which writes one part of the output; 1 if left out. */
  readonly reduces?: number;
  /** May run any number of times, before and after values travel. Without `reduce`, it is the reduce as well. */
  readonly combine?: CombineOption<Value>;
  /**
   * The value for a key; undefined leaves the key out. Called once per key, in the order of the keys' bytes. Without it and without
   * `combine`, every value is written, one a line.
   */
  reduce?(key: string, values: Iterable<Value>, ctx: ReduceContext): unknown;
  /** A whole number from 0 to `reduces - 1`, or `range`: keys are sampled first, and the parts are sorted as a whole. */
  readonly partition?: "range" | ((key: string, reduces: number) => number);
  readonly output: JobOutput;
  /** How many records may throw or be skipped, as a number or as a share such as `1%`; 0 if left out. */
  readonly maxSkipped?: number | `${number}%`;
  /** Of what travels between map and reduce; `zstd` if left out. */
  readonly compression?: "zstd" | "deflate" | "none";
  /**
   * A map or reduce that takes much longer than the others is done by another worker as well, and what is done first counts. True if left
   * out; say false if the functions change something outside of the job.
   */
  readonly backups?: boolean;
  /** A record or key on which the functions spend more time ends the attempt; 60 s if left out. In ms. Reading and writing do not count. */
  readonly recordTimeoutMs?: number;
  /** What the functions find as `ctx.params`. */
  readonly params?: Json;
}

export interface LinesJob<Value> extends CommonOptions<Value> {
  readonly input: Lines;
  map(line: string, emit: (key: string, value: Value) => void, ctx: MapContext): void | Promise<void>;
}

export interface ChunksJob<Value> extends CommonOptions<Value> {
  readonly input: Chunks;
  /** The bytes are valid until the map returns. */
  map(bytes: Buffer, emit: EmitBytes, ctx: MapContext): void | Promise<void>;
}

/** A job as the engine takes it. */
export interface MapReduceJob {
  readonly [jobMark]: true;
  readonly name: string;
  readonly input: Lines | Chunks;
  readonly maps: number | null;
  readonly reduces: number;
  readonly combine: Combine | null;
  readonly partition: "hash" | "range" | ((key: string, reduces: number) => number);
  readonly output: JobOutput;
  readonly maxSkipped: number | string;
  readonly compression: "zstd" | "deflate" | "none";
  readonly backups: boolean;
  readonly recordTimeoutMs: number;
  readonly params: Json;
  readonly map: (input: never, emit: never, ctx: MapContext) => unknown;
  readonly reduce: ((key: string, values: Iterable<never>, ctx: ReduceContext) => unknown) | null;
}

type AnyJobOptions = Omit<CommonOptions<never>, "reduce"> & {
  readonly input: Lines | Chunks;
  readonly map: (input: never, emit: never, ctx: MapContext) => unknown;
  readonly reduce?: (key: string, values: Iterable<never>, ctx: ReduceContext) => unknown;
};

const defaultRecordTimeoutMs = 60_000;

/**
 * Defines a MapReduce job. Export it from a module of its own and run it with `outlast map-reduce FILE`, or with
 * `submitMapReduce`. The module travels to the workers as one file: what it imports from packages travels with it.
 */
export function mapReduce<Value = number>(options: LinesJob<Value>): MapReduceJob;
export function mapReduce<Value = number>(options: ChunksJob<Value>): MapReduceJob;
export function mapReduce(given: unknown): MapReduceJob {
  const options = given as AnyJobOptions;
  const { name, maps = null, reduces = 1, combine = null, reduce, partition = "hash" } = options;
  check(
    /^[A-Za-z][A-Za-z0-9._-]{0,99}$/.test(name),
    "/name",
    "The name of a job is a letter, then letters, digits and . _ -",
  );
  checkCount(maps ?? 1, limits.jobMapsMax, "/maps");
  checkCount(reduces, limits.jobReducesMax, "/reduces");
  check(typeof options.map === "function", "/map", "A job has a function `map`.");
  check(reduce === undefined || typeof reduce === "function", "/reduce", "`reduce` is a function.");
  check(
    options.input.paths.length > 0,
    "/input",
    "A job names at least one file, folder, pattern or address as its input.",
  );
  return {
    [jobMark]: true,
    name,
    input: options.input,
    maps,
    reduces,
    combine,
    partition,
    output: options.output,
    maxSkipped: options.maxSkipped ?? 0,
    compression: options.compression ?? "zstd",
    backups: options.backups ?? true,
    recordTimeoutMs: options.recordTimeoutMs ?? defaultRecordTimeoutMs,
    params: options.params ?? null,
    map: options.map.bind(options),
    reduce: reduce === undefined ? null : reduce.bind(options),
  };
}

/** True for what `mapReduce` returned, in this copy of the package or another. */
export function isJob(value: unknown): value is MapReduceJob {
  return typeof value === "object" && value !== null && (value as { [jobMark]?: unknown })[jobMark] === true;
}

/** The jobs that a module exports, by name. @throws OutlastError if two have one name */
export function jobsIn(exported: { readonly [name: string]: unknown }): Map<string, MapReduceJob> {
  const jobs = new Map<string, MapReduceJob>();
  for (const job of Object.values(exported).filter(isJob)) {
    const other = jobs.get(job.name);
    check(other === undefined || other === job, "/name", `Two jobs of the module are called "${job.name}".`);
    jobs.set(job.name, job);
  }
  return jobs;
}

function checkCount(count: number, max: number, path: string): void {
  check(
    Number.isInteger(count) && count >= 1 && count <= max,
    path,
    `${path.slice(1)} is a whole number from 1 to ${max}.`,
  );
}

function check(isRight: boolean, path: string, message: string): void {
  if (!isRight) throw new OutlastError("invalid", message, { path });
}
