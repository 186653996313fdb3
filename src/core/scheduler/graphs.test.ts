/** Graphs and tasks that wait for tasks, over the scheduler alone: what starts when, what never starts, and what a new leader knows. */
import { describe, expect, test } from "vitest";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { GraphWorld as World } from "../../proof/fakes/graphWorld.ts";

/** load → clean → report, and an alarm if loading fails. */
const etl = {
  load: {},
  clean: { after: ["load"] },
  report: { after: ["clean"] },
  alarm: { after: ["load"], runIf: "failure" },
} as const;

/** a and b first, then join, then tidy in every case. */
const diamond = { a: {}, b: {}, join: { after: ["a", "b"] }, tidy: { after: ["join"], runIf: "always" } } as const;

describe("a graph", () => {
  test("starts each node once all that it waits for have ended, and ends with the outputs of its nodes", () => {
    const world = new World();
    world.graph("g", etl);
    expect(world.states("g", "load", "clean", "report", "alarm")).toEqual(["running", "blocked", "blocked", "blocked"]);
    expect(world.state("g")).toBe("waiting");
    world.succeed(world.node("g", "load"));
    expect(world.states("g", "clean", "report", "alarm")).toEqual(["running", "blocked", "skipped"]);
    world.succeed(world.node("g", "clean"));
    world.succeed(world.node("g", "report"));
    expect(world.state("g")).toBe("success");
    expect(world.statuses.get("g")).toMatchObject({ attempt: 0, output: { load: { of: world.node("g", "load") } } });
    expect(world.step("g", "tasks")).toMatchObject({
      children: { total: 4, succeeded: 3, failed: 0, cancelled: 0, skipped: 1 },
    });
  });

  test("needs no worker for itself", () => {
    const world = new World(0);
    world.graph("g", etl);
    expect(world.states("g", "load", "clean")).toEqual(["created", "blocked"]);
    expect(world.state("g")).toBe("waiting");
  });

  test("skips what waits for a failed node, runs what asks for a failure, and fails", () => {
    const world = new World();
    world.graph("g", etl);
    world.fail(world.node("g", "load"), "non-retryable");
    expect(world.states("g", "load", "clean", "report", "alarm")).toEqual(["failed", "skipped", "skipped", "running"]);
    expect(world.statuses.get(world.node("g", "clean"))?.error).toMatchObject({ code: "skipped" });
    world.succeed(world.node("g", "alarm"));
    expect(world.statuses.get("g")).toMatchObject({ state: "failed", error: { code: "graph-failed" } });
  });

  test("starts nothing more once a node has failed, except by runIf, while running nodes come to their end", () => {
    const world = new World(2);
    world.graph("g", { ...diamond, other: {}, next: { after: ["other"] } });
    expect(world.states("g", "a", "b", "other")).toEqual(["running", "running", "created"]);
    world.fail(world.node("g", "a"), "non-retryable");
    expect(world.states("g", "b", "join", "tidy", "other", "next")).toEqual([
      ...["running", "blocked", "blocked", "skipped", "skipped"],
    ]);
    world.succeed(world.node("g", "b"));
    // What is skipped is so only after all that it waits for: nothing that follows starts beside it.
    expect(world.states("g", "join", "tidy")).toEqual(["skipped", "running"]);
    world.succeed(world.node("g", "tidy"));
    expect(world.state("g")).toBe("failed");
  });

  test("goes on with other branches if it is told to", () => {
    const world = new World(2);
    world.graph("g", { ...diamond, other: {}, next: { after: ["other"] } }, { onFailure: "continue" });
    world.fail(world.node("g", "a"), "non-retryable");
    world.succeed(world.node("g", "other"));
    world.succeed(world.node("g", "b"), world.node("g", "next"));
    expect(world.states("g", "join", "tidy", "next")).toEqual(["skipped", "running", "success"]);
    world.succeed(world.node("g", "tidy"));
    expect(world.state("g")).toBe("failed");
  });

  test("fails once a node is cancelled", () => {
    const world = new World();
    world.graph("g", { a: {}, b: { after: ["a"] } });
    world.cancel(world.node("g", "a"));
    expect(world.states("g", "a", "b")).toEqual(["cancelled", "skipped"]);
    expect(world.state("g")).toBe("failed");
  });

  test("ends all of its nodes when it is cancelled, blocked ones too", () => {
    const world = new World(1);
    world.graph("g", { ...diamond, sub: { kind: "graph", input: { tasks: { x: { kind: "crawl", input: {} } } } } });
    world.cancel("g");
    expect(world.states("g", "a", "b", "join", "tidy", "sub", "sub/x")).toEqual(Array(6).fill("cancelled"));
    expect(world.state("g")).toBe("cancelled");
    expect(world.running.size).toBe(0);
  });

  test("holds graphs, which are nodes like others", () => {
    const world = new World();
    const sub = { kind: "graph", input: { tasks: { x: { kind: "crawl", input: {} } } }, after: ["a"] };
    world.graph("g", { a: {}, sub, end: { after: ["sub"] } });
    expect(world.states("g", "sub")).toEqual(["blocked"]);
    world.succeed(world.node("g", "a"));
    expect(world.states("g", "sub", "sub/x", "end")).toEqual(["waiting", "running", "blocked"]);
    world.succeed(world.node("g", "sub/x"));
    expect(world.states("g", "sub", "end")).toEqual(["success", "running"]);
  });

  test("gives its nodes its own queue and priority", () => {
    const world = new World();
    const tasks = { a: { kind: "crawl", input: {} }, b: { kind: "crawl", input: {}, priority: 1, name: "second" } };
    world.submit("g", { kind: "graph", input: { tasks }, queue: "reports", priority: 7 });
    expect(world.specs.get(world.node("g", "a"))).toMatchObject({ queue: "reports", priority: 7, name: "a" });
    expect(world.specs.get(world.node("g", "b"))).toMatchObject({ queue: "reports", priority: 1, name: "second" });
  });

  test("waits for its instant and for a paused queue", () => {
    const world = new World();
    world.tell({ kind: "set-queue", request: 0, name: "default", settings: { isPaused: true } });
    world.submit("g", { kind: "graph", input: { tasks: { a: { kind: "crawl", input: {} } } }, startAt: 5000 });
    world.pass(5000);
    expect(world.state("g")).toBe("created");
    world.tell({ kind: "set-queue", request: 0, name: "default", settings: { isPaused: false } });
    expect(world.states("g", "a")).toEqual(["running"]);
  });

  test.each([5, limits.graphNodesPerEntryMax + 5])(
    "of %d nodes fails whose last one cannot be, and ends the others, also where its leader dies meanwhile",
    (count) => {
      const nodes = Array.from({ length: count }, (_, index) => [
        `n${index}`,
        { kind: "crawl", input: {}, ...(index === count - 1 && { queue: "foreign" }) },
      ]);
      for (let entries = 1; ; entries += 1) {
        const world = new World(0);
        const input = world.submission("g", { kind: "graph", input: { tasks: Object.fromEntries(nodes) } });
        if (input.kind !== "submit") throw new Error("This is no submission.");
        const specs = input.specs.map((spec) => ({ ...spec, rights: { owner: "o", queues: ["default"] } }));
        const lastSeq = world.seq + entries;
        const death = new Error("The leader dies.");
        let isDead = false;
        world.onBatch = (seq) => {
          if (seq <= lastSeq || isDead) return [];
          isDead = true;
          throw death;
        };
        if (thrownBy(() => world.tell({ ...input, specs })) === death) world.failOver();
        expect(world.statuses.get("g")).toMatchObject({ state: "failed", family: { children: count - 1 } });
        expect(world.statuses.get("g")?.error?.message).toBe("There is no queue foreign.");
        // None of the nodes is left that were there already.
        const { failed, cancelled, ...others } = world.leader.countTasks();
        expect([failed, cancelled, ...new Set(Object.values(others))]).toEqual([1, count - 1, 0]);
        if (!isDead) return;
      }
    },
  );

  test("too deep in a family fails, and says so", () => {
    const world = new World();
    let task: { kind: string; input: object } = { kind: "crawl", input: {} };
    for (let depth = 0; depth < limits.familyDepthMax - 1; depth += 1)
      task = { kind: "graph", input: { tasks: { n: task } } };
    expect(() => world.submit("g", { kind: "graph", input: { tasks: { n: task } } as never })).toThrow(/nested/);
  });
});

