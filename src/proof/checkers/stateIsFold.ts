/** I18: the documents, and the leader's memory, are what the journal adds up to; and the journal is one unbroken chain. */
import type { TaskId } from "../../model/ids.ts";
import type { TaskState } from "../../model/task.ts";
import { checker, type Report } from "./checker.ts";
import type { History } from "./ledger.ts";
import { forgotten, recordsByWorker, specs, stepsByTask } from "./reading.ts";

export const stateIsFold = checker("I18", "state is the fold of the journal", (history, report) => {
  checkChain(history, report);
  for (const [task, steps] of stepsByTask(history)) {
    const last = steps.at(-1)?.status;
    const document = history.final.documents.get(task);
    if (last === undefined || document === undefined) continue;
    if (document.state !== last.state || document.attempt !== last.attempt) {
      report(
        `the document of ${task} says ${document.state}/${document.attempt}, its journal ${last.state}/${last.attempt}`,
        task,
      );
    }
  }
  for (const task of specs(history).keys()) {
    if (!stepsByTask(history).has(task)) report(`task ${task} has a spec and no status`, task);
  }
  checkMemory(history, report);
  checkMasters(history, report);
});

function checkChain(history: History, report: Report): void {
  let crc = 0;
  for (const entry of history.entries) {
    if (entry.previousCrc !== crc) report(`entry ${entry.seq} does not continue the chain of entry ${entry.seq - 1}`);
    crc = entry.crc;
  }
  for (const [index, { seq }] of history.entries.entries()) {
    if (seq !== index + 1) report(`entry ${seq} stands in place ${index + 1}`);
  }
}

function checkMemory(history: History, report: Report): void {
  const { leader } = history.final;
  // Its memory may be compared only where nothing has been committed since it was asked.
  if (leader === null || leader.seq !== history.entries.length) return;
  checkCounts(history, "the leader", leader.tasksByState, report);
  for (const { id, boot, running } of leader.workers) {
    const record = recordsByWorker(history).get(id)?.at(-1)?.record;
    if (record?.boot !== boot) report(`the leader has ${id} as ${boot}, its journal as ${record?.boot}`, id);
    if (running < 0) report(`the leader has ${running} slots of ${id} in use`, id);
    if (running !== runningOn(history, boot))
      report(`the leader has ${running} slots of ${id} in use, its journal ${runningOn(history, boot)}`, id);
  }
}

/** Standbys hold what the leader holds, and none of them ever found that it did not. */
function checkMasters(history: History, report: Report): void {
  const { masters, drifts } = history.final;
  if (drifts > 0) report(`standbys found ${drifts} times that their memory was not the leader's`);
  for (const { life, isLeader, seq, tasksByState } of masters) {
    if (!isLeader && seq === history.entries.length) checkCounts(history, `the standby ${life}`, tasksByState, report);
  }
}

function checkCounts(
  history: History,
  who: string,
  tasksByState: { readonly [state: string]: number },
  report: Report,
): void {
  const states = new Map<TaskState, number>();
  for (const [task, steps] of stepsByTask(history)) {
    const state = steps.at(-1)?.status.state;
    if (state !== undefined && !forgotten(history).has(task)) states.set(state, (states.get(state) ?? 0) + 1);
  }
  for (const state of new Set([...states.keys(), ...Object.keys(tasksByState)])) {
    const inJournal = states.get(state as TaskState) ?? 0;
    const inMemory = tasksByState[state] ?? 0;
    if (inJournal !== inMemory) report(`${who} counts ${inMemory} tasks as ${state}, the journal ${inJournal}`);
  }
}

function runningOn(history: History, boot: string): number {
  const isRunning = (task: TaskId): boolean => {
    const status = stepsByTask(history).get(task)?.at(-1)?.status;
    return status?.state === "running" && status.boot === boot;
  };
  return [...stepsByTask(history).keys()].filter(isRunning).length;
}
