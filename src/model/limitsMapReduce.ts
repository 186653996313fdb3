/** Bounds of MapReduce jobs. They are part of `limits`. */
import { kibibyte, mebibyte } from "./units.ts";

export const mapReduceLimits = {
  jobMapsMax: 100_000,
  jobReducesMax: 10_000,
  /** Paths and patterns that a job names, and files that they lead to. */
  jobPathsMax: 1_000,
  jobFilesMax: 100_000,
  /** The bundled module of a job. */
  jobCodeBytesMax: 512 * kibibyte,
  jobKeyBytesMax: 1 * mebibyte,
  /** A longer line is left out like any other bad record. */
  jobLineBytesMax: 16 * mebibyte,
  /** Input is read in pieces of this size, which is also about what a map of chunks is given. */
  jobChunkBytes: 1 * mebibyte,
  jobCountersMax: 500,
  /** Skipped records that each map reports, and how much of each. */
  jobSkippedShownMax: 5,
  jobRecordShownBytesMax: 200,
  /** What is kept of skipped records in a file: of each, by each map, and of the job as a whole. */
  jobSkippedRecordBytesMax: 4 * kibibyte,
  jobMapSkippedBytesMax: 1 * mebibyte,
  jobSkippedBytesMax: 16 * mebibyte,
  /** A longer reason, or message of an error, is cut. In characters. */
  jobSkipReasonLengthMax: 500,
  /** What the table of a map, and that of a reduce, may take up before it is written away. */
  jobMapMemoryBytes: 64 * mebibyte,
  jobReduceMemoryBytes: 128 * mebibyte,
  /** The heap of the thread that runs a job's functions. */
  jobHeapMiBMax: 1024,
  /** A map is not divided below or beyond this, where the job does not say how many maps it has. */
  jobRangeBytesMin: 1 * mebibyte,
  jobRangeBytesMax: 64 * mebibyte,
  /** The ranges of one map, as JSON in its input. */
  jobRangesBytesMax: 128 * kibibyte,
  /** How often lost or damaged output of maps is made again in one job. */
  jobLossesMax: 5,
  /** Keys that are looked at to divide them into ranges. */
  jobSampledKeysMax: 20_000,
} as const;
