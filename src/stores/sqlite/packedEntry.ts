/**
 * An entry as its rows need it: folded, and in columns, since it crosses over to the store's own thread, and copying lists of
 * strings costs a fraction of what copying objects does.
 */

import { attemptEndOf } from "../../model/attemptRecord.ts";
import type { Entry, OutgoingEntry } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { type TaskState, taskStates } from "../../model/task.ts";
import { changesOf } from "../changes.ts";
import { retainedSince } from "../familyRetention.ts";

export interface PackedEntry {
  readonly entry: Entry;
  /** To be removed before anything else is done: a task may be created again within the same entry. */
  readonly forgotten: readonly TaskId[];
  readonly tasks: TaskColumns;
  readonly records: RecordColumns;
  /** JSON text of what the last marker in it lists; null if there is none. */
  readonly collections: string | null;
}

/** The same place in each list belongs to one record. */
interface RecordColumns {
  readonly collections: string[];
  readonly ids: string[];
  /** JSON texts; null where the record is removed. */
  readonly values: (string | null)[];
  /** By which a record is found over all tasks. */
  readonly instants: (number | null)[];
}

/** The same place in each list belongs to one task; tasks are in the order of creation. */
interface TaskColumns {
  readonly ids: TaskId[];
  /** The JSON text of the spec; null, as the next three, where the entry brings none. */
  readonly specs: (string | null)[];
  readonly names: (string | null)[];
  readonly queues: (string | null)[];
  readonly fingerprints: (string | null)[];
  /** The JSON text of the status; null, as the next two, where the entry brings none. */
  readonly statuses: (string | null)[];
  /** When the task ended; null while it has not. */
  readonly endedAts: (number | null)[];
  /** When the last attempt ended that only the status tells of; null if there is none. */
  readonly attemptEndedAts: (number | null)[];
  /** The parent; null as the name is, and for a task without one. */
  readonly parents: (string | null)[];
  /** Places in `taskStates`, or -1: a text from another thread would be compared letter by letter, each time. */
  readonly states: number[];
  readonly hosts: (string | null)[];
}

/** What becomes of one task. */
export interface PackedTask {
  readonly id: TaskId;
  readonly spec: string | null;
  readonly name: string | null;
  readonly queue: string | null;
  readonly fingerprint: string | null;
  readonly status: string | null;
  readonly state: TaskState | null;
  readonly endedAt: number | null;
  readonly attemptEndedAt: number | null;
  readonly parent: string | null;
  readonly host: string | null;
}

export function pack(outgoing: OutgoingEntry): PackedEntry {
  const { seq, epoch, nonce, at, format, previousCrc, crc, body } = outgoing;
  const changes = changesOf(outgoing);
  const tasks = [...changes.tasks.values()];
  return {
    entry: { seq, epoch, nonce, at, format, previousCrc, crc, body },
    forgotten: [...changes.forgottenTasks],
    tasks: {
      ids: tasks.map(({ id }) => id),
      specs: tasks.map(({ spec, specText }) => (spec === null ? null : specText)),
      names: tasks.map(({ spec }) => spec?.name ?? null),
      queues: tasks.map(({ spec }) => spec?.queue ?? null),
      fingerprints: tasks.map(({ spec }) => spec?.fingerprint ?? null),
      statuses: tasks.map(({ status, statusText }) => (status === null ? null : statusText)),
      endedAts: tasks.map(({ id, status }) => (status === null ? null : retainedSince(id, status))),
      attemptEndedAts: tasks.map(({ status }) => (status === null ? null : attemptEndOf(status))),
      parents: tasks.map(({ spec }) => spec?.parent ?? null),
      states: tasks.map(({ status }) => (status === null ? -1 : taskStates.indexOf(status.state))),
      hosts: tasks.map(({ status }) => status?.host ?? null),
    },
    records: {
      collections: changes.records.map(({ collection }) => collection),
      ids: changes.records.map(({ id }) => id),
      values: changes.records.map(({ text }) => text),
      instants: changes.records.map(({ instant }) => instant),
    },
    collections: changes.collections === null ? null : JSON.stringify(changes.collections),
  };
}

export function* unpack(tasks: TaskColumns): Iterable<PackedTask> {
  for (const [index, id] of tasks.ids.entries()) {
    yield {
      id,
      spec: tasks.specs[index] ?? null,
      name: tasks.names[index] ?? null,
      queue: tasks.queues[index] ?? null,
      fingerprint: tasks.fingerprints[index] ?? null,
      status: tasks.statuses[index] ?? null,
      state: taskStates[tasks.states[index] ?? -1] ?? null,
      endedAt: tasks.endedAts[index] ?? null,
      attemptEndedAt: tasks.attemptEndedAts[index] ?? null,
      parent: tasks.parents[index] ?? null,
      host: tasks.hosts[index] ?? null,
    };
  }
}

export function* unpackRecords(records: RecordColumns): Iterable<{
  readonly collection: string;
  readonly id: string;
  readonly value: string | null;
  readonly instant: number | null;
}> {
  for (const [index, id] of records.ids.entries()) {
    const [value = null, instant = null] = [records.values[index], records.instants[index]];
    yield { collection: records.collections[index] ?? "", id, value, instant };
  }
}
