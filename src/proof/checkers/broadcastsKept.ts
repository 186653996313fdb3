/**
 * I51: a broadcast becomes, in one entry, one child for each worker that is there then and could take it; each child runs on its
 * worker only; its outcome is that of its children; and a child whose worker is gone for good fails, and no other does so.
 */
import { prefixOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskSpec, type TaskStatus } from "../../model/task.ts";
import type { WorkerRecord } from "../../model/worker.ts";
import { checker, type Report } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { canRun } from "./reading.ts";
import { troubledMs } from "./troubles.ts";

/** How often a leader looks for it, and what a decision and its commit take. */
const slackMs = 5_000;

export const broadcastsKept = checker("I51", "broadcasts reach each worker once", (history, report) => {
  const board = new Board(history, report);
  for (const entry of history.entries) board.take(entry);
});

class Board {
  readonly #history: History;
  readonly #report: Report;
  readonly #specs = new Map<TaskId, TaskSpec>();
  readonly #statuses = new Map<TaskId, TaskStatus>();
  readonly #workers = new Map<string, WorkerRecord>();
  /** The entry in which each worker was given up. */
  readonly #goneSince = new Map<string, LandedEntry>();
  /** Children by the prefix of their set. */
  readonly #sets = new Map<string, TaskId[]>();
  /** Children that have not ended: since which entry their worker is gone or unable, and since when they do not run. */
  readonly #open = new Map<TaskId, { awaySince: LandedEntry | null; idleSince: number | null }>();

  constructor(history: History, report: Report) {
    this.#history = history;
    this.#report = report;
  }

  take(entry: LandedEntry): void {
    const changed = new Set<string>();
    const made = new Map<string, TaskSpec[]>();
    const before = new Map(this.#workers);
    for (const write of entry.writes) {
      if (write.kind === "record" && write.collection === "workers") {
        changed.add(write.id);
        if (write.value === null) this.#workers.delete(write.id);
        else this.#workers.set(write.id, write.value);
        if (write.value?.state === "connected") this.#goneSince.delete(write.id);
        else if (!this.#goneSince.has(write.id)) this.#goneSince.set(write.id, entry);
        for (const [id, child] of this.#open) {
          if (this.#workerOf(id) !== write.id) continue;
          child.awaySince = this.#isAble(id) ? null : (child.awaySince ?? entry);
        }
      }
      if (write.kind === "spec") {
        this.#specs.set(write.spec.id, write.spec);
        const { parent } = write.spec;
        if (parent === undefined || this.#specs.get(parent)?.broadcast !== true) continue;
        const prefix = prefixOf(write.spec.id);
        made.set(prefix, [...(made.get(prefix) ?? []), write.spec]);
        this.#open.set(write.spec.id, { awaySince: null, idleSince: entry.landedAt });
      }
      if (write.kind === "status") this.#takeStatus(write.status, entry);
      if (write.kind === "forget-task") {
        this.#specs.delete(write.id);
        this.#statuses.delete(write.id);
        this.#sets.delete(prefixOf(write.id));
      }
    }
    for (const [prefix, specs] of made) this.#checkMade(prefix, specs, before, changed, entry);
    for (const write of entry.writes) if (write.kind === "status") this.#checkEnd(write.status.id, entry);
  }

  #takeStatus(status: TaskStatus, entry: LandedEntry): void {
    const { id, state, host } = status;
    const last = this.#statuses.get(id);
    this.#statuses.set(id, status);
    const worker = this.#workerOf(id);
    if (worker === null) return;
    if (state === "running" && status.attempt !== last?.attempt && host !== worker)
      this.#report(`${id} is for ${worker}, and was started on ${host} in entry ${entry.seq}`, id);
    const awaySince = this.#isAble(id) ? null : (this.#goneSince.get(worker) ?? entry);
    const child = this.#open.get(id) ?? { awaySince, idleSince: null };
    this.#open.set(id, child);
    if (state === "failed" && status.error?.code === "worker-gone") this.#checkGone(id, worker, entry);
    else if (isFinal(state) || state === "running") this.#checkInTime(id, worker, entry);
    child.idleSince = state === "running" ? null : (child.idleSince ?? entry.landedAt);
    if (isFinal(state)) this.#open.delete(id);
  }

  /** True if the worker that it is for is there and could run it. */
  #isAble(id: TaskId): boolean {
    const spec = this.#specs.get(id);
    const record = this.#workers.get(this.#workerOf(id) ?? "");
    return record?.state === "connected" && spec !== undefined && canRun(record, spec);
  }

  /** The worker that a child of a broadcast is for; null for any other task. */
  #workerOf(id: TaskId): string | null {
    const spec = this.#specs.get(id);
    if (spec?.parent === undefined || this.#specs.get(spec.parent)?.broadcast !== true) return null;
    return workerIn(spec);
  }

  #checkMade(
    prefix: string,
    made: readonly TaskSpec[],
    before: ReadonlyMap<string, WorkerRecord>,
    changed: ReadonlySet<string>,
    entry: LandedEntry,
  ): void {
    const parent = this.#specs.get(made[0]?.parent as TaskId);
    if (parent === undefined) return;
    if (this.#sets.has(prefix)) this.#report(`${parent.id} was given more children in entry ${entry.seq}`, parent.id);
    this.#sets.set(
      prefix,
      made.map(({ id }) => id),
    );
    const { broadcast: _, ...alike } = parent;
    const wanted = [...before.values()].filter(
      (record) => record.state === "connected" && !record.isDraining && canRun(record, alike),
    );
    // What happened to a worker in the same entry may have come before or after.
    const names = (list: readonly (string | null)[]): readonly string[] =>
      list.flatMap((each) => (each === null || changed.has(each) ? [] : [each])).sort();
    const [actual, expected] = [names(made.map(workerIn)), names(wanted.map(({ id }) => id))];
    if (JSON.stringify(actual) !== JSON.stringify(expected))
      this.#report(
        `${parent.id} was made into children for ${actual.join(" ")} in entry ${entry.seq}, and ${expected.join(" ")} were there`,
        parent.id,
      );
  }

