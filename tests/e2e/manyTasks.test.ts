/** What is done to many tasks or workers at once, on a real cluster whose processes are killed in the middle. */
import { expect, test } from "vitest";
import { scene } from "./scene.ts";

test("a retry of many goes on over the death of the master, and opens each task once", () =>
  scene(
    ["master", "worker-1"],
    async (play) => {
      const ids = Array.from({ length: 300 }, (_, index) => `t${index}`);
      await play.client.pause("default");
      await play.client.submitAll(ids.map((id) => ({ id, kind: "sleep", input: { seconds: 0 }, queue: "default" })));
      for await (const _ of play.client.bulk.cancel({ queue: "default" }));
      const retry = (async () => {
        for await (const { refused } of play.client.bulk.retry({ queue: "default", states: ["cancelled"] }))
          expect(refused).toBeUndefined();
      })();
      await play.until("the first to be open", async () => {
        const { tasks } = await play.client.list({ queue: "default", states: ["created"], limit: 1 });
        return tasks.length > 0;
      });
      await play.cluster.kill("master");
      await play.cluster.start("master");
      await retry;
      await play.client.resume("default");
      for (const id of ids) await play.success(id);
      const opened = (await play.journal()).filter(({ state }) => state === "created");
      expect(opened.map(({ task }) => task).toSorted()).toEqual([...ids, ...ids].toSorted());
      expect(ids.filter((id) => play.starts(id).length !== 1)).toEqual([]);
    },
    { capacity: 8 },
  ));

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
