/** What a finished job says of itself: the output of its task, and the head of `_manifest.json`. */
import type { MapReduceInput } from "../../model/kinds/mapReduce.ts";
import { limits } from "../../model/limits.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { BadCounter, Counters } from "../engine/counters.ts";
import type { SkippedRecord } from "../engine/mapRun.ts";
import type { MapManifest, PartManifest, Plan, SkippedFile } from "./settings.ts";
import { skippedName } from "./skippedRecords.ts";

export interface JobSummary {
  /** The id of the task. */
  readonly job: string;
  readonly name: string;
  readonly folder: string;
  readonly maps: number;
  /** Maps that ran again because their output was lost. */
  readonly mapsAgain: number;
  /** Maps and reduces that took so much longer than the others that a backup did their work. */
  readonly backups: number;
  readonly reduces: number;
  readonly inputFiles: number;
  readonly inputBytes: number;
  /** Records that maps were given, skipped ones included. */
  readonly records: number;
  readonly skipped: number;
  readonly skippedRecords: readonly SkippedRecord[];
  /** The file of the output that holds them, and how many of them; missing if there were none. */
  readonly skippedFile?: {
    readonly name: string;
    readonly size: number;
    readonly sha256: string;
    readonly records: number;
  };
  /** Keys with their combined values, from maps to reduces. */
  readonly pairs: number;
  readonly shuffledBytes: number;
  readonly keys: number;
  readonly outputRecords: number;
  readonly outputBytes: number;
  /** The largest part of the output over the average; 1 if all are the same. */
  readonly skew: number;
  /** Where values are not combined: the key with the most values, and its share of all of them. */
  readonly maxKey?: string;
  readonly maxKeyShare?: number;
  readonly counters: { readonly [name: string]: number };
  /** From the plan to the last map, and from there to the last reduce; by workers' clocks. */
  readonly mapMs: number;
  readonly reduceMs: number;
}

export interface SummaryParts {
  readonly id: string;
  readonly input: MapReduceInput;
  readonly plan: Plan;
  readonly maps: readonly MapManifest[];
  readonly parts: readonly PartManifest[];
  readonly skippedFile: SkippedFile | null;
  readonly mapsAgain: number;
  readonly byBackup: number;
  readonly startedAt: number;
  readonly mappedAt: number;
  readonly endedAt: number;
}

export function summaryOf(job: SummaryParts): JobSummary {
  const { id, input, plan, maps, parts, skippedFile, mapsAgain, byBackup, startedAt, mappedAt, endedAt } = job;
  const outputBytes = sum(parts, ({ size }) => size);
  const largest = Math.max(...parts.map(({ size }) => size));
  return {
    job: id,
    name: input.job,
    folder: input.output.folder,
    maps: plan.maps,
    mapsAgain,
    backups: byBackup,
    reduces: parts.length,
    inputFiles: plan.files,
    inputBytes: plan.bytes,
    records: sum(maps, ({ records }) => records),
    skipped: sum(maps, ({ skipped }) => skipped),
    skippedRecords: maps.flatMap(({ skippedRecords }) => skippedRecords).slice(0, limits.problemsShownMax),
    ...(skippedFile !== null && { skippedFile: { ...skippedFile, name: skippedName } }),
    pairs: sum(maps, ({ pairs }) => pairs),
    shuffledBytes: sum(parts, ({ shuffledBytes }) => shuffledBytes),
    keys: sum(parts, ({ keys }) => keys),
    outputRecords: sum(parts, ({ records }) => records),
    outputBytes,
    skew: outputBytes === 0 ? 1 : Math.round((100 * largest * parts.length) / outputBytes) / 100,
    ...loadOf(parts),
    counters: countersOf([...maps, ...parts]),
    mapMs: Math.max(0, mappedAt - startedAt),
    reduceMs: Math.max(0, endedAt - mappedAt),
  };
}

type Counts = { readonly [name: string]: number };

/** The sums of all of them. @throws NonRetryableError if they have too many names together: each may have had few */
export function countersOf(counted: readonly { readonly counters: Counts }[]): Counts {
  const sums = new Counters();
  try {
    for (const { counters } of counted) sums.addAll(counters);
  } catch (error) {
    throw error instanceof BadCounter ? new NonRetryableError(error.message, { cause: error }) : error;
  }
  return sums.toJson();
}

function loadOf(parts: readonly PartManifest[]): Pick<JobSummary, "maxKey" | "maxKeyShare"> {
  const loads = parts.flatMap(({ load }) => (load === undefined ? [] : [load]));
  const values = sum(loads, (load) => load.values);
  if (values === 0) return {};
  const { maxKey, maxKeyValues } = loads.reduce((one, other) => (other.maxKeyValues > one.maxKeyValues ? other : one));
  return { maxKey, maxKeyShare: Math.round((1000 * maxKeyValues) / values) / 1000 };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
