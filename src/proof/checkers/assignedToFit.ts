/**
 * I32: nothing is assigned from a paused queue, nor to a worker that does not serve its queue, kind and labels, that drains, is out
 * of reach, is given up, or is there as another boot by now.
 */
import type { TaskSpec, TaskStatus } from "../../model/task.ts";
import type { WorkerRecord } from "../../model/worker.ts";
import { checker, type Report } from "./checker.ts";
import type { History, LandedEntry, LedgerEvent } from "./ledger.ts";
import { canRun, name } from "./reading.ts";
import { troubledMs } from "./troubles.ts";

/** A decision is made a little before its entry is handed to the store, or before the entry ahead of it was committed. */
const slackMs = 300;

export const assignedToFit = checker(
  "I32",
  "nothing is assigned from a paused queue, or to a worker that must not have it",
  (history, report) => {
    const handed = firstHanded(history);
    const contacts = new Contacts(history);
    const records = new Map<string, WorkerRecord>();
    const paused = new Set<string>();
    const attempts = new Map<string, number>();
    const specs = new Map<string, TaskSpec>();
    for (const entry of history.entries) {
      const fresh: TaskStatus[] = [];
      for (const write of entry.writes) {
        if (write.kind === "spec") specs.set(write.spec.id, write.spec);
        if (write.kind === "record" && write.collection === "workers" && write.value !== null)
          records.set(write.value.id, write.value);
        if (write.kind === "record" && write.collection === "queues") {
          if (write.value?.isPaused === true) paused.add(write.id);
          else paused.delete(write.id);
        }
        if (write.kind !== "status") continue;
        if (write.status.state === "running" && write.status.attempt !== attempts.get(write.status.id))
          fresh.push(write.status);
        attempts.set(write.status.id, write.status.attempt);
      }
      // Assignments are the last thing a batch decides, so all records of their entry count.
      for (const status of fresh) {
        const spec = specs.get(status.id);
        checkRecord(status, spec, entry, records, report);
        if (spec !== undefined && paused.has(spec.queue))
          report(`${name(status.id, status.attempt)} was assigned from ${spec.queue}, which is paused`, status.id);
      }
      const append = handed.get(`${entry.seq} ${entry.epoch}`);
      if (append === undefined) continue;
      const before = handed.get(`${entry.seq - 1} ${entry.epoch}`);
      const since = before?.life === append.life ? before : append;
      for (const status of fresh) contacts.check(status, append, since, report);
    }
  },
);

function checkRecord(
  status: TaskStatus,
  spec: TaskSpec | undefined,
  entry: LandedEntry,
  records: ReadonlyMap<string, WorkerRecord>,
  report: Report,
): void {
  const { id, attempt, boot } = status;
  const host: string = status.host ?? "nobody";
  const record = records.get(host);
  const what = `${name(id, attempt)} was assigned to ${boot} of ${host} in entry ${entry.seq}`;
  if (record === undefined) report(`${what}, of which the journal knows nothing`, id);
  else if (record.boot !== boot) report(`${what}, whose place ${record.boot} holds`, id, host);
  else if (record.isDraining) report(`${what}, which is draining`, id, host);
  else if (record.state !== "connected") report(`${what}, which is ${record.state}`, id, host);
  else if (spec !== undefined && !canRun(record, spec)) report(`${what}, which cannot run it`, id, host);
}

type Append = Extract<LedgerEvent, { kind: "append" }>;

/** When each entry was handed to the store for the first time: the latest moment at which it can have been decided. */
function firstHanded(history: History): Map<string, Append> {
  const first = new Map<string, Append>();
  for (const event of history.events) {
    if (event.kind !== "append") continue;
    const key = `${event.seq} ${event.epoch}`;
    if (!first.has(key)) first.set(key, event);
  }
  return first;
}

/** What each life of a master had heard and seen of each worker, by the ledger's order. */
class Contacts {
  readonly #history: History;
  readonly #heard = new Map<string, { order: number; at: number }[]>();
  readonly #streams = new Map<string, { order: number; isOpen: boolean }[]>();

  constructor(history: History) {
    this.#history = history;
    const open = new Map<string, Set<string>>();
    for (const event of history.events) {
      if (event.kind === "heard")
        push(this.#heard, `${event.life} ${event.worker}`, { order: event.order, at: event.at });
      if (event.kind !== "stream-opened" && event.kind !== "stream-closed") continue;
      const key = `${event.life} ${event.worker}`;
      const sessions = open.get(key) ?? new Set();
      open.set(key, sessions);
      if (event.kind === "stream-opened") sessions.add(event.session);
      else sessions.delete(event.session);
      push(this.#streams, key, { order: event.order, isOpen: sessions.size > 0 });
      push(this.#heard, key, { order: event.order, at: event.at });
    }
  }

  /** @param since when the entry before was handed to the store: the earliest moment at which this one can have been decided */
  check({ id, attempt, host: worker }: TaskStatus, append: Append, since: Append, report: Report): void {
    const host: string = worker ?? "nobody";
    const key = `${append.life} ${host}`;
    const what = `${append.life} assigned ${name(id, attempt)} to ${host}`;
    const streams = this.#streams.get(key) ?? [];
    const first = streams.findLast(({ order }) => order < since.order);
    const wasOpen = streams.some(({ order, isOpen }) => isOpen && order > since.order && order < append.order);
    if (first?.isOpen !== true && !wasOpen) report(`${what}, whose stream is closed`, id, host);
    const heard = this.#heard.get(key)?.findLast(({ order }) => order < append.order);
    if (heard === undefined) return;
    const { suspectMs, driftMax } = this.#history.conditions;
    const until = Math.max(since.at, heard.at);
    const silentMs = until - heard.at - 2 * troubledMs(this.#history, { from: heard.at, to: until });
    const allowedMs = suspectMs * (1 + 2 * driftMax) + slackMs;
    if (silentMs > allowedMs) report(`${what}, which had been silent for ${silentMs} ms`, id, host);
  }
}

function push<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
