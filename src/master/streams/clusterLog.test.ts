/** The master's log tells of workers that come, leave and are lost, and of the attempts that go with them. */
import { expect, test } from "vitest";
import type { TaskStep } from "../../core/scheduler/tasks.ts";
import type { TaskId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { workerRecord, workerWrite } from "../../proof/contracts/storeJournal.ts";
import { ClusterLog } from "./clusterLog.ts";

function record() {
  const lines: [string, string, object][] = [];
  const to = (level: string) => (message: string, fields?: object) => void lines.push([level, message, fields ?? {}]);
  const log = { debug: to("debug"), info: to("info"), warn: to("warn"), error: to("error") };
  return { lines, clusterLog: new ClusterLog(log) };
}

const id = "w1" as WorkerId;

test("each change of a worker is told once", () => {
  const { lines, clusterLog } = record();
  const worker = { ...workerRecord("w1"), state: "connected" as const };
  clusterLog.note(workerWrite(worker));
  clusterLog.note(workerWrite({ ...worker, changedAt: 9 }));
  clusterLog.note(workerWrite({ ...worker, isDraining: true }));
  clusterLog.note(workerWrite({ ...worker, state: "lost" }));
  clusterLog.note(workerWrite({ ...worker, state: "connected" }));
  clusterLog.note(workerWrite({ ...worker, state: "gone" }));
  clusterLog.note({ kind: "record", collection: "workers", id, value: null });
  expect(lines.map(([level, message]) => `${level} ${message}`)).toEqual([
    "info a worker has attached",
    "info a worker drains",
    "warn a worker is lost and was given up",
    "info a worker has attached",
    "info a worker has left",
  ]);
});

test("attempts that were given up are counted by worker, and some of their tasks named", () => {
  const { lines, clusterLog } = record();
  const step = (task: string, host: WorkerId, to: TaskStep["to"]): TaskStep => ({
    ...{ task: task as TaskId, host, queue: "default", kind: "sleep", from: "running", to, since: 0, losses: 1 },
  });
  const many = Array.from({ length: limits.loggedTasksMax + 5 }, (_, index) => step(`t${index}`, id, "killed"));
  clusterLog.noteSteps([...many, step("a", "w2" as WorkerId, "killed"), step("b", id, "success")]);
  expect(lines.map(([level, , fields]) => [level, fields])).toMatchObject([
    [
      "warn",
      { worker: "w1", attempts: many.length, tasks: many.slice(0, limits.loggedTasksMax).map(({ task }) => task) },
    ],
    ["warn", { worker: "w2", attempts: 1, tasks: ["a"] }],
  ]);
});

test("a task that loses its worker again and again is named", () => {
  const { lines, clusterLog } = record();
  const step = { host: id, queue: "default", kind: "sleep", from: "running", to: "killed", since: 0 } as const;
  clusterLog.noteSteps([1, 2, 3].map((losses) => ({ ...step, task: `t${losses}` as TaskId, losses })));
  const named = lines.filter(([, message]) => message.includes("alone"));
  expect(named.map(([, , fields]) => fields)).toEqual([{ task: "t3", losses: 3 }]);
});
