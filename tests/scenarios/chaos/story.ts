/** A short story of a run in which everything happened that can, told truly: for tests that tell it with a lie in it. */

import type { Write } from "../../../src/model/entry.ts";
import type { BootId, Nonce, TaskId, WorkerId } from "../../../src/model/ids.ts";
import { defaults } from "../../../src/model/limits.ts";
import type { TaskDocument, TaskSpec, TaskStatus } from "../../../src/model/task.ts";
import { holds } from "../../../src/proof/chaos/check.ts";
import { checkAll } from "../../../src/proof/chaos/checks.ts";
import type { Evidence, JournalEntry } from "../../../src/proof/chaos/evidence.ts";
import type { Strike } from "../../../src/proof/chaos/faults.ts";
import type { ClientLine, ExecLine } from "../../../src/proof/chaos/ledger.ts";
import type { LedgerFact } from "../../../src/proof/cluster/attemptLines.ts";
import type { Life } from "../../../src/proof/cluster/lives.ts";
import { workerWrite } from "../../../src/proof/contracts/storeJournal.ts";

type Changing<Value> = { -readonly [Key in keyof Value]: Value[Key] };

const bootA = "boot-a" as BootId;
const bootB = "boot-b" as BootId;

function spec(id: string, kind: "sleep" | "exec"): TaskSpec {
  const { attemptsMax, backoffBaseMs, backoffFactor, backoffMaxMs } = defaults;
  return {
    id: id as TaskId,
    name: id,
    kind,
    input: kind === "sleep" ? { seconds: 0.5 } : { command: ["true"] },
    queue: "default",
    priority: 0,
    createdAt: 100,
    startAt: null,
    limits: { attemptsMax, killsMax: null, timeoutMs: null, backoffBaseMs, backoffFactor, backoffMaxMs },
    fingerprint: null,
  };
}

function status(id: string, state: TaskStatus["state"], attempt: number, more: Partial<TaskStatus> = {}): TaskStatus {
  return { id: id as TaskId, state, attempt, failures: 0, kills: 0, changedAt: 0, ...more };
}

function onWorker(number: 1 | 2): Partial<TaskStatus> {
  return { host: `worker-${number}` as WorkerId, boot: number === 1 ? bootA : bootB };
}

/** Writes as entries of the journal, one each, in an unbroken chain. */
function journal(rows: readonly (readonly [at: number, epoch: number, ...writes: Write[]])[]): JournalEntry[] {
  return rows.map(([at, epoch, ...writes], index) => ({
    seq: index + 1,
    epoch,
    nonce: `nonce-${epoch}` as Nonce,
    at,
    format: 1,
    previousCrc: index === 0 ? 0 : 1000 + index,
    crc: 1001 + index,
    writes,
  }));
}

export function fact(
  at: number,
  kind: LedgerFact["kind"],
  worker: 1 | 2,
  task: string,
  attempt: number,
  outcome?: string,
): LedgerFact {
  const boot = worker === 1 ? bootA : bootB;
  return { at, kind, task, attempt, boot, outcome: outcome ?? null, process: `worker-${worker}`, life: 1 };
}

function life(process: string, endedAt: number, cause: Life["cause"]): Life {
  const role = process.startsWith("master") ? "master" : "worker";
  return { process, role, number: 1, startedAt: 0, readyAt: 50, endedAt, cause, exit: "" };
}

export function exec(at: number, kind: ExecLine["kind"], attempt: number): ExecLine {
  return { kind, at, task: "b", attempt, worker: "worker-2", boot: bootB, pid: 7 };
}

function written(status: TaskStatus): Write {
  return { kind: "status", status };
}

function worker(number: 1 | 2): Write {
  const { host = "" as WorkerId, boot = bootA } = onWorker(number);
  const about = { capacity: 4, queues: ["default"], hostname: "here", pid: number, version: "1", changedAt: 80 };
  return workerWrite({ id: host, boot, isDraining: false, state: "connected", ...about });
}

/**
 * Worker 1 is shot while it runs `a`, the leader a little later; `a` runs again on worker 2, and `b`, a command, fails once and
 * then succeeds.
 */
