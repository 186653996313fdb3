/**
 * I52: a backup does the work of one running task, on another worker; a task has one at most. A backup is over when its task is. A task ends
 * with the result of its backup only in the entry of that success, and with that result; it has as many failures then as before.
 */
import { prefixOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskSpec, type TaskStatus } from "../../model/task.ts";
import { checker, type Report } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { executionsByTask } from "./reading.ts";

export const backupsKept = checker(
  "I52",
  "backups are second runs of running tasks, and count nowhere",
  (history, report) => {
    const backups = new BackupsByJournal(history, report);
    for (const entry of history.entries) backups.take(entry);
  },
);

class BackupsByJournal {
  readonly #history: History;
  readonly #report: Report;
  readonly #specs = new Map<TaskId, TaskSpec>();
  readonly #statuses = new Map<TaskId, TaskStatus>();
  /** Backups by their tasks. */
  readonly #backups = new Map<TaskId, TaskId>();

  constructor(history: History, report: Report) {
    this.#history = history;
    this.#report = report;
  }

  take(entry: LandedEntry): void {
    const fresh: TaskSpec[] = [];
    const before = new Map<TaskId, TaskStatus | undefined>();
    for (const write of entry.writes) {
      if (write.kind === "spec") {
        this.#specs.set(write.spec.id, write.spec);
        this.#backups.delete(write.spec.id);
        if (write.spec.backupOf !== undefined) fresh.push(write.spec);
      } else if (write.kind === "status") {
        const { id } = write.status;
        if (!before.has(id)) before.set(id, this.#statuses.get(id));
        this.#statuses.set(id, write.status);
      }
    }
    for (const spec of fresh) this.#checkBegin(spec, entry);
    for (const [id, last] of before) this.#checkStep(id, last, entry);
  }

  #checkBegin({ id, kind, queue, parent, backupOf = id }: TaskSpec, { seq }: LandedEntry): void {
    const where = `the backup ${id} of entry ${seq}`;
    const task = this.#statuses.get(backupOf);
    const spec = this.#specs.get(backupOf);
    if (spec?.kind !== kind || spec.queue !== queue) this.#report(`${where} does other work than ${backupOf}`, id);
    if (spec?.parent === undefined || parent !== undefined) this.#report(`${where} counts as a child`, id);
    if (task?.state !== "running") this.#report(`${where} is of a task that is ${task?.state}`, id, backupOf);
    if (task?.host === this.#statuses.get(id)?.host) this.#report(`${where} runs where ${backupOf} does`, id, backupOf);
    if (this.#backups.has(backupOf)) this.#report(`${where} is the second one of ${backupOf}`, id, backupOf);
    if (task?.backup?.id !== id) this.#report(`${where} is not known to ${backupOf}`, id, backupOf);
    this.#backups.set(backupOf, id);
    this.#checkTime(id, backupOf, seq);
  }

  /** Nothing of the set waits, and most of it has ended. */
  #checkTime(id: TaskId, task: TaskId, seq: number): void {
    const siblings = [...this.#specs.values()].filter(
      (spec) => spec.parent !== undefined && prefixOf(spec.id) === prefixOf(task),
    );
    const states = siblings.map((spec) => this.#statuses.get(spec.id)?.state ?? "created");
    const ended = states.filter(isFinal).length;
    const waiting = states.filter((state) => !isFinal(state) && state !== "running").length;
    if (waiting > 0)
      this.#report(`the backup ${id} began in entry ${seq}, and ${waiting} siblings of ${task} waited`, id);
    if (ended < siblings.length / 2)
      this.#report(`the backup ${id} began in entry ${seq}, when ${ended} of ${siblings.length} had ended`, id);
  }

  #checkStep(id: TaskId, last: TaskStatus | undefined, { seq, order, writes }: LandedEntry): void {
    const status = this.#statuses.get(id);
    if (status === undefined || !isFinal(status.state)) return;
    const backup = this.#backups.get(id);
    const isReopened = writes.some((write) => write.kind === "reopen-task" && write.head.id === id);
    if (backup === undefined || isReopened || (last !== undefined && isFinal(last.state))) return;
    const other = this.#statuses.get(backup);
    if (other === undefined || !isFinal(other.state))
      this.#report(`${id} ended in entry ${seq}, and its backup ${backup} is ${other?.state}`, id, backup);
    if (status.backup?.isWinner !== true) return;
    const isNow = writes.some((write) => write.kind === "status" && write.status.id === backup);
    if (other?.state !== "success" || !isNow || status.state !== "success")
      this.#report(`${id} took the result of ${backup} in entry ${seq}, which is ${other?.state}`, id, backup);
    if (JSON.stringify(other?.output) !== JSON.stringify(status.output))
      this.#report(`${id} ended in entry ${seq} with another result than its backup ${backup}`, id, backup);
    // Its own attempt may have failed a moment before, in the same entry.
    const ownFailures = executionsByTask(this.#history)
      .get(id)
      ?.filter(
        ({ attempt, end, endOrder }) => attempt === last?.attempt && end === "failed" && (endOrder ?? order) < order,
      );
    const more = status.failures - (last?.failures ?? 0);
    if (more < 0 || more > (ownFailures?.length ?? 0) || status.kills !== (last?.kills ?? 0))
      this.#report(`${id} was held to have failed when its backup ${backup} succeeded, in entry ${seq}`, id, backup);
  }
}
