/** What is done to many tasks or workers at once, on a real cluster whose processes are killed in the middle. */
import { expect, test } from "vitest";
import { limits } from "../../src/model/limits.ts";
import { scene } from "./scene.ts";

test("a retry of many goes on over the death of the master, and opens each task once", () =>
  scene(["master"], async (play) => {
    // More than one answer tells of.
    const ids = Array.from({ length: limits.bulkPageMax + 20 }, (_, index) => `t${index}`);
    await play.client.pause("default");
    await play.client.submitAll(ids.map((id) => ({ id, kind: "sleep", input: { seconds: 0 } })));
    for await (const _ of play.client.bulk.cancel({ queue: "default" }));
    const retried: string[] = [];
    for await (const { id } of play.client.bulk.retry({ queue: "default", states: ["cancelled"] })) {
      retried.push(id);
      if (retried.length > 1) continue;
      await play.cluster.kill("master");
      await play.cluster.start("master");
    }
    expect(retried.toSorted()).toEqual(ids.toSorted());
    for await (const { id, state } of play.client.iterate()) expect(`${id} ${state}`).toBe(`${id} created`);
    const opened = (await play.journal()).filter(({ state }) => state === "created");
    expect(opened.map(({ task }) => task).toSorted()).toEqual([...ids, ...ids].toSorted());
  }));

test("the deletion of a large family goes on over the death of the master, and leaves nothing of it", () =>
  scene(["master"], async (play) => {
    // More than one call deletes.
    const count = limits.bulkFamilyTasksMax + 1_000;
    const node = { kind: "nobody-has-this", input: {} };
    const tasks = Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, node]));
    await play.client.submit({ id: "g", kind: "graph", input: { tasks } });
    await play.client.submit({ id: "other", ...node });
    const made = async () => (await play.client.get("g")).family?.children === count;
    await play.until("all nodes to be there", made, 60_000);
    await play.client.cancel("g");
    await play.until("all to end", async () => (await play.client.get("g")).state === "cancelled", 60_000);
    const deleted: string[] = [];
    const deleting = (async () => {
      for await (const { id } of play.client.bulk.delete({ states: ["cancelled"] })) deleted.push(id);
    })();
    const firstGone = async () =>
      (await play.client.list({ parent: "g", order: "oldest", limit: 1 })).tasks[0]?.name !== "n0";
    await play.until("the first to be gone", firstGone);
    await play.cluster.kill("master");
    await play.cluster.start("master");
    await deleting;
    expect(deleted).toEqual(["g"]);
    const left: string[] = [];
    for await (const { id } of play.client.iterate()) left.push(id);
    expect(left).toEqual(["other"]);
  }));

test("a broadcast reaches each worker once, though its master and a worker are killed in the middle", () =>
  scene(["master", "worker-1", "worker-2"], async (play) => {
    await play.client.submit({ id: "all", kind: "sleep", input: { seconds: 2 }, broadcast: true });
    const begun = await play.until("its children to start on both", () => {
      const starts = play.cluster.ledger().filter(({ kind }) => kind === "started");
      return starts.length === 2 && starts;
    });
    expect(begun.map(({ process }) => process).toSorted()).toEqual(["worker-1", "worker-2"]);
    await play.cluster.kill("worker-2", "master");
    await play.cluster.start("master");
    await play.until("the loss of the worker", async () =>
      (await play.client.workers()).some(({ id, state }) => id === "worker-2" && state === "lost"),
    );
    await play.cluster.start("worker-3");
    await play.cluster.start("worker-2");
    await play.success("all");
    const starts = play.cluster.ledger().filter(({ kind }) => kind === "started");
    expect(starts.map(({ process, attempt }) => `${process} ${attempt}`).toSorted()).toEqual([
      ...["worker-1 1", "worker-2 1", "worker-2 2"],
    ]);
  }));