  #checkEnd(id: TaskId, entry: LandedEntry): void {
    const status = this.#statuses.get(id);
    if (this.#specs.get(id)?.broadcast !== true || status === undefined || !isFinal(status.state)) return;
    const children = [...this.#sets.values()].flat().filter((child) => this.#specs.get(child)?.parent === id);
    const latest = children.at(-1);
    const present = children.filter((child) => latest !== undefined && prefixOf(child) === prefixOf(latest));
    const failed = present.filter((child) => this.#statuses.get(child)?.state !== "success");
    if (status.state === "success" && (failed.length > 0 || present.length === 0))
      this.#report(
        `${id} succeeded in entry ${entry.seq}, and ${failed.length} of its children did not`,
        id,
        ...failed,
      );
    if (status.error?.code === "broadcast-failed" && failed.length === 0)
      this.#report(`${id} failed in entry ${entry.seq}, and all of its children succeeded`, id);
  }

  #checkGone(id: TaskId, worker: string, entry: LandedEntry): void {
    const { broadcastAwayMs = 0 } = this.#history.conditions;
    const since = this.#open.get(id)?.awaySince ?? entry;
    // By true time, or by the clock of the leader, whose commit may have been slow.
    const awayMs = Math.max(entry.landedAt - since.landedAt, entry.at - since.at);
    if (awayMs < broadcastAwayMs * 0.9)
      this.#report(`${id} failed in entry ${entry.seq} after ${worker} was away for ${awayMs} ms only`, id, worker);
  }

  /** It did not wait for a worker that was gone, longer than a leader lets it. */
  #checkInTime(id: TaskId, worker: string, entry: LandedEntry): void {
    const { broadcastAwayMs } = this.#history.conditions;
    const { awaySince = null, idleSince = null } = this.#open.get(id) ?? {};
    if (broadcastAwayMs === undefined || awaySince === null || idleSince === null) return;
    const from = Math.max(awaySince.landedAt, idleSince);
    const to = entry.landedAt;
    const allowedMs = broadcastAwayMs * 1.5 + slackMs + 3 * troubledMs(this.#history, { from, to });
    if (to - from > allowedMs)
      this.#report(
        `${id} waited until entry ${entry.seq} for ${worker}, which had gone ${to - from} ms before`,
        id,
        worker,
      );
  }
}

function workerIn({ requires = [] }: TaskSpec): string | null {
  return requires.find((label) => label.startsWith("worker="))?.slice("worker=".length) ?? null;
}
