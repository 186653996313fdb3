/** Says why a task does not run yet, in one sentence: from the task itself, its queue, and the workers that serve it. */
import { OutlastError } from "../model/errors.ts";
import { kindsOfOldWorkers } from "../model/kinds/table.ts";
import { limits } from "../model/limits.ts";
import { isFinal, type TaskDocument } from "../model/task.ts";
import type { QueueView, WorkerView } from "../model/worker.ts";
import type { Outlast } from "../sdk/client.ts";
import { formatDuration, formatInstant } from "./duration.ts";

export interface Waiting {
  readonly reason:
    | "due-later"
    | "children"
    | "sleep"
    | "signal"
    | "descendants"
    | "back-off"
    | "queue-paused"
    | "no-worker"
    | "no-able-worker"
    | "workers-away"
    | "workers-busy"
    | "queue-full"
    | "queue-rate"
    | "key"
    | "next-in-line"
    | "no-leader";
  readonly message: string;
  /** Not before this instant, where the wait has an end that is known. */
  readonly until?: number;
}

/** What the leader knows of queues and workers; null while nobody leads. */
export interface Surroundings {
  readonly queues: readonly QueueView[];
  readonly workers: readonly WorkerView[];
}

/** Null for a task that runs or has ended. */
export function whyWaiting(task: TaskDocument, around: Surroundings | null, now: number): Waiting | null {
  if (!isWaiting(task)) return null;
  if (task.retryAt !== undefined && task.retryAt > now) {
    const after = task.state === "retrying" ? "a failure" : `${task.losses ?? 1} losses of its worker in a row,`;
    return {
      reason: "back-off",
      message: `waits for its retry after ${after} until ${at(task.retryAt, now)}`,
      until: task.retryAt,
    };
  }
  if (task.state === "created" && task.startAt !== null && task.startAt > now)
    return { reason: "due-later", message: `starts later, ${at(task.startAt, now)}`, until: task.startAt };
  const own = whatItWaitsFor(task, now);
  if (own !== null) return own;
  const why = whyQueueWaits(task.queue, around);
  if (why.reason === "queue-paused") return why;
  const unable = whyNobodyIsAble(task, around);
  if (unable !== null) return unable;
  // It could start as far as its queue and the workers go: then it is its key that has no room, if it has one.
  const { concurrencyKey, concurrencyMax = 1 } = task;
  if (why.reason !== "next-in-line" || concurrencyKey === undefined) return why;
  const message = `only ${concurrencyMax} ${concurrencyMax === 1 ? "task" : "tasks"} with the key ${JSON.stringify(concurrencyKey)} may run at a time`;
  return { reason: "key", message };
}

/** What a suspended handler waits for; null if nothing of that keeps the task from running. */
function whatItWaitsFor({ state, family }: TaskDocument, now: number): Waiting | null {
  if (state !== "waiting" || family === undefined || family.isWoken === true) return null;
  if (family.ending !== undefined)
    return { reason: "descendants", message: `its descendants have to end before it ends as ${family.ending}` };
  const waits = family.waits ?? [];
  const texts = waits.slice(0, limits.problemsShownMax).map((wait) => {
    if (wait.kind === "children") return `the children of ${JSON.stringify(wait.key)}`;
    if (wait.kind === "sleep") return `the end of its sleep, ${at(wait.until, now)}`;
    const until = wait.until === undefined ? "" : `, until ${at(wait.until, now)}`;
    return `the signal ${JSON.stringify(wait.name)}${until}`;
  });
  const rest = waits.length - texts.length;
  const [first] = waits;
  if (first === undefined) return null;
  const message = `waits for ${texts.join(" or ")}${rest > 0 ? ` or ${rest} more` : ""}`;
  return {
    reason: first.kind,
    message,
    ...(first.kind !== "children" && first.until !== undefined && { until: first.until }),
  };
}

