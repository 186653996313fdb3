/** Builds histories by hand, so that checkers can be shown what they must accept and every lie they must see. */

import type { Write } from "../../src/model/entry.ts";
import type { BootId, TaskId, WorkerId } from "../../src/model/ids.ts";
import type { TaskDocument, TaskSpec, TaskStatus } from "../../src/model/task.ts";
import type { WorkerRecord } from "../../src/model/worker.ts";
import type { Conditions } from "../../src/proof/checkers/conditions.ts";
import type {
  ExecutionEnd,
  FinalLog,
  FinalState,
  Happening,
  History,
  LandedEntry,
  LeaderMemory,
  MasterMemory,
} from "../../src/proof/checkers/ledger.ts";
import { Ledger } from "../../src/proof/checkers/ledger.ts";
import { workerWrite } from "../../src/proof/contracts/storeJournal.ts";

export const life = "master-1#1";
export const task = "t1" as TaskId;
export const worker = "worker-1" as WorkerId;
export const boot = "boot-1.1" as BootId;

export class MadeHistory {
  readonly #ledger = new Ledger(() => this.now);
  readonly #entries: LandedEntry[] = [];
  readonly #specs = new Map<TaskId, TaskSpec>();
  readonly #statuses = new Map<TaskId, TaskStatus>();
  now = 0;
  conditions: Conditions = {
    suspectMs: 3000,
    abruptGraceMs: 500,
    lostGraceMs: 15_000,
    goneWorkerKeptMs: 86_400_000,
    failoverGraceMs: 10_000,
    timeoutBackstopMs: 10_000,
    clockSpreadMs: 0,
    driftMax: 0,
    isNetworkQuick: true,
    appendMsMax: 0,
    hasStaleReads: false,
    retention: null,
    workers: 1,
    masters: 2,
    timestampSlackMs: 0,
    lostRecordMs: 0,
    areOutputsTokens: true,
    addressesVanish: false,
    isCalm: true,
    sparesWorkers: false,
    seesRecords: true,
  };
  leader: LeaderMemory | null | "as the journal" = "as the journal";
  masters: MasterMemory[] = [];
  followers = new Map<string, number | null>();
  drifts = 0;
  outboxes = new Map<string, number>();
  logs = new Map<string, FinalLog>();
  /** Documents that are to differ from what the journal says; null for one that is missing. */
  documents = new Map<TaskId, Partial<TaskDocument> | null>();

  constructor() {
    this.entry({ kind: "marker", address: "http://master-1:7070", collections: {} });
  }

  add(happening: Happening): this {
    this.#ledger.add(happening);
    return this;
  }

  later(ms: number): this {
    this.now += ms;
    return this;
  }

  /** A worker that is there, with its stream open. */
  attach(record: Partial<WorkerRecord> = {}): this {
    const own = workerRecord(record);
    this.add({ kind: "start", node: own.id, life: `${own.id}#1`, boot: own.boot, capacity: own.capacity });
    this.hear(own.id, own.boot).entry(workerWrite(own));
    return this.add({ kind: "stream-opened", life, worker: own.id, boot: own.boot, session: `1.${own.boot}` });
  }

  hear(from: WorkerId = worker, ofBoot: BootId = boot): this {
    return this.add({ kind: "heard", life, worker: from, boot: ofBoot });
  }

  /** An entry that is handed over and lands at once. */
  entry(...writes: Write[]): this {
    return this.entryOf({}, ...writes);
  }