export class Story {
  entries: JournalEntry[] = journal([
    [60, 1, { kind: "marker", address: "http://127.0.0.1:1", collections: {} }],
    [80, 1, worker(1), worker(2)],
    [100, 1, { kind: "spec", spec: spec("a", "sleep") }, written(status("a", "running", 1, onWorker(1)))],
    [120, 1, { kind: "spec", spec: spec("b", "exec") }, written(status("b", "running", 1, onWorker(2)))],
    [320, 1, written(status("a", "killed", 1, { ...onWorker(1), kills: 1 }))],
    [420, 2, { kind: "marker", address: "http://127.0.0.1:2", collections: {} }],
    [430, 2, written(status("a", "running", 2, { ...onWorker(2), kills: 1 }))],
    [
      440,
      2,
      written(
        status("b", "retrying", 1, {
          ...onWorker(2),
          failures: 1,
          changedAt: 440,
          retryAt: 1000,
          error: { code: "exit", message: "" },
        }),
      ),
    ],
    [1000, 2, written(status("b", "running", 2, { ...onWorker(2), failures: 1 }))],
    [1010, 2, written(status("a", "success", 2, { ...onWorker(2), kills: 1 }))],
    [1210, 2, written(status("b", "success", 2, { ...onWorker(2), failures: 1 }))],
  ]);
  facts: LedgerFact[] = [
    fact(105, "started", 1, "a", 1),
    fact(125, "started", 2, "b", 1),
    fact(435, "ended", 2, "b", 1, "failed"),
    fact(440, "started", 2, "a", 2),
    fact(945, "ended", 2, "a", 2, "success"),
    fact(1005, "started", 2, "b", 2),
    fact(1205, "ended", 2, "b", 2, "success"),
  ];
  executed: ExecLine[] = [exec(130, "exec-start", 1), exec(1008, "exec-start", 2), exec(1200, "exec-end", 2)];
  clients: ClientLine[] = [
    { at: 90, session: "client-1", kind: "submit-invoke", call: 1, key: "k", tasks: [{ id: "a", body: "A" }] },
    { at: 104, session: "client-1", kind: "submit-ok", call: 1, ids: ["a"] },
    { at: 110, session: "client-1", kind: "submit-invoke", call: 2, key: "l", tasks: [{ id: "b", body: "B" }] },
    { at: 124, session: "client-1", kind: "submit-ok", call: 2, ids: ["b"] },
    { at: 500, session: "client-1", kind: "read", task: "a", state: "running", attempt: 2 },
    { at: 1100, session: "client-1", kind: "read", task: "a", state: "success", attempt: 2 },
  ];
  documents: Changing<TaskDocument>[] = [
    { ...spec("a", "sleep"), ...status("a", "success", 2, { ...onWorker(2), kills: 1 }) },
    { ...spec("b", "exec"), ...status("b", "success", 2, { ...onWorker(2), failures: 1 }) },
  ];
  lives: Changing<Life>[] = [
    life("master-1", 330, "killed"),
    life("master-2", 2000, "stopped"),
    life("worker-1", 300, "killed"),
    life("worker-2", 2000, "stopped"),
  ];
  strikes: Strike[] = [strike(1, "kill", "worker-1", 300, 400), strike(2, "kill", "master-1", 330, 400)];
  outboxes = new Map([["worker-2", 0]]);
  left: string[] = [];
  orphans: Evidence["orphans"] = { isKnown: true, whileIdle: [], afterEnd: [] };
  drifts = 0;
  storeFindings: string[] = [];
  surprises: string[] = [];
  failedFaults: string[] = [];

  evidence(): Evidence {
    const { left, ...rest } = this;
    return {
      ...rest,
      startedAt: 0,
      faultsAt: 200,
      healedAt: 1300,
      endedAt: 2000,
      masters: new Map([
        ["http://127.0.0.1:1", "master-1"],
        ["http://127.0.0.1:2", "master-2"],
      ]),
      quiet: { boundMs: 1000, tookMs: 200, left },
      capacity: 4,
    };
  }

  /** What the checks say is broken. */
  broken(): string[] {
    return checkAll(this.evidence())
      .filter((check) => !holds(check))
      .map((check) => check.promise);
  }

  status(index: number): Changing<TaskStatus> {
    const write = this.entries[index]!.writes.find((each) => each.kind === "status");
    return write!.status;
  }
}

function strike(number: number, kind: Strike["kind"], at: string, startedAt: number, endedAt: number): Strike {
  return {
    number,
    atMs: startedAt,
    kind,
    at,
    to: null,
    forMs: endedAt - startedAt,
    amount: null,
    startedAt,
    endedAt,
    hit: [at],
  };
}
