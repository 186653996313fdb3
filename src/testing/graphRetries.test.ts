/** Retries of graphs over a whole cluster: what failed or was skipped runs again, what succeeded stays, and deaths change nothing. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { limits } from "../model/limits.ts";
import type { TaskDocument } from "../model/task.ts";
import { defineTask } from "../sdk/handler/definition.ts";
import { type TestCluster, testCluster } from "./testCluster.ts";

/** Names of nodes that fail. */
let broken = new Set<string>();
let cluster: TestCluster;

const node = defineTask({
  name: "node",
  attemptsMax: 1,
  async run({ name, takes }: { name: string; takes?: unknown }, ctx) {
    await ctx.step("begun", () => cluster.effect(name));
    if (broken.has(name)) throw new Error(`${name} is broken`);
    return takes === undefined ? name : { name, takes };
  },
});

const parent = defineTask({
  name: "parent",
  attemptsMax: 1,
  run: async (names: readonly string[], ctx) =>
    ctx.all(
      "nodes",
      names.map((name) => node.task({ name })),
    ),
});

const pause = defineTask({ name: "pause", run: (_: null, ctx) => ctx.sleep("pause", "1h") });

interface Links {
  readonly after?: readonly string[];
  readonly runIf?: "success" | "failure" | "always";
  readonly takes?: string;
}

function nodes(tasks: { readonly [name: string]: Links }) {
  return Object.fromEntries(
    Object.entries(tasks).map(([name, { takes, ...links }]) => [
      name,
      { kind: "node", attemptsMax: 1, input: { name, ...(takes !== undefined && { takes }) }, ...links },
    ]),
  );
}

function submit(tasks: object, onFailure: "stop" | "continue" = "stop"): Promise<string> {
  return cluster.submit({ kind: "graph", input: { tasks, onFailure } as never });
}

async function below(id: string): Promise<ReadonlyMap<string, TaskDocument>> {
  const children = (await cluster.tasks()).filter((task) => task.parent === id);
  return new Map(children.map((task) => [task.name, task]));
}

async function states(id: string): Promise<{ readonly [name: string]: string }> {
  return Object.fromEntries([...(await below(id))].map(([name, { state, attempt }]) => [name, `${state} ${attempt}`]));
}

const etl = nodes({ load: {}, clean: { after: ["load"] }, report: { after: ["clean"] }, other: {} });

beforeEach(async () => {
  broken = new Set();
  cluster = await testCluster({ tasks: [node, parent, pause], workers: 2 });
});
afterEach(() => cluster.stop());

