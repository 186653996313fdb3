/** Bugs in backups: who gets one, whose result counts, and what becomes of the other. */
import type { Mutant } from "./mutant.ts";

const module = "src/core/scheduler/backupsModule.ts";
const attempts = "src/core/scheduler/attempts.ts";

export const backupMutants: readonly Mutant[] = [
  {
    name: "gives a backup to the worker that runs the task already",
    patches: [{ file: module, search: " || worker.id === run?.host", replace: " || worker.id !== run?.host" }],
  },
  {
    name: "starts backups while other children of the set wait",
    patches: [
      {
        file: module,
        search: "  if (!isSealed || isBroken || open === 0 || (set.unfinished.running ?? 0) < open) return false;",
        replace: "  if (!isSealed || isBroken || open === 0 || (set.unfinished.running ?? 0) < 1) return false;",
      },
      { file: module, search: "  if (lanes.hasMatch || !", replace: "  if (!" },
      { file: module, search: "ended >= defaults.backupEndedShare * created", replace: "ended > 0 * created" },
    ],
  },
  {
    name: "starts backups when hardly any child has ended",
    patches: [{ file: module, search: "ended >= defaults.backupEndedShare * created", replace: "ended > 0 * created" }],
  },
  {
    name: "does not remember that a task has had a backup",
    patches: [
      {
        file: "src/core/scheduler/liveTask.ts",
        search: "  if (task.backup !== null) status.backup = task.backup;",
        replace: "  if (task.backup?.isWinner === true) status.backup = task.backup;",
      },
      {
        file: "src/core/scheduler/digest.ts",
        search: "  if (task.backup !== null) hash = hashNumber(hash, task.backup.isWinner === true ? 2 : 1);\n",
        replace: "",
      },
    ],
  },
  {
    name: "lets a backup run on when its task has ended",
    patches: [
      {
        file: module,
        search: "      if (backup !== undefined) cancelTask(state, batch, backup);",
        replace: "      void backup;",
      },
    ],
  },
  {
    name: "lets a task run on when its backup has succeeded",
    patches: [
      {
        file: attempts,
        search: "  if (task?.backup?.id !== backup.id || isEnding(task)) return;",
        replace: "  if (task?.backup?.id !== backup.id || isEnding(task) || task !== null) return;",
      },
    ],
  },
  {
    name: "takes the result of a backup without ending the process of its task",
    patches: [
      {
        file: attempts,
        search:
          '  if (task.state === "running") abortOnWorker(state, batch, task, { reason: "killed", outcome: "success" });\n  else {',
        replace: '  if (task.state === "running") leaveWorker(state, task);\n  else {',
      },
    ],
  },
  {
    name: "gives a task whose backup succeeded no result",
    patches: [
      {
        file: attempts,
        search:
          '  if (output !== undefined) pinBlobs(state, batch, task, output);\n  finish(state, batch, task, "success", output);\n}',
        replace: '  finish(state, batch, task, "success");\n}',
      },
    ],
  },
  {
    name: "counts a failure against a task whose backup succeeds",
    patches: [
      {
        file: attempts,
        search: "  task.backup = { id: backup.id, isWinner: true };",
        replace: "  task.backup = { id: backup.id, isWinner: true };\n  task.failures += 1;",
      },
    ],
  },
  {
    name: "runs a backup again when it has lost its worker",
    patches: [
      { file: module, search: "attemptsMax: 1, killsMax: 0 }", replace: "attemptsMax: 1 }" },
      { file: attempts, search: " || task.backupOf !== null) cancelTask", replace: ") cancelTask" },
    ],
  },
  {
    name: "gives a backup the input of nothing",
    patches: [
      {
        file: attempts,
        search: "    ...(task.backupOf !== null && { payloadOf: task.backupOf }),\n",
        replace: "",
      },
    ],
  },
];
