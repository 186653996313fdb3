/** What belongs to tasks outside of a reader's queues is not there for it. */
import { expect, test } from "vitest";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import type { TaskDocument } from "../../model/task.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { ScopedMaster } from "./scopedMaster.ts";

function masterOf(...queues: string[]) {
  const master = new FakeMasterApi();
  for (const queue of queues) {
    const id = `t-${queue}` as TaskId;
    const run = { attempt: 1, host: "w" as WorkerId, boot: "b" as BootId, assignedAt: 1 };
    master.tasks.set(id, { id, name: id, queue, state: "running", ...run } as unknown as TaskDocument);
  }
  return master;
}

const page = { cursor: null, limit: 10 };

test("children, steps and attempts of a task elsewhere are those of an unknown task", async () => {
  const { views } = new ScopedMaster(masterOf("own", "foreign"), { name: "token:x", queues: ["own"] });
  for (const [id, isThere] of [
    ["t-own", true],
    ["t-foreign", false],
  ] as const) {
    const task = id as TaskId;
    const calls = [
      views.children(task, { order: "oldest", ...page }),
      views.steps(task, page),
      views.attempts(task, page),
    ];
    for (const call of calls) {
      if (isThere) await expect(call).resolves.toMatchObject({ cursor: null });
      else await expect(call).rejects.toMatchObject({ code: "not-found" });
    }
  }
});

test("the list of all attempts holds only those of the reader's tasks", async () => {
  const list = async (queues?: readonly string[]) => {
    const actor = { name: "token:x", ...(queues !== undefined && { queues }) };
    const { views } = new ScopedMaster(masterOf("own", "foreign"), actor);
    const { attempts } = await views.listAttempts({ from: 0, to: 10, ...page });
    return attempts.map(({ task }) => task);
  };
  expect(await list()).toEqual(["t-own", "t-foreign"]);
  expect(await list(["own"])).toEqual(["t-own"]);
});