  entryOf(author: { epoch?: number; nonce?: string; life?: string }, ...writes: Write[]): this {
    const seq = this.#entries.length + 1;
    const { epoch, nonce, ...by } = { epoch: 1, nonce: "nonce", life, ...author };
    this.add({ kind: "append", ...by, seq, epoch, isMarker: writes[0]?.kind === "marker" });
    this.add({ kind: "landed", seq });
    const order = this.#ledger.events.length - 1;
    const previousCrc = this.#entries.at(-1)?.crc ?? 0;
    this.#entries.push({
      seq,
      epoch,
      nonce,
      at: this.now,
      crc: seq,
      previousCrc,
      landedAt: this.now,
      order,
      writes,
    });
    for (const write of writes) {
      if (write.kind === "spec") this.#specs.set(write.spec.id, write.spec);
      if (write.kind === "status") this.#statuses.set(write.status.id, write.status);
      if (write.kind === "forget-task") this.#statuses.delete(write.id);
    }
    return this;
  }

  status(fields: Partial<TaskStatus>): this {
    return this.entry({ kind: "status", status: status({ changedAt: this.now, ...fields }) });
  }

  execStart(
    attempt: number,
    fields: Partial<{ task: TaskId; worker: WorkerId; boot: BootId; token: string; assignedAt: number }> = {},
  ): this {
    this.add({ kind: "received-assign", epoch: 1, worker, boot, task, attempt, ...fields });
    return this.add({ kind: "exec-start", worker, boot, task, attempt, token: `token ${attempt}`, ...fields });
  }

  execEnd(
    attempt: number,
    end: ExecutionEnd,
    fields: Partial<{ task: TaskId; worker: WorkerId; boot: BootId; token: string; assignedAt: number }> = {},
  ): this {
    return this.add({ kind: "exec-end", worker, boot, task, attempt, token: `token ${attempt}`, end, ...fields });
  }

  prints(text: string, token = "token 1"): this {
    return this.add({ kind: "exec-wrote", token, text });
  }

  /** The store holds this of an attempt's log in the end. */
  log(attempt: number, text: string, offset = 0): this {
    const key = `${task}/${attempt}`;
    const pieces = [...(this.logs.get(key)?.pieces ?? []), { offset, text }];
    this.logs.set(key, { task, attempt, pieces });
    return this;
  }

  verdict(
    attempt: number,
    verdict: "committed" | "stale",
    outcome: "success" | "failed" | "aborted" | null = "success",
  ): this {
    return this.add({ kind: "sent-verdict", life, worker, task, attempt, verdict, outcome });
  }

  build(): History {
    const documents = new Map<TaskId, TaskDocument>();
    const unfinished = new Map<TaskId, string>();
    for (const [id, last] of this.#statuses) {
      const spec = this.#specs.get(id);
      const other = this.documents.get(id);
      if (spec === undefined || other === null) continue;
      documents.set(id, { ...spec, ...last, ...other });
      if (!["success", "failed", "cancelled"].includes(last.state)) unfinished.set(id, `it is ${last.state}`);
    }
    const final: FinalState = {
      documents,
      workers: [],
      queues: [],
      outboxes: this.outboxes,
      leader: this.#leader(),
      followers: this.followers,
      masters: this.masters,
      drifts: this.drifts,
      unfinished,
      logs: this.logs,
    };
    return { events: this.#ledger.events, entries: this.#entries, final, conditions: this.conditions };
  }

  /** The entries as they are, for those lies that no honest builder could tell. */
  get entries(): LandedEntry[] {
    return this.#entries;
  }

  #leader(): LeaderMemory | null {
    if (this.leader !== "as the journal") return this.leader;
    const tasksByState: { [state: string]: number } = {};
    for (const { state } of this.#statuses.values()) tasksByState[state] = (tasksByState[state] ?? 0) + 1;
    return { seq: this.#entries.length, tasksByState, workers: [], queues: [] };
  }
}

export function spec(fields: Partial<TaskSpec> = {}): TaskSpec {
  const limits = {
    attemptsMax: 3,
    killsMax: null,
    timeoutMs: null,
    backoffBaseMs: 1000,
    backoffFactor: 2,
    backoffMaxMs: 60_000,
  };
  const base = { id: task, name: "t1", kind: "sleep", input: { seconds: 1 }, queue: "default", priority: 0 } as const;
  return { ...base, createdAt: 0, startAt: null, limits, fingerprint: null, ...fields };
}

export function status(fields: Partial<TaskStatus> = {}): TaskStatus {
  const base = { id: task, state: "created", attempt: 0, failures: 0, kills: 0, changedAt: 0 } as const;
  const run = (fields.attempt ?? 0) > 0 ? { host: worker, boot, assignedAt: 0 } : {};
  return { ...base, ...run, ...fields };
}

export function workerRecord(fields: Partial<WorkerRecord> = {}): WorkerRecord {
  const people = { hostname: "host", pid: 1, version: "1" };
  return {
    id: worker,
    boot,
    capacity: 1,
    queues: ["default"],
    isDraining: false,
    state: "connected",
    changedAt: 0,
    ...people,
    ...fields,
  };
}

export const created: readonly Write[] = [
  { kind: "spec", spec: spec() },
  { kind: "status", status: status() },
];

/** A worker comes, a task comes, runs, and succeeds: nothing to object to. */
export function goodHistory(): MadeHistory {
  return submitted()
    .status({ state: "running", attempt: 1 })
    .add({ kind: "sent-assign", life, worker, boot, task, attempt: 1 })
    .execStart(1)
    .later(1000)
    .hear()
    .execEnd(1, "success")
    .status({ state: "success", attempt: 1, output: { token: "token 1" } })
    .verdict(1, "committed")
    .hear();
}

/** The same, then the task is forgotten and its id used again by a task that succeeds as well. */
export function usedAgain(): MadeHistory {
  const made = goodHistory().entry({ kind: "forget-task", id: task, queue: "default", state: "success" });
  made.conditions = { ...made.conditions, retention: { retentionMs: 0, finishedTasksMax: 0 } };
  return made
    .later(500)
    .add({ kind: "submit-invoke", call: 2, key: "key", tasks: [{ id: null, body: "b" }] })
    .entry({ kind: "spec", spec: spec({ createdAt: 1500 }) }, { kind: "status", status: status() })
    .add({ kind: "acked-submit", life, ids: [task], areNew: [true] })
    .add({ kind: "submit-ok", call: 2, ids: [task] })
    .status({ state: "running", attempt: 1, assignedAt: 1500 })
    .execStart(1, { token: "token of the second", assignedAt: 1500 })
    .later(1000)
    .hear()
    .execEnd(1, "success", { token: "token of the second", assignedAt: 1500 })
    .status({ state: "success", attempt: 1, assignedAt: 1500, output: { token: "token of the second" } })
    .add({
      kind: "sent-verdict",
      life,
      worker,
      task,
      attempt: 1,
      assignedAt: 1500,
      verdict: "committed",
      outcome: "success",
    });
}

/** A worker is there, and a task is submitted, acknowledged and waiting. */
export function submitted(): MadeHistory {
  return new MadeHistory()
    .attach()
    .add({ kind: "submit-invoke", call: 1, key: "key", tasks: [{ id: null, body: "a" }] })
    .entry(...created)
    .add({ kind: "acked-submit", life, ids: [task] })
    .add({ kind: "submit-ok", call: 1, ids: [task] });
}
