/** I50: every end that a webhook hears of is delivered to it at least once, as one message, and nothing that did not happen. */
import type { Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { isFinal } from "../../model/task.ts";
import type { DeliveryRecord } from "../../model/webhooks/delivery.ts";
import type { WebhookRecord } from "../../model/webhooks/webhook.ts";
import { checker, type Report } from "./checker.ts";
import type { History, LandedEntry, LedgerEvent } from "./ledger.ts";
import { idOf } from "./lives.ts";
import { eventsOf, once } from "./reading.ts";

/** An end of a task that a webhook is to be told of. */
interface Due {
  readonly webhook: string;
  readonly task: TaskId;
  readonly state: string;
  readonly order: number;
  /** Set when a later change of the webhook lets it be forgotten. */
  isExcused: boolean;
  /** Of a webhook that looks at names: it may be told or not. */
  readonly isOptional: boolean;
}

type Taken = Extract<LedgerEvent, { kind: "webhook-taken" }>;

export const webhooksTold = checker("I50", "webhooks are told what happened, and nothing else", (history, report) => {
  const { due, last, waiting } = readJournal(history, report);
  const messages = new Map<string, string>();
  const late = new Set<string>();
  const told = new Set<string>();
  for (const taken of eventsOf(history, "webhook-taken")) {
    const { type, task } = taken;
    if (type === "test" || task === undefined) continue;
    if (type === "task.late") checkLate(history, taken, late, report);
    else checkEnd(taken, { due, messages, told }, report);
  }
  const missing = new Map<string, Due[]>();
  for (const [key, each] of due) {
    if (each.isExcused || each.isOptional || told.has(key) || waiting.has(key)) continue;
    missing.set(each.webhook, [...(missing.get(each.webhook) ?? []), each]);
  }
  for (const [webhook, ends] of missing) {
    const { givenUp = 0, dropped = 0 } = last.get(webhook) ?? {};
    const [first] = ends;
    if (first === undefined || ends.length <= givenUp + dropped) continue;
    report(
      `${first.task} ended as ${first.state}, and webhook ${webhook} was never told (${ends.length} such ends)`,
      first.task,
    );
  }
});

function checkEnd(
  { webhook, task, state, attempt, toldAt, message, order }: Taken,
  { due, messages, told }: { due: ReadonlyMap<string, Due>; messages: Map<string, string>; told: Set<string> },
  report: Report,
): void {
  if (task === undefined) return;
  const key = keyOf(webhook, task, String(state), attempt ?? 0, toldAt);
  const end = due.get(key);
  if (end === undefined || end.order > order)
    report(
      `webhook ${webhook} was told that ${task} had ended as ${state} with attempt ${attempt}, which it had not`,
      task,
    );
  const before = messages.get(key);
  if (before !== undefined && before !== message)
    report(`webhook ${webhook} was told twice, as two messages, that ${task} had ended`, task);
  messages.set(key, message);
  told.add(key);
}

function checkLate(
  history: History,
  { webhook, task, toldAt, message }: Taken,
  seen: Set<string>,
  report: Report,
): void {
  if (task === undefined) return;
  // Its id may have been used before and since.
  if ((startsOf(history).get(task) ?? []).every((startAt) => toldAt < startAt))
    report(`webhook ${webhook} was told that ${task} was late before it was to start`, task);
  seen.add(`${webhook} ${task} ${message}`);
  const messages = [...seen].filter((each) => each.startsWith(`${webhook} ${task} `)).length;
  if (messages > 1 && !history.conditions.retention)
    report(`webhook ${webhook} was told twice that ${task} was late`, task);
}

/** When the tasks of an id were to start. */
const startsOf = once((history): ReadonlyMap<TaskId, readonly number[]> => {
  const starts = new Map<TaskId, number[]>();
  for (const { writes } of history.entries) {
    for (const write of writes) {
      if (write.kind !== "spec") continue;
      const { id, startAt, createdAt } = write.spec;
      starts.set(id, [...(starts.get(id) ?? []), startAt ?? createdAt]);
    }
  }
  return starts;
});

function keyOf(webhook: string, task: TaskId, state: string, attempt: number, at: number): string {
  return `${webhook} ${task} ${state} ${attempt} ${at}`;
}

/** What the journal says that webhooks hear of. Their counts must be those of the records of deliveries. */
function readJournal(history: History, report: Report) {
  const webhooks = new Map<string, WebhookRecord>();
  const last = new Map<string, WebhookRecord>();
  const waiting = new Map<string, Map<string, DeliveryRecord>>();
  const due = new Map<string, Due>();
  const queues = new Map<TaskId, string>();
  const losses = new Map<TaskId, number>();
  for (const entry of history.entries) {
    const before = new Map(webhooks);
    const changed = new Set<string>();
    checkSuspects(entry, losses, report);
    for (const write of entry.writes) {
      // A backup counts nowhere: only how its task ends is told.
      if (write.kind === "spec" && write.spec.backupOf === undefined) queues.set(write.spec.id, write.spec.queue);
      if (write.kind === "record" && write.collection === "deliveries") {
        const own = waiting.get(nameIn(write.id)) ?? new Map<string, DeliveryRecord>();
        waiting.set(nameIn(write.id), own);
        if (write.value === null) own.delete(write.id);
        else own.set(write.id, write.value);
      }
      if (write.kind === "record" && write.collection === "webhooks") {
        if (mayBeChange(webhooks.get(write.id), write.value, entry.at)) changed.add(write.id);
        take(webhooks, last, write);
      }
    }
    for (const [name, record] of webhooks) {
      const there = waiting.get(name)?.size ?? 0;
      if (there !== record.pending)
        report(`in entry ${entry.seq}, ${there} deliveries wait for webhook ${name}, and it counts ${record.pending}`);
    }
    excuse(due, before, webhooks);
    noteEnds(entry, { webhooks, changed, queues, due });
  }
  return { due, last, waiting: new Set(waitingEnds(waiting, last, history.entries.at(-1)?.at ?? 0)) };
}

/** Losses in a row from which on a task is suspect. */
const suspectFrom = 3;

/** A task is told to be suspect in the entry of the loss that makes it so. */
function checkSuspects({ seq, writes }: LandedEntry, losses: Map<TaskId, number>, report: Report): void {
  for (const write of writes) if (write.kind === "status") losses.set(idOf(write.status.id), write.status.losses ?? 0);
  for (const write of writes) {
    if (write.kind !== "record" || write.collection !== "deliveries") continue;
    const { alarm, tries = 0 } = write.value ?? {};
    if (alarm?.kind !== "suspect-task" || tries > 0) continue;
    const task = String(alarm.fields["task"]) as TaskId;
    const count = losses.get(task) ?? 0;
    if (count < suspectFrom)
      report(`entry ${seq} calls task ${task} suspect, which has lost its worker ${count} times in a row`, task);
  }
}

/** Ends that the receiver did not take at first: their next try comes only after this history, or that of whatever waits for it. */
function* waitingEnds(
  waiting: ReadonlyMap<string, ReadonlyMap<string, DeliveryRecord>>,
  webhooks: ReadonlyMap<string, WebhookRecord>,
  at: number,
): Generator<string> {
  for (const [name, deliveries] of waiting) {
    const { last } = webhooks.get(name) ?? {};
    const isLeftAlone = last?.problem !== undefined && last.at + limits.receiverRestMsMax > at;
    for (const { webhook, task, state = "", attempt = 0, at: toldAt, nextAt = 0 } of deliveries.values())
      if (task !== undefined && (isLeftAlone || nextAt > at)) yield keyOf(webhook, task, state, attempt, toldAt);
  }
}

function nameIn(deliveryId: string): string {
  return deliveryId.slice(0, deliveryId.lastIndexOf("@"));
}

function take(
  webhooks: Map<string, WebhookRecord>,
  last: Map<string, WebhookRecord>,
  { id, value }: Extract<Write, { kind: "record"; collection: "webhooks" }>,
): void {
  if (value === null) webhooks.delete(id);
  else {
    webhooks.set(id, value);
    last.set(id, value);
  }
}

/** What waits for a webhook that was removed, or now looks at names, need not be told any more. */
function excuse(
  due: ReadonlyMap<string, Due>,
  before: ReadonlyMap<string, WebhookRecord>,
  after: ReadonlyMap<string, WebhookRecord>,
): void {
  for (const [name, old] of before) {
    const now = after.get(name);
    const isSame = now?.madeIn === old.madeIn && now.isRemoved !== true && now.content.names === undefined;
    if (isSame) continue;
    for (const each of due.values()) if (each.webhook === name) each.isExcused = true;
  }
}

/**
 * Whether it may have heard of other ends for a while. One that is changed and changed back before it is written has another instant, or
 * that of its entry, where the change before it was of that instant, too.
 */
function mayBeChange(old: WebhookRecord | undefined, now: WebhookRecord | null, at: number): boolean {
  if (old?.fingerprint !== now?.fingerprint || old?.madeIn !== now?.madeIn) return true;
  return old?.isRemoved !== now?.isRemoved || old?.changedAt !== now?.changedAt || now?.changedAt === at;
}

interface Reading {
  readonly webhooks: ReadonlyMap<string, WebhookRecord>;
  /** Those that were changed in the entry, also if they were changed back in it. */
  readonly changed: ReadonlySet<string>;
  readonly queues: ReadonlyMap<TaskId, string>;
  readonly due: Map<string, Due>;
}

/** A webhook that was changed in the entry of an end may have said anything meanwhile: it may be told, or not. */
function noteEnds({ writes, at, order }: LandedEntry, { webhooks, changed, queues, due }: Reading): void {
  for (const write of writes) {
    if (write.kind !== "status" || !isFinal(write.status.state) || !queues.has(write.status.id)) continue;
    const { id, state, attempt } = write.status;
    for (const name of new Set([...webhooks.keys(), ...changed])) {
      const now = webhooks.get(name);
      const isChanged = changed.has(name);
      if (!isChanged && (now === undefined || !hears(now, state, queues.get(id)))) continue;
      const isOptional = isChanged || now?.content.names !== undefined;
      due.set(keyOf(name, id, state, attempt, at), {
        webhook: name,
        task: id,
        state,
        order,
        isExcused: false,
        isOptional,
      });
    }
  }
}

function hears({ content, isRemoved }: WebhookRecord, state: string, queue = ""): boolean {
  const { on = ["end"], states, queues } = content;
  const isEnd = on.includes("end") && (states === undefined || states.some((each) => each === state));
  const isFailure = on.includes("failure") && state === "failed";
  return isRemoved !== true && (isEnd || isFailure) && (queues === undefined || queues.includes(queue));
}