/** Null if a worker that serves the task's queue can also run its kind and carries the labels that it requires. */
function whyNobodyIsAble({ kind, queue, requires = [] }: TaskDocument, around: Surroundings | null): Waiting | null {
  const connected = around?.workers.filter(({ state, queues }) => state === "connected" && queues.includes(queue));
  if (connected === undefined || connected.length === 0) return null;
  const able = connected.filter(({ kinds = kindsOfOldWorkers }) => kinds.includes(kind));
  if (able.length === 0)
    return { reason: "no-able-worker", message: `no connected worker of queue ${queue} runs kind "${kind}"` };
  if (able.some(({ labels = [] }) => requires.every((label) => labels.includes(label)))) return null;
  const message = `no connected worker of queue ${queue} that runs kind "${kind}" carries ${requires.join(", ")}`;
  return { reason: "no-able-worker", message };
}

export function isWaiting(task: Pick<TaskDocument, "state">): boolean {
  return !isFinal(task.state) && task.state !== "running";
}

/** Why the first task in line of this queue has not started. */
export function whyQueueWaits(name: string, around: Surroundings | null): Waiting {
  if (around === null) return { reason: "no-leader", message: "no master leads at the moment" };
  const queue = around.queues.find((each) => each.name === name);
  if (queue?.isPaused === true)
    return { reason: "queue-paused", message: `queue ${name} is paused; outlast queues resume ${name}` };
  const serving = around.workers.filter(
    (worker) => worker.queues.includes(name) && (worker.state === "connected" || worker.state === "suspect"),
  );
  if (serving.length === 0)
    return { reason: "no-worker", message: `no worker serves queue ${name}; outlast worker --queues ${name}` };
  const able = serving.filter((worker) => worker.state === "connected" && !worker.isDraining);
  const away = awayText(serving);
  if (able.length === 0)
    return { reason: "workers-away", message: `no worker of queue ${name} takes new tasks: ${away}` };
  const used = able.reduce((sum, worker) => sum + worker.running, 0);
  const slots = able.reduce((sum, worker) => sum + worker.capacity, 0);
  const limited = queue === undefined ? null : whyLimited(queue);
  if (limited !== null) return limited;
  if (used < slots) return { reason: "next-in-line", message: "it is the next to start" };
  const rest = away === "" ? "" : `, ${away}`;
  return {
    reason: "workers-busy",
    message: `all workers of queue ${name} are busy (${used} of ${slots} slots)${rest}`,
  };
}

/** What the limits of its queue say; null if they leave room. */
function whyLimited({ name, tasks, concurrencyMax, rate }: QueueView): Waiting | null {
  const running = tasks["running"] ?? 0;
  if (concurrencyMax !== undefined && running >= concurrencyMax)
    return {
      reason: "queue-full",
      message: `queue ${name} runs ${concurrencyMax} tasks at a time, and ${running} run`,
    };
  if (rate === undefined) return null;
  const time = formatDuration(rate.perMs);
  return { reason: "queue-rate", message: `queue ${name} starts at most ${rate.count} tasks in ${time}` };
}

/** Asks the leader once: the answer is optional. */
export async function lookAround(client: Outlast, signal: AbortSignal): Promise<Surroundings | null> {
  try {
    const [queues, workers] = await Promise.all([client.queues({ signal }), client.workers({ signal })]);
    return { queues, workers };
  } catch (error) {
    if (error instanceof OutlastError && (error.code === "unavailable" || error.code === "not-leader")) return null;
    throw error;
  }
}

function awayText(workers: readonly WorkerView[]): string {
  const suspect = workers.filter((worker) => worker.state === "suspect").length;
  const draining = workers.filter((worker) => worker.state === "connected" && worker.isDraining).length;
  return [draining > 0 ? `${draining} draining` : "", suspect > 0 ? `${suspect} silent` : ""]
    .filter((part) => part !== "")
    .join(", ");
}

function at(instant: number, now: number): string {
  return `${formatInstant(instant)} (in ${formatDuration(instant - now)})`;
}
