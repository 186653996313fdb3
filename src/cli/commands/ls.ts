/** `outlast ls`: lists tasks, and with --watch keeps the list true. */
import { type Command, Option } from "commander";
import { limits } from "../../model/limits.ts";
import type { TaskDocument } from "../../model/task.ts";
import { isOwnReason, waitingReasons, withAdvice } from "../../model/waiting.ts";
import type { Outlast } from "../../sdk/client.ts";
import type { ListFilter, TaskList } from "../../sdk/lists.ts";
import { stateList, taskArgument, wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { type ListFlags, toFilter } from "../flags.ts";

export function lsCommand(program: Command): void {
  program
    .command("ls")
    .option("--state <states>", "only tasks in these states, separated by commas", stateList)
    .option("--queue <queue>", "only tasks of this queue")
    .option("--name <name>", "only tasks with this name")
    .option("--host <worker>", "only tasks whose current or last attempt is on this worker")
    .option("--parent <id>", "only children of this task", taskArgument)
    .addOption(new Option("--roots", "only tasks without a parent").conflicts("parent"))
    .addOption(
      new Option("--waiting <reason>", "only tasks that wait for this").choices(waitingReasons).conflicts("watch"),
    )
    .option("--limit <n>", "print at most this many", wholeNumber(1, limits.pageMax), limits.pageDefault)
    .option("--all", "print all tasks")
    .option("--watch", "keep running and show changes: a live table in a terminal, otherwise one line per change")
    .action(action(list));
}

async function list(context: Context, flags: ListFlags): Promise<undefined> {
  if (flags.watch === true) {
    const { watch } = await import("../watch.ts");
    return watch(context, flags);
  }
  const client = await context.client();
  const { waiting } = flags;
  const filter = { ...toFilter(flags), ...(waiting !== undefined && { waiting }), signal: context.signal };
  if (flags.all === true) return listAll(context, client.iterate(filter));
  const page = await readPage(client, filter, flags.limit);
  const { output } = context;
  if (output.isJson) return output.document(page) as undefined;
  if (page.tasks.length === 0) return output.note("No tasks.") as undefined;
  const { taskColumns } = await import("../taskText.ts");
  output.table(taskColumns(Date.now()), page.tasks);
  if (page.cursor !== null) output.note(`More tasks match; --all prints all of them.`);
  noteWaiting(context, page.tasks);
}

/** What waits for one reason comes in pages that may be short: they are read until there are enough tasks. */
async function readPage(client: Outlast, filter: ListFilter, limit: number): Promise<TaskList> {
  let page = await client.list({ ...filter, limit });
  const tasks = [...page.tasks];
  while (filter.waiting !== undefined && page.cursor !== null && tasks.length < limit) {
    page = await client.list({ ...filter, limit: limit - tasks.length, cursor: page.cursor });
    tasks.push(...page.tasks);
  }
  return { tasks, cursor: page.cursor };
}

/** One line for each reason that keeps tasks from starting. */
function noteWaiting({ output }: Context, tasks: readonly TaskDocument[]): void {
  const counts = new Map<string, number>();
  for (const { waiting } of tasks) {
    // What a task waits for by itself is its own; `outlast show` says it.
    if (waiting === undefined || isOwnReason(waiting.reason)) continue;
    const why = withAdvice(waiting);
    counts.set(why, (counts.get(why) ?? 0) + 1);
  }
  for (const [why, count] of counts)
    output.note(`${count} ${count === 1 ? "waits" : "wait"}: ${why.replace(/^waits /, "")}`);
}

/** Prints page by page: a million tasks need not be held at once. Columns are as wide as each page needs. */
async function listAll(context: Context, tasks: AsyncIterable<TaskDocument>): Promise<undefined> {
  const { output } = context;
  const { taskColumns } = await import("../taskText.ts");
  let page: TaskDocument[] = [];
  let isFirst = true;
  const flush = () => {
    if (page.length > 0) output.table(taskColumns(Date.now()), page, isFirst);
    isFirst = false;
    page = [];
  };
  for await (const task of tasks) {
    if (output.isJson) output.jsonLine(task);
    else if (page.push(task) >= limits.pageMax) flush();
  }
  flush();
}
