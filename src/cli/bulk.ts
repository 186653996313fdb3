/** The options and the output of commands that work on many tasks by a filter. */

import { type Command, Option } from "commander";
import { counted } from "../model/counted.ts";
import type { BulkFilter, BulkItem } from "../sdk/bulk.ts";
import { stateList, taskArgument } from "./arguments.ts";
import type { Context } from "./context.ts";
import { type ExitCode, exitCodes } from "./exitCodes.ts";
import { UsageError } from "./failure.ts";
import { type FilterFlags, toFilter } from "./flags.ts";

export interface BulkFlags extends FilterFlags {
  readonly dryRun: boolean;
}

export function bulkOptions(command: Command): Command {
  return command
    .option("--state <states>", "tasks in these states, separated by commas", stateList)
    .option("--queue <queue>", "tasks of this queue")
    .option("--name <name>", "tasks with this name")
    .option("--host <worker>", "tasks whose current or last attempt is on this worker")
    .option("--dry-run", "only show which tasks match", false);
}

/** For what may be done to a part of a family. */
export function familyOptions(command: Command): Command {
  return command
    .option("--parent <id>", "children of this task", taskArgument)
    .addOption(new Option("--roots", "tasks without a parent").conflicts("parent"));
}

/**
 * The filter that the options make; null if they make none.
 * @param ids null where only a filter says which tasks are meant
 * @throws UsageError for ids and a filter together, or for neither
 */
export function bulkFilter(ids: readonly string[] | null, flags: BulkFlags): BulkFilter | null {
  const filter = toFilter(flags);
  const hasFilter = Object.keys(filter).length > 0;
  if (hasFilter && ids !== null && ids.length > 0)
    throw new UsageError("Give either ids or a filter.", "Run it once for each of them.");
  if (hasFilter) return filter;
  if (ids === null) throw new UsageError("No filter is given.", "Give one, such as --state failed or --name nightly.");
  if (ids.length === 0) throw new UsageError("No task is named.", "Give ids, or a filter such as --queue or --name.");
  if (flags.dryRun) throw new UsageError("--dry-run is for a filter.", "Leave it out, or give --queue or --name.");
  return null;
}

/** Prints what has happened to each task. Those that are refused do not keep the others from it. */
export async function printBulk(
  { output }: Context,
  items: AsyncIterable<BulkItem>,
  done: "cancelled" | "deleted" | "retried",
  isDryRun: boolean,
): Promise<ExitCode> {
  const all: BulkItem[] = [];
  let count = 0;
  let refused = 0;
  try {
    for await (const item of items) {
      if (item.refused === undefined) count += 1;
      else refused += 1;
      if (output.isJson) all.push(item);
      else if (item.refused !== undefined) output.complain(`${item.id}: ${item.refused}`, item.hint);
      else output.line(`${item.id} ${output.paint("dim", isDryRun ? `would be ${done}` : done)}`);
    }
  } catch (error) {
    if (count > 0 && !isDryRun)
      output.note(
        `${counted(count, "task")} ${count === 1 ? "was" : "were"} ${done} until then. Run it again for the rest.`,
      );
    throw error;
  }
  if (output.isJson) output.document({ isDryRun, tasks: all });
  else output.note(`${counted(count, "task")} ${isDryRun ? "would be " : ""}${done}.`);
  return refused === 0 ? exitCodes.ok : exitCodes.failed;
}
