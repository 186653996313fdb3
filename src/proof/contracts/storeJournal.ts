/** Entries for tests of stores: a chain that goes on, task by task, as a leader would write it. */

import { encodeEntry, type JournalPosition, journalStart, positionOf } from "../../master/journal/journal.ts";
import type { OutgoingEntry, Write } from "../../model/entry.ts";
import type { BootId, Nonce, TaskId, WorkerId } from "../../model/ids.ts";
import type { TaskSpec, TaskState, TaskStatus } from "../../model/task.ts";
import type { QueueRecord, WorkerRecord } from "../../model/worker.ts";

export class TestJournal {
  #position: JournalPosition;
  readonly epoch: number;
  readonly nonce: Nonce;

  /** Continues after `tail`, or begins a journal. */
  constructor(tail: { readonly seq: number; readonly crc: number } | null = null, nonce = "nonce-a", epoch = 1) {
    this.#position = tail === null ? journalStart : { ...tail, epoch };
    this.nonce = nonce as Nonce;
    this.epoch = epoch;
  }

  /** The entry for the next slot; every call goes one slot further. */
  next(...writes: Write[]): OutgoingEntry {
    const at = 1_700_000_000_000 + this.#position.seq;
    const entry = encodeEntry(this.#position, { epoch: this.epoch, nonce: this.nonce }, at, writes);
    this.#position = positionOf(entry);
    return entry;
  }
}

export function taskId(text: string): TaskId {
  return text as TaskId;
}

export function spec(id: string, change: Partial<TaskSpec> = {}): TaskSpec {
  return {
    id: taskId(id),
    name: id,
    kind: "sleep",
    input: { seconds: 1 },
    queue: "default",
    priority: 0,
    createdAt: 1_700_000_000_000,
    startAt: null,
    limits: {
      attemptsMax: 3,
      killsMax: null,
      timeoutMs: null,
      backoffBaseMs: 1000,
      backoffFactor: 2,
      backoffMaxMs: 300_000,
    },
    fingerprint: null,
    ...change,
  };
}

export function status(id: string, state: TaskState, change: Partial<TaskStatus> = {}): TaskStatus {
  return { id: taskId(id), state, attempt: 0, failures: 0, kills: 0, changedAt: 1_700_000_000_000, ...change };
}

/** The two writes of a new task. */
export function created(id: string, change: Partial<TaskSpec> = {}, state: TaskState = "created"): Write[] {
  return [
    { kind: "spec", spec: spec(id, change) },
    { kind: "status", status: status(id, state) },
  ];
}

export function changed(id: string, state: TaskState, change: Partial<TaskStatus> = {}): Write {
  return { kind: "status", status: status(id, state, { attempt: 1, ...change }) };
}

export function workerWrite(worker: WorkerRecord): Write {
  return { kind: "record", collection: "workers", id: worker.id, value: worker };
}

export function workerGone(id: string): Write {
  return { kind: "record", collection: "workers", id, value: null };
}

export function queueWrite(queue: QueueRecord): Write {
  return { kind: "record", collection: "queues", id: queue.name, value: queue };
}

export function workerRecord(id: string, change: Partial<WorkerRecord> = {}): WorkerRecord {
  return {
    id: id as WorkerId,
    boot: `${id}-boot` as BootId,
    capacity: 1,
    queues: ["default"],
    isDraining: false,
    state: "connected",
    changedAt: 1_700_000_000_000,
    hostname: "host",
    pid: 1,
    version: "0.0.0",
    ...change,
  };
}
