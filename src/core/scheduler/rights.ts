/** What an actor may not see is unknown to it, and what it may not change is refused, whatever the input asks for. */
import type { TaskId, WorkerId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { type Actor, coversQueue } from "../../model/principals/principal.ts";
import type { WebhookRecord } from "../../model/webhooks/webhook.ts";
import type { Reply } from "./effects.ts";
import type { FinishedTree, SchedulerInput } from "./inputs.ts";
import { refuse, type SchedulerState } from "./state.ts";

/** Why the input is refused because of who is behind it; null if it is not. */
export function refuseByRights(state: SchedulerState, input: SchedulerInput): Reply | null {
  const { by } = input;
  if (by === undefined || (by.queues === undefined && by.isOwnOnly !== true)) return null;
  switch (input.kind) {
    case "submit": {
      const foreign = input.specs.find(({ queue }) => !coversQueue(by.queues, queue));
      return foreign === undefined ? null : noSuchQueue(foreign.queue);
    }
    case "cancel":
      return refuseTask(state, by, input.id);
    case "retry":
      return refuseTask(state, by, input.id) ?? refuseRetry(by, input.id, input.found);
    case "signal":
      return refuseTask(state, by, input.task);
    case "set-queue":
      return coversQueue(by.queues, input.name) ? null : noSuchQueue(input.name);
    case "put-template":
      return refuseTemplate(state, by, input.name) ?? refuseQueue(by, input.queue);
    case "remove-template":
      return refuseTemplate(state, by, input.name);
    case "put-schedule": {
      const { name, task } = input.schedule;
      return refuseSchedule(state, by, name) ?? refuseQueue(by, task.queue ?? defaults.queue);
    }
    case "pause-schedule":
    case "remove-schedule":
    case "backfill-schedule":
      return refuseSchedule(state, by, input.name);
    case "put-webhook": {
      const foreign = input.content.queues?.find((pattern) => !coversQueue(by.queues, pattern));
      return refuseWebhook(state, by, input.name) ?? (foreign === undefined ? null : noSuchQueue(foreign));
    }
    case "remove-webhook":
    case "test-webhook":
      return refuseWebhook(state, by, input.name);
    case "drain-worker":
    case "report-exit":
      return refuseWorker(state, by, input.worker);
    case "attach":
      return refuseAttach(state, by, input.worker, input.attach.queues);
    default:
      return null;
  }
}

/** Why an unfinished task is not there for `by`, or not his to change; null if it is. */
export function refuseTask({ tasks }: SchedulerState, by: Actor, id: TaskId): Reply | null {
  const task = tasks.get(id);
  if (task === undefined) return null;
  if (!coversQueue(by.queues, task.queue.name)) return refuse("not-found", `There is no task ${id}.`);
  if (by.isOwnOnly !== true || task.rights?.owner === by.name) return null;
  return refuse("forbidden", `Task ${id} was submitted by somebody else.`);
}

/** What has ended is not in memory: the store has shown it, and with it all that the retry would open. */
function refuseRetry(by: Actor, id: TaskId, { tasks }: FinishedTree): Reply | null {
  const task = tasks.find(({ head }) => head.id === id)?.head;
  if (task === undefined) return null;
  if (!coversQueue(by.queues, task.queue)) return refuse("not-found", `There is no task ${id}.`);
  if (by.isOwnOnly === true && task.rights?.owner !== by.name)
    return refuse("forbidden", `Task ${id} was submitted by somebody else.`);
  const isForeign = tasks.some(({ head }) => !coversQueue(by.queues, head.queue));
  return isForeign ? refuse("forbidden", `The family of task ${id} lies in part in queues of others.`) : null;
}

function refuseTemplate({ templates }: SchedulerState, by: Actor, name: string): Reply | null {
  const record = templates.recordOf(name);
  const isHidden = record !== null && !coversTemplate(by.queues, record.queue);
  return isHidden ? refuse("not-found", `There is no template ${name}.`) : null;
}

function refuseSchedule({ schedules }: SchedulerState, by: Actor, name: string): Reply | null {
  const record = schedules.recordOf(name);
  const isHidden = record !== null && !coversQueue(by.queues, record.task.queue ?? defaults.queue);
  return isHidden ? refuse("not-found", `There is no schedule ${name}.`) : null;
}

function refuseWebhook({ webhooks }: SchedulerState, by: Actor, name: string): Reply | null {
  const record = webhooks.recordOf(name);
  const isHidden = record !== null && record.isRemoved !== true && !mayHandleWebhook(by, record);
  return isHidden ? refuse("not-found", `There is no webhook ${name}.`) : null;
}

/** Whoever is bound to queues handles the webhooks that hear of these only. */
export function mayHandleWebhook(
  by: Actor | undefined,
  { content, rights }: Pick<WebhookRecord, "content" | "rights">,
): boolean {
  const queues = content.queues ?? rights?.queues;
  // A pattern covers another one like a name.
  return by?.queues === undefined || queues?.every((pattern) => coversQueue(by.queues, pattern)) === true;
}

/** A worker serves its queues as a whole, so whoever drains it must be given all of them. */
function refuseWorker({ workers }: SchedulerState, by: Actor, id: WorkerId): Reply | null {
  const worker = workers.get(id);
  if (worker === undefined || worker.record.queues.every((queue) => coversQueue(by.queues, queue))) return null;
  if (!worker.record.queues.some((queue) => coversQueue(by.queues, queue)))
    return refuse("not-found", `There is no worker ${id}.`);
  return refuse("forbidden", `Worker ${id} also serves queues of others.`);
}

/** A token for some queues is no way to take the place of a worker that serves others, or to be given their tasks. */
function refuseAttach({ workers }: SchedulerState, by: Actor, id: WorkerId, queues: readonly string[]): Reply | null {
  const foreign = queues.find((queue) => !coversQueue(by.queues, queue));
  if (foreign !== undefined) return refuse("forbidden", `The worker's token is not for the queue ${foreign}.`);
  const known = workers.get(id);
  if (known === undefined || known.record.queues.every((queue) => coversQueue(by.queues, queue))) return null;
  return refuse("forbidden", `Worker ${id} serves queues that this token is not for. Give this worker another name.`);
}

function refuseQueue(by: Actor, queue: string | null): Reply | null {
  return queue === null || coversQueue(by.queues, queue) ? null : noSuchQueue(queue);
}

function noSuchQueue(name: string): Reply {
  return refuse("not-found", `There is no queue ${name}.`);
}

/** A template whose queue is a variable is there for everybody; one from before templates told their queue for nobody who is bound. */
export function coversTemplate(patterns: readonly string[] | undefined, queue: string | null | undefined): boolean {
  if (patterns === undefined || queue === null) return true;
  return queue !== undefined && coversQueue(patterns, queue);
}
