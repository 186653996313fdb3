/** Webhooks are put and removed, what is late is noticed, and what has come of deliveries is written down. */
import type { TaskId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { type DeliveryOutcome, deliveryWaitMs, isTooOld, undeliveredId } from "../../model/webhooks/delivery.ts";
import { hearsOf, type LastAnswer, type WebhookRecord } from "../../model/webhooks/webhook.ts";
import type { Batch, Reply } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import { LateWatch } from "./lateWatch.ts";
import { isFull, type SchedulerModule } from "./module.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";
import { isThere, type LiveWebhook } from "./webhooks.ts";

export const webhooksModule = {
  inputs: {
    "put-webhook": (state, batch, input) => reply(batch, input.request, putWebhook(state, batch, input)),
    "remove-webhook": (state, batch, { request, name }) => reply(batch, request, removeWebhook(state, batch, name)),
    "test-webhook": (state, batch, { request, name }) => reply(batch, request, testWebhook(state, batch, name)),
    "note-deliveries": (state, batch, { outcomes }) => {
      for (const outcome of outcomes) noteOutcome(state, batch, outcome);
    },
  },
  activate(state) {
    for (const webhook of state.webhooks) watchFrom(state, webhook);
  },
  step(state, batch) {
    const { webhooks, tasks } = state;
    if (!webhooks.isWatching) return;
    const now = batch.now - tasks.clockLagMs;
    for (const webhook of webhooks) tellLate(state, batch, webhook, now);
  },
  nextWakeAt({ webhooks, tasks }) {
    if (!webhooks.isWatching) return null;
    const next = Math.min(...[...webhooks].map(({ watch }) => watch?.nextAt ?? Number.POSITIVE_INFINITY));
    return next === Number.POSITIVE_INFINITY ? null : next + tasks.clockLagMs;
  },
} satisfies SchedulerModule;

type Put = Extract<SchedulerInput, { kind: "put-webhook" }>;

function putWebhook(state: SchedulerState, batch: Batch, { name, content, fingerprint, secret, ...more }: Put): Reply {
  const { webhooks } = state;
  const now = batch.now - state.tasks.clockLagMs;
  const before = webhooks.recordOf(name);
  if (before === null && webhooks.size >= limits.webhooksMax) {
    return refuse("too-many", `Too many webhooks (${limits.webhooksMax}).`, "webhooksMax");
  }
  const rights = more.rights === undefined ? {} : { rights: more.rights };
  if (before === null || before.isRemoved === true) {
    webhooks.change(name, {
      ...{ name, content, fingerprint, ...rights, madeIn: batch.out.seq, secret: secret ?? more.freshSecret },
      ...{ createdAt: batch.now, changedAt: batch.now, lateUntil: now, lateUntilId: "" },
      // Deliveries of an earlier webhook of this name are thrown away in time.
      ...{ pending: before?.pending ?? 0, delivered: 0, givenUp: 0, dropped: 0 },
    });
    rewatch(state, name);
    return { kind: "webhook", isNew: true, hasFreshSecret: secret === null };
  }
  if (before.fingerprint === fingerprint && (secret === null || secret === before.secret)) {
    return { kind: "webhook", isNew: false, hasFreshSecret: false };
  }
  // What is late by the new settings already, it is not told of.
  const isSame = before.content.lateMs === content.lateMs && hears(before) === hears({ ...before, content });
  const late = isSame ? {} : { lateUntil: now, lateUntilId: "" };
  // Whoever is bound to queues hears of these only, also where somebody made the webhook who is not.
  const bound = rights.rights?.queues === undefined ? {} : rights;
  const changes = { content, fingerprint, secret: secret ?? before.secret, changedAt: batch.now, ...late, ...bound };
  const changed: WebhookRecord = { ...before, ...changes };
  webhooks.change(name, changed);
  if (!isSame || queuesOf(before) !== queuesOf(changed)) rewatch(state, name);
  return { kind: "webhook", isNew: false, hasFreshSecret: false };
}

/** All that says which queues it hears of. */
function queuesOf({ content, rights }: WebhookRecord): string {
  return JSON.stringify([content.queues, rights?.queues]);
}

function removeWebhook(state: SchedulerState, batch: Batch, name: string): Reply {
  const webhook = find(state, name);
  if (webhook === null) return noSuchWebhook(name);
  state.webhooks.change(name, { ...webhook.record, changedAt: batch.now, isRemoved: true });
  // At once, so that a put in the same entry begins from nothing.
  state.webhooks.writeTouched(batch);
  for (let n = 0; n < Math.min(webhook.record.givenUp, limits.undeliveredMax); n += 1) {
    batch.out.writes.push({ kind: "record", collection: "undelivered", id: undeliveredId(name, n), value: null });
  }
  webhook.watch = null;
  state.webhooks.isWatching = [...state.webhooks].some(({ watch }) => watch !== null);
  return { kind: "done" };
}

function testWebhook(state: SchedulerState, batch: Batch, name: string): Reply {
  const webhook = find(state, name);
  if (webhook === null) return noSuchWebhook(name);
  const id = state.webhooks.tell(batch, webhook, { type: "test" });
  if (id !== null) return { kind: "tested", id };
  return refuse("too-many", `Too many deliveries wait for webhook ${name}.`, "deliveriesPendingMax");
}

/** Each outcome is told once, by the leader that wrote the delivery down or has read it. */
function noteOutcome({ webhooks }: SchedulerState, batch: Batch, outcome: DeliveryOutcome): void {
  const { id, delivery, result, problem = "" } = outcome;
  const { writes } = batch.out;
  const record = webhooks.recordOf(delivery.webhook);
  const isOwn = record !== null && record.madeIn === delivery.madeIn && record.isRemoved !== true;
  const isFailure = isOwn && (result === "failed" || result === "lost");
  if (isFailure && result === "failed" && !isTooOld(delivery, batch.now)) {
    const tries = (delivery.tries ?? 0) + 1;
    const nextAt = batch.now + deliveryWaitMs(id, tries);
    writes.push({ kind: "record", collection: "deliveries", id, value: { ...delivery, tries, nextAt, problem } });
    webhooks.change(record.name, { ...record, last: answer(batch, problem) });
    return;
  }
  writes.push({ kind: "record", collection: "deliveries", id, value: null });
  if (record === null) return;
  const { pending, givenUp, delivered, name } = record;
  if (isFailure) {
    const tries = (delivery.tries ?? 0) + (result === "failed" ? 1 : 0);
    const value = { ...delivery, id, tries, problem, givenUpAt: batch.now };
    writes.push({ kind: "record", collection: "undelivered", id: undeliveredId(name, givenUp), value });
    const last = answer(batch, problem);
    return webhooks.change(name, { ...record, pending: pending - 1, givenUp: givenUp + 1, last });
  }
  const isDelivered = isOwn && result === "delivered";
  webhooks.change(name, {
    ...record,
    pending: pending - 1,
    ...(isDelivered && { delivered: delivered + 1, last: answer(batch, null) }),
  });
}

function answer({ now: at }: Batch, problem: string | null): LastAnswer {
  return { at, problem };
}

function tellLate(state: SchedulerState, batch: Batch, webhook: LiveWebhook, now: number): void {
  const { tasks, webhooks } = state;
  const { watch } = webhook;
  if (watch === null) return;
  const find = (id: TaskId) => tasks.get(id);
  while (!isFull(batch)) {
    const late = watch.popLate(now, find);
    if (late === undefined) break;
    const { id, queue, state: is } = late.task;
    webhooks.tell(batch, webhook, { type: "task.late", task: id, queue: queue.name, state: is, dueAt: late.startAt });
    const { record } = webhook;
    webhooks.change(record.name, { ...record, lateUntil: late.lateAt, lateUntilId: id });
  }
  watch.tidy(tasks.size, find);
}

/** What it watches may have changed: what has yet to start is looked for anew. */
function rewatch(state: SchedulerState, name: string): void {
  const webhook = state.webhooks.get(name);
  if (webhook !== undefined) watchFrom(state, webhook);
}

/** Looks at every unfinished task, if the webhook wants to hear of what is late. */
function watchFrom({ webhooks, tasks }: SchedulerState, webhook: LiveWebhook): void {
  const { record } = webhook;
  const isWatching = isThere(webhook) && hears(record);
  webhook.watch = isWatching
    ? new LateWatch(record.content.lateMs ?? defaults.webhookLateMs, record.lateUntil, record.lateUntilId)
    : null;
  for (const task of isWatching ? tasks : []) {
    if (hearsOf(record, "late", task.queue.name)) webhook.watch?.add(task, false);
  }
  webhooks.isWatching = [...webhooks].some(({ watch }) => watch !== null);
}

function hears({ content }: Pick<WebhookRecord, "content">): boolean {
  return (content.on ?? defaults.webhookTriggers).includes("late");
}

function find({ webhooks }: SchedulerState, name: string): LiveWebhook | null {
  const webhook = webhooks.get(name);
  return webhook === undefined || !isThere(webhook) ? null : webhook;
}

function noSuchWebhook(name: string): Reply {
  return refuse("not-found", `There is no webhook ${name}.`);
}
