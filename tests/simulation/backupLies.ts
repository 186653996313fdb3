/** Lies about backups: whose they are, when they begin, and whose result counts. */
import type { Write } from "../../src/model/entry.ts";
import { backupId, childId, childPrefix } from "../../src/model/family.ts";
import type { TaskId, WorkerId } from "../../src/model/ids.ts";
import type { TaskSpec, TaskStatus } from "../../src/model/task.ts";
import { MadeHistory, spec, status, task } from "./madeHistory.ts";

const child = (index: number) => childId(childPrefix(task, 0, "maps"), index);
const slow = child(0);
const backup = backupId(slow);
const here = { host: "here" as WorkerId };
const there = { host: "there" as WorkerId };

const specOf = (id: TaskId, fields: Partial<TaskSpec>): Write => ({ kind: "spec", spec: spec({ id, ...fields }) });
const statusOf = (id: TaskId, fields: Partial<TaskStatus>): Write => ({
  kind: "status",
  status: status({ id, attempt: 1, ...fields }),
});

/** Two children; all but the first `left` have ended. */
function family(left = 1): MadeHistory {
  const children = [0, 1].flatMap((index) => [
    specOf(child(index), { parent: task, depth: 1 }),
    statusOf(child(index), index < left ? { state: "running", ...here } : { state: "success", output: "done" }),
  ]);
  return new MadeHistory().entry(specOf(task, {}), statusOf(task, { state: "waiting" }), ...children);
}

function begun(fields: Partial<TaskSpec> = {}, own: Partial<TaskStatus> = {}, left = 1): MadeHistory {
  return family(left).entry(
    specOf(backup, { backupOf: slow, ...fields }),
    statusOf(backup, { state: "running", ...there, ...own }),
    statusOf(slow, { state: "running", ...here, backup: { id: backup } }),
  );
}

const won = { state: "success", backup: { id: backup, isWinner: true }, output: "done" } as const;

/** What is allowed: either of the two is first, and the other is ended in the same entry. */
export const goodBackups: { readonly [what: string]: () => MadeHistory } = {
  "the backup is first": () =>
    begun().entry(statusOf(backup, { state: "success", output: "done" }), statusOf(slow, won)),
  "the task is first": () =>
    begun().entry(
      statusOf(slow, { state: "success", output: "own", backup: { id: backup } }),
      statusOf(backup, { state: "cancelled" }),
    ),
  "the backup fails": () =>
    begun()
      .entry(statusOf(backup, { state: "failed" }))
      .entry(statusOf(slow, { state: "success", backup: { id: backup } })),
};

export const backupLies = {
  I52: {
    "a backup does other work": () => begun({ kind: "http" }),
    "a backup is a child": () => begun({ parent: task }),
    "a backup runs where its task does": () => begun({}, here),
    "a backup is of a task that has ended": () =>
      family().entry(
        statusOf(slow, { state: "success", backup: { id: backup } }),
        specOf(backup, { backupOf: slow }),
        statusOf(backup, { state: "running", ...there }),
      ),
    "a task does not know its backup": () =>
      family().entry(specOf(backup, { backupOf: slow }), statusOf(backup, { state: "running", ...there })),
    "a task has two backups": () =>
      begun()
        .entry(statusOf(backup, { state: "failed" }))
        .entry(
          specOf(`${backup}2` as TaskId, { backupOf: slow }),
          statusOf(`${backup}2` as TaskId, { state: "running", ...there }),
          statusOf(slow, { state: "running", ...here, backup: { id: `${backup}2` as TaskId } }),
        ),
    "a backup begins when no child has ended": () => begun({}, {}, 2),
    "a backup outlives its task": () => begun().entry(statusOf(slow, { state: "success", backup: { id: backup } })),
    "a task ends with the result of a backup that runs on": () => begun().entry(statusOf(slow, won)),
    "a task ends with another result": () =>
      begun().entry(statusOf(backup, { state: "success", output: "done" }), statusOf(slow, { ...won, output: "?" })),
    "a task ends later than the backup that it takes the result of": () =>
      begun()
        .entry(statusOf(backup, { state: "success", output: "done" }))
        .entry(statusOf(slow, won)),
    "the loser counts as failed": () =>
      begun().entry(statusOf(backup, { state: "success", output: "done" }), statusOf(slow, { ...won, failures: 1 })),
  },
} satisfies { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } };
