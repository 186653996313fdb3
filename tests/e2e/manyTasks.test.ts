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
