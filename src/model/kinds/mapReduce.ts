/** The kind `map-reduce`: a job of maps and reduces. Its tasks run in `src/mapreduce/slot/tasks.ts`; maps and reduces are its children. */
import type { Json } from "../json.ts";
import { limits } from "../limits.ts";
import { anything, closed, limitKeyword, list, oneOf, type Schema, truth, whole } from "../schema.ts";
import { isObject, type KindDefinition } from "./kind.ts";

export const mapReduceKindName = "map-reduce";
/** The kinds of its children. No handler may take their names. */
export const mapKindName = "map-reduce.map";
export const reduceKindName = "map-reduce.reduce";

export interface MapReduceInput {
  /** The module that holds the job, bundled into one file. Every attempt of the job runs these bytes. */
  readonly code: {
    readonly sha256: string;
    readonly text: string;
  };
  /** The name of the job in the module. */
  readonly job: string;
  readonly input: {
    readonly format: "lines" | "chunks";
    /** Files, folders, patterns, http(s) and s3:// addresses; what ends in .gz or .zst is read as the text in it. Paths are absolute, and the same on every worker. */
    readonly paths: readonly string[];
  };
  /** Made from the size of the input if left out. */
  readonly maps?: number;
  readonly reduces: number;
  readonly output: {
    readonly format: "tsv" | "jsonl";
    /** Absolute, and the same on every worker, or `s3://BUCKET/PREFIX`. Holds what is between map and reduce, too, as long as the job runs. */
    readonly folder: string;
    /** Replace the output of an earlier job; without it such a folder is refused. */
    readonly overwrite?: boolean;
  };
  /** `hash` of the key, the job's `own` function, or `range`: the parts are sorted as a whole. */
  readonly partition: "hash" | "own" | "range";
  /** How many records may be left out: a number, or a share of all such as `1%`. */
  readonly maxSkipped?: number | string;
  readonly compression?: "zstd" | "deflate" | "none";
  /** A map or reduce that takes much longer than the others is done by another worker as well; true if left out. */
  readonly backups?: boolean;
  /** A record that takes longer ends its attempt. */
  readonly recordTimeoutMs?: number;
  /** What the functions of the job find as `ctx.params`. */
  readonly params?: Json;
}

const path: Schema = { type: "string", minLength: 1, maxLength: 4096 };

export const mapReduceKind: KindDefinition = {
  name: mapReduceKindName,
  // When a job fails it removes its files, and what it remembers is about them.
  beginsAnew: true,
  childrenShareItsLane: true,
  inputName: "MapReduceInput",
  inputSchema: closed(
    {
      code: closed({
        sha256: { type: "string", pattern: "^[0-9a-f]{64}$" },
        text: { type: "string", maxLength: limits.jobCodeBytesMax, [limitKeyword]: "jobCodeBytesMax" },
      }),
      job: { type: "string", minLength: 1, maxLength: limits.nameLengthMax, [limitKeyword]: "nameLengthMax" },
      input: closed({
        format: oneOf(["lines", "chunks"]),
        paths: list(path, { minItems: 1, maxItems: limits.jobPathsMax, [limitKeyword]: "jobPathsMax" }),
      }),
      reduces: whole(1, limits.jobReducesMax, "jobReducesMax"),
      output: closed({ format: oneOf(["tsv", "jsonl"]), folder: path }, { overwrite: truth }),
      partition: oneOf(["hash", "own", "range"]),
    },
    {
      maps: whole(1, limits.jobMapsMax, "jobMapsMax"),
      maxSkipped: {
        type: ["integer", "string"],
        minimum: 0,
        pattern: "^[0-9]{1,2}([.][0-9]{1,3})?%$",
        description: "A number of records, or a share such as `1%`.",
      },
      compression: oneOf(["zstd", "deflate", "none"]),
      backups: truth,
      recordTimeoutMs: whole(1, limits.durationMsMax, "durationMsMax"),
      params: anything,
    },
  ),
  describe({ job, input, reduces }) {
    if (typeof job !== "string" || typeof reduces !== "number") return null;
    const paths = isObject(input) ? input["paths"] : null;
    const [first] = Array.isArray(paths) ? paths : [];
    return typeof first === "string" ? `map-reduce ${job} over ${first}, ${reduces} reduces` : null;
  },
};
