/** `outlast queues`: lists the queues, pauses, resumes and limits them. */
import type { Command } from "commander";
import { limits } from "../../model/limits.ts";
import type { QueueRate, QueueView } from "../../model/worker.ts";
import { idArgument, orNone, rateArgument, wholeNumber } from "../arguments.ts";
import { action, type Context } from "../context.ts";
import { formatDuration } from "../duration.ts";
import { UsageError } from "../failure.ts";
import type { Column } from "../table.ts";

export function queuesCommand(program: Command): void {
  const queues = program.command("queues");
  queues.command("list", { isDefault: true }).description("list the queues").action(action(listQueues));
  queues
    .command("pause")
    .description("start no more tasks of a queue; running ones continue")
    .argument("<name>", "name of the queue", idArgument)
    .action(action((context, name: string) => setQueue(context, name, "pause")));
  queues
    .command("resume")
    .description("start tasks of a queue again")
    .argument("<name>", "name of the queue", idArgument)
    .action(action((context, name: string) => setQueue(context, name, "resume")));
  queues
    .command("limit")
    .description("bound how many tasks of a queue run at a time, or are started in a time; what runs goes on")
    .argument("<name>", "name of the queue", idArgument)
    .option(
      "--concurrency <n>",
      'how many of its tasks run at a time, or "none"',
      orNone(wholeNumber(1, limits.concurrencyMaxMax)),
    )
    .option("--rate <count/time>", 'how many are started in a time, such as 100/1m, or "none"', orNone(rateArgument))
    .action(action(limitQueue));
}

interface LimitFlags {
  readonly concurrency?: number | "none";
  readonly rate?: QueueRate | "none";
}

async function limitQueue(context: Context, name: string, flags: LimitFlags): Promise<undefined> {
  const concurrency = flags.concurrency === "none" ? null : flags.concurrency;
  const rate = flags.rate === "none" ? null : flags.rate;
  if (concurrency === undefined && rate === undefined)
    throw new UsageError("Say --concurrency or --rate.", "`none` takes a limit away.");
  const bounds = {
    ...(concurrency !== undefined && { concurrencyMax: concurrency }),
    ...(rate !== undefined && { rate }),
  };
  const client = await context.client();
  await client.limitQueue(name, bounds, { signal: context.signal });
  if (context.output.isJson) return context.output.document({ name, ...bounds }) as undefined;
  const { output } = context;
  if (concurrency === null) output.line(`${name} runs any number of tasks`);
  else if (concurrency !== undefined)
    output.line(`${name} runs at most ${concurrency} ${concurrency === 1 ? "task" : "tasks"} at a time`);
  if (rate === null) output.line(`${name} starts tasks at any rate`);
  else if (rate !== undefined) output.line(`${name} starts at most ${rateText(rate)}`);
}

function rateText({ count, perMs }: QueueRate): string {
  return `${count} ${count === 1 ? "task" : "tasks"} in ${formatDuration(perMs)}`;
}

async function listQueues(context: Context): Promise<undefined> {
  const client = await context.client();
  const queues = await client.queues({ signal: context.signal });
  const { output } = context;
  if (output.isJson) return output.document({ queues }) as undefined;
  if (queues.length === 0)
    return output.note("There are no queues yet. The first task of a queue creates it.") as undefined;
  output.table(columns, queues);
}

async function setQueue(context: Context, name: string, verb: "pause" | "resume"): Promise<undefined> {
  const client = await context.client();
  const { signal } = context;
  const isKnown = (await client.queues({ signal })).some((queue) => queue.name === name);
  await client[verb](name, { signal });
  const isPaused = verb === "pause";
  if (context.output.isJson) context.output.document({ name, isPaused });
  else context.output.line(`${name} ${isPaused ? "is paused" : "goes on"}`);
  if (!isKnown) context.output.note(`Queue ${name} has no tasks yet${isPaused ? ". It is paused now" : ""}.`);
}

const count = (state: string) => (queue: QueueView) => String(queue.tasks[state] ?? 0);

const columns: readonly Column<QueueView>[] = [
  { title: "QUEUE", text: (queue) => queue.name, isElastic: true },
  {
    title: "STATE",
    text: (queue) => (queue.isPaused ? "paused" : "open"),
    colour: (queue) => (queue.isPaused ? "yellow" : null),
  },
  {
    title: "LIMITS",
    text: ({ concurrencyMax, rate }) =>
      [
        ...(concurrencyMax === undefined ? [] : [`${concurrencyMax} at a time`]),
        ...(rate === undefined ? [] : [rateText(rate)]),
      ].join(", "),
  },
  { title: "WORKERS", text: (queue) => String(queue.workers), isRightAligned: true },
  ...["created", "running", "retrying", "killed", "success", "failed", "cancelled"].map(
    (state): Column<QueueView> => ({ title: state.toUpperCase(), text: count(state), isRightAligned: true }),
  ),
];