describe("outputs", () => {
  const table = {
    load: {},
    clean: { after: ["load"], input: { rows: "${tasks.load.output.rows}", text: "n=${tasks.load.output.rows}" } },
  };

  test("are put into the input of a node that waits for them, once", () => {
    const world = new World();
    world.graph("g", table);
    world.end(world.node("g", "load"), { outcome: "success", output: { rows: 7 } });
    expect(world.inputs.get(world.node("g", "clean"))).toEqual({ rows: 7, text: "n=7" });
    expect(world.running.get(world.node("g", "clean"))).toMatchObject({ inputEpoch: 0 });
  });

  test("that are not there fail the node", () => {
    const world = new World();
    world.graph("g", table);
    world.succeed(world.node("g", "load"));
    expect(world.statuses.get(world.node("g", "clean"))).toMatchObject({ state: "failed", error: { code: "input" } });
    expect(world.state("g")).toBe("failed");
  });

  test("that come after another node has failed start nothing any more", () => {
    const world = new World(2);
    world.graph("g", { ...table, other: {} });
    world.isReadingHeld = true;
    world.end(world.node("g", "load"), { outcome: "success", output: { rows: 7 } });
    world.fail(world.node("g", "other"), "non-retryable");
    world.isReadingHeld = false;
    const input = { rows: 7, text: "n=7" };
    world.tell({ kind: "input-resolved", task: world.node("g", "clean") as TaskId, input });
    expect(world.states("g", "clean")).toEqual(["skipped"]);
    expect(world.state("g")).toBe("failed");
  });

  test("are asked for again by a new leader", () => {
    const world = new World();
    world.graph("g", table);
    world.isReadingHeld = true;
    world.end(world.node("g", "load"), { outcome: "success", output: { rows: 7 } });
    expect(world.states("g", "clean")).toEqual(["blocked"]);
    world.isReadingHeld = false;
    world.failOver();
    expect(world.states("g", "clean")).toEqual(["running"]);
  });
});

