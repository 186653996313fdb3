/**
 * An entry as its rows need it: folded, and in columns, since it crosses over to the store's own thread, and copying lists of
 * strings costs a fraction of what copying objects does.
 */
import type { Entry, OutgoingEntry, Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskState } from "../../model/task.ts";
import { changesOf } from "../changes.ts";

export interface PackedEntry {
  readonly entry: Entry;
  /** To be removed before anything else is done: a task may be created again within the same entry. */
  readonly forgotten: readonly TaskId[];
  readonly tasks: TaskColumns;
  /** JSON texts; null where the record goes. */
  readonly workers: ReadonlyMap<string, string | null>;
  readonly queues: ReadonlyMap<string, string>;
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
  readonly states: (TaskState | null)[];
  readonly hosts: (string | null)[];
}

/** What becomes of one task: its spec, its status or both, each with what is copied out of its text into columns of its row. */
export interface TaskRecords {
  readonly id: TaskId;
  readonly spec: SpecRecord | null;
  readonly status: StatusRecord | null;
}

interface SpecRecord {
  readonly text: string;
  readonly name: string;
  readonly queue: string;
  readonly fingerprint: string | null;
}

interface StatusRecord {
  readonly text: string;
  readonly state: TaskState;
  readonly host: string | null;
}

export function pack(outgoing: OutgoingEntry): PackedEntry {
  const { seq, epoch, nonce, at, format, previousCrc, crc, body } = outgoing;
  const changes = changesOf(outgoing);
  const [ids, specs, names, queues, fingerprints]: [TaskId[], Column, Column, Column, Column] = [[], [], [], [], []];
  const [statuses, states, hosts]: [Column, (TaskState | null)[], Column] = [[], [], []];
  for (const [id, { spec, specText, status, statusText }] of changes.tasks) {
    ids.push(id);
    specs.push(spec === null ? null : specText);
    names.push(spec?.name ?? null);
    queues.push(spec?.queue ?? null);
    fingerprints.push(spec?.fingerprint ?? null);
    statuses.push(status === null ? null : statusText);
    states.push(status?.state ?? null);
    hosts.push(status?.host ?? null);
  }
  return {
    entry: { seq, epoch, nonce, at, format, previousCrc, crc, body },
    forgotten: [...changes.forgottenTasks],
    tasks: { ids, specs, names, queues, fingerprints, statuses, states, hosts },
    workers: changes.workers,
    queues: changes.queues,
  };
}

type Column = (string | null)[];

/** The same for an entry that is in the journal already. */
export function repack(entry: Entry): PackedEntry {
  const writes = JSON.parse(entry.body) as Write[];
  return pack({ ...entry, writes, texts: writes.map(textOf) });
}

/** Encoding what was decoded gives the same text again. */
function textOf(write: Write): string {
  switch (write.kind) {
    case "spec":
      return JSON.stringify(write.spec);
    case "status":
      return JSON.stringify(write.status);
    case "worker":
      return JSON.stringify(write.worker);
    case "queue":
      return JSON.stringify(write.queue);
    case "forget-task":
    case "forget-worker":
    case "digest":
    case "marker":
      // These have no row to stand in.
      return "";
    default:
      return write satisfies never;
  }
}

export function* unpack({ tasks }: PackedEntry): Iterable<TaskRecords> {
  for (const [index, id] of tasks.ids.entries()) {
    const spec = tasks.specs[index] ?? null;
    const name = tasks.names[index] ?? "";
    const queue = tasks.queues[index] ?? "";
    const fingerprint = tasks.fingerprints[index] ?? null;
    const status = tasks.statuses[index] ?? null;
    const state = tasks.states[index] ?? null;
    const host = tasks.hosts[index] ?? null;
    yield {
      id,
      spec: spec === null ? null : { text: spec, name, queue, fingerprint },
      status: status === null || state === null ? null : { text: status, state, host },
    };
  }
}
