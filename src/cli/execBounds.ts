/** Options of `outlast submit exec` that bound the command. */
import { Option } from "commander";
import type { ExecInput } from "../model/kinds/exec.ts";
import { limits } from "../model/limits.ts";
import { bytes, wholeNumber } from "./arguments.ts";

export interface ExecBoundFlags {
  readonly memoryMax?: number;
  readonly processesMax?: number;
}

export function memoryMaxOption(): Option {
  const text =
    "exec, container: memory that it may use with all that it starts, or each of its processes: 512MiB, 2GiB";
  return new Option("--memory-max <size>", text).argParser(bytes);
}

export function processesMaxOption(): Option {
  const text =
    "exec, container: processes and threads that it may be at a time; exec waits for a worker that can bound that";
  return new Option("--processes-max <n>", text).argParser(wholeNumber(1, limits.execProcessesMax));
}

export function boundsOf({
  memoryMax,
  processesMax,
}: ExecBoundFlags): Pick<ExecInput, "memoryBytesMax" | "processesMax"> {
  return {
    ...(memoryMax === undefined ? {} : { memoryBytesMax: memoryMax }),
    ...(processesMax === undefined ? {} : { processesMax }),
  };
}