describe("a new leader", () => {
  test("knows what has ended and how, at every step", () => {
    const world = new World(2);
    world.graph("g", { ...diamond, other: {}, next: { after: ["other"] } }, { onFailure: "continue" });
    world.failOver();
    world.fail(world.node("g", "a"), "non-retryable");
    world.failOver();
    world.succeed(world.node("g", "b"));
    world.failOver();
    expect(world.states("g", "join", "tidy", "other")).toEqual(["skipped", "running", "running"]);
    world.succeed(world.node("g", "tidy"));
    world.failOver();
    world.succeed(world.node("g", "other"));
    world.failOver();
    world.succeed(world.node("g", "next"));
    expect(world.state("g")).toBe("failed");
  });

  test("goes on creating nodes, and lets nothing start before all are there", () => {
    const world = new World();
    world.isReadingHeld = true;
    world.graph("g", etl);
    expect(world.state("g")).toBe("waiting");
    world.isReadingHeld = false;
    world.failOver();
    expect(world.states("g", "load", "clean")).toEqual(["running", "blocked"]);
  });

  test("concludes a graph whose nodes have all ended", () => {
    const world = new World();
    world.graph("g", { a: {} });
    world.isReadingHeld = true;
    world.succeed(world.node("g", "a"));
    expect(world.state("g")).toBe("waiting");
    world.isReadingHeld = false;
    world.failOver();
    expect(world.state("g")).toBe("success");
  });
});

