/** `outlast queues`: lists the queues, pauses and resumes them. */
import type { Command } from "commander";
import type { QueueView } from "../../model/worker.ts";
import { idArgument } from "../arguments.ts";
import { action, type Context } from "../context.ts";
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
  { title: "WORKERS", text: (queue) => String(queue.workers), isRightAligned: true },
  ...["created", "running", "retrying", "killed", "success", "failed", "cancelled"].map(
    (state): Column<QueueView> => ({ title: state.toUpperCase(), text: count(state), isRightAligned: true }),
  ),
];