describe("a retry of a graph", () => {
  test("runs what failed and what was skipped because of it, and nothing that succeeded", async () => {
    broken = new Set(["clean"]);
    const id = await submit(etl, "continue");
    expect((await cluster.ended(id)).state).toBe("failed");
    expect(await states(id)).toEqual({ load: "success 1", clean: "failed 1", report: "skipped 0", other: "success 1" });
    broken = new Set();
    expect(await cluster.retry(id)).toBe(3);
    expect(await cluster.result(id)).toEqual({ load: "load", clean: "clean", report: "report", other: "other" });
    expect(await states(id)).toEqual({
      load: "success 1",
      clean: "success 2",
      report: "success 1",
      other: "success 1",
    });
    expect(cluster.effects.toSorted()).toEqual(["clean", "load", "other", "report"]);
    expect((await cluster.get(id)).childCounts).toEqual({ success: 4 });
    await expect(cluster.retry(id)).rejects.toMatchObject({ code: "conflict" });
  });

  test("fails and skips again where the cause is still there", async () => {
    broken = new Set(["load"]);
    const id = await submit(etl, "continue");
    await cluster.ended(id);
    for (let time = 2; time < 4; time += 1) {
      expect(await cluster.retry(id)).toBe(4);
      expect((await cluster.ended(id)).state).toBe("failed");
      const skipped = { clean: "skipped 0", report: "skipped 0" };
      expect(await states(id)).toEqual({ load: `failed ${time}`, ...skipped, other: "success 1" });
      expect((await cluster.get(id)).childCounts).toEqual({ success: 1, failed: 1, skipped: 2 });
    }
  });

  test("starts what had not started when the graph stopped or was cancelled", async () => {
    const names = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`n${index}`, {}]));
    broken = new Set(["n0"]);
    const stopped = await submit(nodes(names));
    await cluster.ended(stopped);
    broken = new Set();
    await cluster.retry(stopped);
    expect((await cluster.ended(stopped)).state).toBe("success");
    expect(cluster.effects).toHaveLength(20);

    const pause = { kind: "pause", input: null };
    const cancelled = await submit({ ...etl, pause, late: { ...etl["other"], after: ["pause"] } });
    await cluster.advance("1m");
    await cluster.cancel(cancelled);
    await cluster.ended(cancelled);
    expect(await states(cancelled)).toMatchObject({ report: "success 1", pause: "cancelled 1", late: "cancelled 0" });
    expect(await cluster.retry(cancelled)).toBe(3);
    expect((await cluster.ended(cancelled)).state).toBe("success");
    expect(await states(cancelled)).toMatchObject({ report: "success 1", late: "success 1" });
  });

  test("lets a node that ran because of a failure, and failed, wait again and begin from scratch", async () => {
    broken = new Set(["load", "tidy"]);
    const id = await submit(
      nodes({
        load: {},
        tidy: { after: ["load"], runIf: "always", takes: "${tasks.load.output}" },
        alarm: { after: ["load"], runIf: "failure" },
      }),
    );
    await cluster.ended(id);
    expect(await states(id)).toEqual({ load: "failed 1", tidy: "failed 1", alarm: "success 1" });
    broken = new Set();
    await cluster.retry(id);
    expect((await cluster.ended(id)).output).toEqual({
      load: "load",
      tidy: { name: "tidy", takes: "load" },
      alarm: "alarm",
    });
    expect(await states(id)).toEqual({ load: "success 2", tidy: "success 2", alarm: "success 1" });
    // Its input is another one now, so what it remembered of the first does not count.
    expect(cluster.effects.filter((name) => name === "tidy")).toHaveLength(2);
    expect(cluster.effects.filter((name) => name === "load")).toHaveLength(1);
  });

  test("decides again about a node that ended before it had its input, though it had run before that", async () => {
    broken = new Set(["load", "tidy"]);
    const id = await submit(
      nodes({ load: {}, tidy: { after: ["load"], runIf: "always", takes: "${tasks.load.output.rows}" } }),
      "continue",
    );
    await cluster.ended(id);
    expect(await states(id)).toEqual({ load: "failed 1", tidy: "failed 1" });
    broken = new Set();
    for (let retries = 1; retries <= 2; retries += 1) {
      await cluster.retry(id);
      await cluster.ended(id);
      const tidy = (await below(id)).get("tidy");
      expect(tidy).toMatchObject({ state: "failed", attempt: 1, error: { code: "input" } });
      expect(cluster.effects.filter((name) => name === "tidy")).toHaveLength(1);
      expect(await states(id)).toMatchObject({ load: "success 2" });
    }
  });

  test("reaches into graphs in the graph, and into families of its nodes", async () => {
    broken = new Set(["inner-b", "child-1"]);
    const inner = {
      kind: "graph",
      input: { tasks: nodes({ "inner-a": {}, "inner-b": {}, "inner-c": { after: ["inner-b"] } }) },
    };
    const family = { kind: "parent", attemptsMax: 1, input: ["child-0", "child-1", "child-2"] };
    const id = await submit({ inner, family, end: { ...etl["report"], after: ["inner", "family"] } }, "continue");
    await cluster.ended(id);
    broken = new Set();
    await cluster.retry(id);
    await cluster.changeMaster();
    expect((await cluster.ended(id)).state).toBe("success");
    const all = await below(id);
    expect(await states(all.get("inner")?.id ?? "")).toEqual({
      "inner-a": "success 1",
      "inner-b": "success 2",
      "inner-c": "success 1",
    });
    expect(await cluster.get(all.get("family")?.id ?? "")).toMatchObject({ output: ["child-0", "child-1", "child-2"] });
    expect(new Set(cluster.effects).size).toBe(cluster.effects.length);
  });

  test("survives deaths of leaders and workers", async () => {
    broken = new Set(["clean"]);
    const id = await submit(etl, "continue");
    await cluster.ended(id);
    await cluster.changeMaster();
    broken = new Set();
    await cluster.retry(id);
    await cluster.changeMaster();
    await cluster.killWorker(0);
    await cluster.changeMaster();
    expect((await cluster.ended(id)).state).toBe("success");
    expect(await states(id)).toMatchObject({ load: "success 1", report: "success 1", other: "success 1" });
    expect(await below(id)).toHaveLength(4);
  });

  test("is of the graph as a whole, and from scratch all of it is made anew", async () => {
    broken = new Set(["clean"]);
    const id = await submit(etl, "continue");
    await cluster.ended(id);
    const clean = (await below(id)).get("clean")?.id ?? "";
    await expect(cluster.retry(clean)).rejects.toThrow(`Task ${clean} is a task of the graph ${id}.`);
    broken = new Set();
    expect(await cluster.retry(id, { fromScratch: true })).toBe(1);
    expect((await cluster.ended(id)).state).toBe("success");
    expect(await cluster.tasks()).toHaveLength(9);
    expect(cluster.effects.filter((name) => name === "load")).toHaveLength(2);
  });

  test("opens thousands of skipped nodes at once", async () => {
    broken = new Set(["root"]);
    const count = limits.retriedPerEntryMax + 500;
    const leaves = Object.fromEntries(Array.from({ length: count }, (_, index) => [`n${index}`, { after: ["root"] }]));
    const id = await submit(nodes({ root: {}, ...leaves }));
    await cluster.ended(id);
    broken = new Set();
    expect(await cluster.retry(id)).toBe(count + 2);
    expect((await cluster.ended(id)).state).toBe("success");
    expect((await cluster.get(id)).childCounts).toEqual({ success: count + 1 });
  });
});

describe("a retry of a task that waits for tasks", () => {
  test("decides anew whether it may start, by how those have ended", async () => {
    broken = new Set(["first"]);
    const first = await cluster.submit(node.task({ name: "first" }));
    const second = await cluster.submit(node.task({ name: "second" }, { after: [first] }));
    expect((await cluster.ended(second)).state).toBe("skipped");
    await cluster.retry(second);
    expect((await cluster.ended(second)).state).toBe("skipped");
    broken = new Set();
    await cluster.retry(first);
    await cluster.retry(second);
    expect((await cluster.ended(second)).state).toBe("success");
    expect(cluster.effects).toEqual(["first", "second"]);
  });
});