describe("a task that waits for tasks", () => {
  const lookup = (ended: object) => ({ seq: 1_000, found: new Map(), ended: new Map(Object.entries(ended)) }) as never;

  test("starts when they have ended as it asks for", () => {
    const world = new World();
    world.submit("d");
    expect(world.submit("t", { after: ["d"] })).toMatchObject({ kind: "submitted" });
    world.submit("f", { after: ["d"], runIf: "failure" });
    expect([world.state("t"), world.state("f")]).toEqual(["blocked", "blocked"]);
    world.succeed("d");
    expect([world.state("t"), world.state("f")]).toEqual(["running", "skipped"]);
  });

  test("may name tasks that have ended already", () => {
    const world = new World();
    world.submit("d");
    world.fail("d", "non-retryable");
    world.submit("t", { after: ["d"], runIf: "always" }, lookup({}));
    world.submit("u", { after: ["d"] }, lookup({}));
    world.submit("v", { after: ["long-ago"] }, lookup({ "long-ago": "success" }));
    world.submit("w", { after: ["long-ago"] }, lookup({ "long-ago": "cancelled" }));
    expect(["t", "u", "v", "w"].map((id) => world.state(id))).toEqual(["running", "skipped", "running", "skipped"]);
  });

  test("is refused if there is no such task, and all that are missing are named", () => {
    const world = new World();
    const reply = world.submit("t", { after: ["x", "y"] }, lookup({}));
    expect(reply).toMatchObject({ kind: "refused", code: "invalid" });
    expect(reply).toMatchObject({ message: expect.stringContaining("x, y") as string });
    expect(world.state("t")).toBeUndefined();
  });

  test("keeps the tasks that it names from being forgotten, with their whole family, until it has ended", () => {
    const world = new World(1);
    world.graph("g", { a: {} });
    world.submit("busy", { priority: 100 });
    const a = world.node("g", "a");
    world.succeed(a);
    world.submit("t", { after: [a] }, lookup({}));
    const forget = () =>
      world.tell({
        kind: "forget",
        seq: 1_000,
        tasks: [
          { id: a as TaskId, queue: "default", state: "success" },
          { id: "g" as TaskId, queue: "default", state: "success" },
        ],
      });
    forget();
    expect(world.forgotten).toEqual([]);
    expect([...world.leader.pinned()]).toEqual(["g"]);
    world.succeed("busy");
    world.succeed("t");
    forget();
    expect(world.forgotten).toEqual([a, "g"]);
    expect([...world.leader.pinned()]).toEqual([]);
  });

  test("is cancelled like any other", () => {
    const world = new World();
    world.submit("d");
    world.submit("t", { after: ["d"] });
    world.submit("u", { after: ["t"], runIf: "always" });
    world.cancel("t");
    expect([world.state("t"), world.state("u")]).toEqual(["cancelled", "running"]);
    world.succeed("d");
    expect(world.state("t")).toBe("cancelled");
  });

  test("may be a graph", () => {
    const world = new World();
    world.submit("d");
    world.submit("g", { kind: "graph", input: { tasks: { a: { kind: "crawl", input: {} } } }, after: ["d"] });
    expect(world.state("g")).toBe("blocked");
    world.failOver();
    world.succeed("d");
    expect(world.states("g", "a")).toEqual(["running"]);
  });
});

describe("a large graph", () => {
  test("of 10 000 nodes and 90 000 links is created in bounded entries, and other tasks do not wait for it", () => {
    const world = new World(10);
    world.submit("busy");
    const width = 1000;
    const before = (index: number) =>
      Array.from({ length: 10 }, (_, n) => `n${Math.floor(index / width - 1) * width + ((index + n * 7) % width)}`);
    const nodes = Array.from({ length: limits.graphTasksMax }, (_, index) => [
      `n${index}`,
      index < width ? {} : { after: before(index) },
    ]);
    // With every entry of the creation comes another task; it starts in this entry.
    const submittedIn = new Map<string, number>();
    world.onBatch = (seq) => {
      if (submittedIn.size === 5) return [];
      const id = `other-${submittedIn.size}`;
      submittedIn.set(id, seq);
      return [world.submission(id)];
    };
    world.graph("g", Object.fromEntries(nodes));
    expect(world.specs.size).toBe(limits.graphTasksMax + 7);
    expect(Math.max(...world.entrySizes)).toBeLessThanOrEqual(2 * limits.graphNodesPerEntryMax + 20);
    expect(world.entrySizes.length).toBeGreaterThanOrEqual(limits.graphTasksMax / limits.graphNodesPerEntryMax);
    for (const [id, seq] of submittedIn) expect(world.assignedIn.get(id)).toBe(seq);
  });
});

/** What this throws; undefined if it does not. */
function thrownBy(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}
