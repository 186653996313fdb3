/** Bounds of commands that tasks of kind `exec` run. Part of `limits`. */
import { mebibyte, tebibyte } from "./units.ts";

export const execLimits = {
  execArgumentsMax: 1000,
  execEnvironmentMax: 200,
  /** Less, and a shell does not even start. */
  execMemoryBytesMin: 4 * mebibyte,
  execMemoryBytesMax: 16 * tebibyte,
  execProcessesMax: 4_194_304,
} as const;
