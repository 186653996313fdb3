/** The testing kit itself: time, signals and deaths in one process, and a crash test that finds planted mistakes. */
import { readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { defineTask } from "../sdk/handler/definition.ts";
import { NonRetryableError } from "../sdk/handler/errors.ts";
import { CrashTestFailed, crashTest } from "./crashTest.ts";
import { type TestCluster, testCluster } from "./testCluster.ts";

const double = defineTask({ name: "double", run: (n: number) => 2 * n });

const patient = defineTask({
  name: "patient",
  async run(_: null, ctx) {
    const first = await ctx.step("first", () => ctx.attempt);
    await ctx.sleep("days", "3d");
    const doubled = await ctx.all("doubled", [double.task(1), double.task(2)]);
    const { by } = await ctx.waitFor<{ by: string }>("go", { timeoutMs: "1d" });
    return { first, doubled, by };
  },
});

async function on(
  tasks: TestCluster | Parameters<typeof testCluster>[0],
  play: (cluster: TestCluster) => Promise<void>,
) {
  const cluster = await testCluster(tasks as Parameters<typeof testCluster>[0]);
  try {
    await play(cluster);
  } finally {
    await cluster.stop();
  }
}

describe("a test cluster", () => {
  test("runs a task to its end", () =>
    on({ tasks: [double] }, async (cluster) => {
      expect(await cluster.result(await cluster.submit(double.task(21)))).toBe(42);
    }));

  test("lets days pass in a moment, and no more of them than it is told", () =>
    on({ tasks: [double, patient] }, async (cluster) => {
      const id = await cluster.submit(patient.task(null));
      await cluster.advance("2d");
      expect(await cluster.get(id)).toMatchObject({ state: "waiting", family: { waits: [{ kind: "sleep" }] } });
      await cluster.advance("1d12h");
      expect(await cluster.get(id)).toMatchObject({ state: "waiting", family: { waits: [{ kind: "signal" }] } });
      await cluster.signal(id, "go", { by: "Ada" });
      expect(await cluster.result(id)).toEqual({ first: 1, doubled: [2, 4], by: "Ada" });
    }));

  test("passes through sleeps and time-outs until a task has ended", () =>
    on({ tasks: [double, patient] }, async (cluster) => {
      const id = await cluster.submit(patient.task(null));
      await expect(cluster.result(id)).rejects.toThrow('No signal "go" came in time.');
    }));

  test("says what a task waits for that time does not bring", () => {
    const waiting = defineTask({ name: "waiting", run: (_: null, ctx) => ctx.waitFor("go") });
    return on({ tasks: [waiting] }, async (cluster) => {
      const id = await cluster.submit(waiting.task(null));
      await expect(cluster.ended(id)).rejects.toThrow('waits for the signal "go"');
    });
  });

  test("retries what fails, and resumes behind what is remembered when workers and masters die", () => {
    let failures = 2;
    const flaky = defineTask({
      name: "flaky",
      async run(_: null, ctx) {
        const first = await ctx.step("first", () => ctx.attempt);
        if (failures-- > 0) throw new Error("not yet");
        await ctx.sleep("nap", 1000);
        return [first, ctx.attempt];
      },
    });
    return on({ tasks: [flaky] }, async (cluster) => {
      const id = await cluster.submit(flaky.task(null));
      await cluster.advance(10);
      await cluster.restartWorker();
      await cluster.changeMaster();
      expect(await cluster.result(id)).toEqual([1, 4]);
    });
  });
});

describe("a crash test", () => {
  const transfer = (cluster: TestCluster, isCareful: boolean) =>
    defineTask({
      name: "transfer",
      async run(amount: number, ctx) {
        if (isCareful) await ctx.step("withdraw", () => cluster.effect(`withdraw ${amount}`));
        else cluster.effect(`withdraw ${amount}`);
        await ctx.sleep("clearing", "1d");
        const [fee] = await ctx.all("fee", [double.task(1)]);
        await ctx.step("deposit", () => cluster.effect(`deposit ${amount - fee}`));
        return amount - fee;
      },
    });

  /** The definition records its effects on the cluster that runs it, so each run makes its own. */
  function crash(isCareful: boolean) {
    let current: TestCluster | null = null;
    const definition = transfer({ effect: (key: string) => current?.effect(key) } as unknown as TestCluster, isCareful);
    return crashTest({
      tasks: [double, definition],
      task: (cluster) => {
        current = cluster;
        return definition.task(100);
      },
    });
  }

  test("kills at every boundary, and is green for a handler whose effects stand in steps", async () => {
    const report = await crash(true);
    expect(report.boundaries.join("\n")).toContain('the worker is killed after step "withdraw"');
    expect(report.boundaries.join("\n")).toContain('the master is killed before children "fee"');
    expect(report.boundaries.join("\n")).toContain("the worker is killed before the end");
    expect(report.runs).toBeGreaterThan(10);
  });

  test("finds an effect that stands outside of a step, and names it", async () => {
    await expect(crash(false)).rejects.toThrow(/The effect "withdraw 100" happens twice/);
  });

  test("finds an outcome that depends on the attempt, and names the boundary", async () => {
    const fickle = defineTask({
      name: "fickle",
      async run(_: null, ctx) {
        await ctx.step("one", () => 1);
        return ctx.attempt;
      },
    });
    const failure = await crashTest({ tasks: [fickle], task: fickle.task(null) }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(CrashTestFailed);
    expect((failure as CrashTestFailed).boundary).toContain("the worker is killed after step");
    expect((failure as CrashTestFailed).message).toContain("the output is 2 instead of 1");
  });

  test("kills the worker that has come to the boundary", async () => {
    const killed = new Set<number>();
    const both = defineTask({
      name: "both",
      async run(_: null, ctx) {
        return (await ctx.all("parts", [double.task(1), double.task(2), double.task(3)])).length;
      },
    });
    await crashTest({
      tasks: [double, both],
      workers: 2,
      capacity: 1,
      kills: ["worker"],
      task: (cluster) => {
        const restart = cluster.restartWorker.bind(cluster);
        cluster.restartWorker = (number) => {
          killed.add(number ?? 1);
          return restart(number);
        };
        return both.task(null);
      },
    });
    expect([...killed].sort()).toEqual([1, 2]);
  });
});

test("a task that no worker can run is an error that says why", async () => {
  const parent = defineTask({
    name: "parent",
    run: (_: null, ctx) => ctx.run("child", { toSubmission: () => ({ kind: "exec", input: { command: ["true"] } }) }),
  });
  await using cluster = await testCluster({ tasks: [parent] });
  const id = await cluster.submit(parent.task(null));
  await expect(cluster.ended(id)).rejects.toThrow(/no connected worker of queue default runs kind "exec"/);
});

test("workers serve the queues and carry the labels that they are told", async () => {
  await using cluster = await testCluster({ tasks: [double], queues: ["slow"], labels: ["gpu"] });
  expect(await cluster.result(await cluster.submit(double.task(4, { queue: "slow", requires: ["gpu"] })))).toBe(8);
});

test("workers serve the queues of the definitions where they are told none", async () => {
  const slow = defineTask({ name: "slow", queue: "slow", run: (n: number) => n + 1 });
  await using cluster = await testCluster({ tasks: [double, slow] });
  expect(await cluster.result(await cluster.submit(slow.task(4)))).toBe(5);
  expect(await cluster.result(await cluster.submit(double.task(4)))).toBe(8);
});

describe("stubs stand in for kinds that are not handlers", () => {
  const report = defineTask({
    name: "report",
    run: (day: string, ctx) =>
      ctx.run("draw", { toSubmission: () => ({ kind: "exec", input: { command: ["draw", day] } }) }),
  });

  test("with the input of the task and its id", async () => {
    const seen: string[] = [];
    await using cluster = await testCluster({
      tasks: [report],
      stubs: {
        exec: ({ command }, { id, attempt }) => void seen.push(`${command.join(" ")} ${attempt} ${id.length > 0}`),
      },
    });
    expect(await cluster.result(await cluster.submit(report.task("monday")))).toBeNull();
    expect(seen).toEqual(["draw monday 1 true"]);
  });

  test("and what they give or throw is how the task ends", async () => {
    await using cluster = await testCluster({
      tasks: [],
      stubs: {
        exec: async () => {
          throw new NonRetryableError("no such command");
        },
        http: async () => ({ status: 200 }),
      },
    });
    const failed = await cluster.submit({ toSubmission: () => ({ kind: "exec", input: { command: ["x"] } }) });
    expect((await cluster.ended(failed)).error).toMatchObject({ code: "non-retryable", message: "no such command" });
    const asked = await cluster.submit({ toSubmission: () => ({ kind: "http", input: { url: "https://x" } }) });
    expect(await cluster.result(asked)).toEqual({ status: 200 });
  });

  test("but not for a kind that the cluster runs itself", async () => {
    await expect(testCluster({ tasks: [double], stubs: { double: () => 1 } })).rejects.toThrow(/stand in for "double"/);
  });

  test("and are killed before their work, and between it and its commit only if the test says so", async () => {
    const options = { tasks: [report], task: report.task("monday"), capacity: 1 };
    const isTwice = crashTest({
      ...options,
      isInsideSteps: true,
      stubs: { exec: (_input, _task, cluster) => cluster.effect("draw") },
    });
    await expect(isTwice).rejects.toThrow(/after the work of exec.*"draw" happens twice/);
    const { boundaries } = await crashTest({ ...options, stubs: { exec: () => undefined } });
    expect(boundaries.filter((each) => each.includes("the work of exec")).length).toBeGreaterThanOrEqual(3);
  });
});

describe("files", () => {
  const count = defineTask({
    name: "count",
    async run({ text }: { text: string }, { files, attempt }) {
      const words = (await readFile(await files.input(text, "in/text.txt"), "utf8")).split(" ").length;
      await writeFile(join(await files.folder(), "words.txt"), `${words}`);
      const { blob } = await files.publish("words.txt");
      return { blob, attempt };
    },
  });

  test("come in as inputs, and go out as artifacts", async () => {
    await using cluster = await testCluster({ tasks: [count] });
    const text = await cluster.addFile("one two three");
    const id = await cluster.submit(count.task({ text }));
    const { blob } = (await cluster.result(id)) as { blob: string };
    expect(await cluster.artifacts(id)).toEqual([{ path: "words.txt", blob, size: 1 }]);
    expect((await cluster.readFile(blob)).toString()).toBe("3");
    await expect(cluster.readFile("words.txt")).rejects.toThrow("no reference to a file");
  });

  test("that are not there fail the task, as on a real worker", async () => {
    await using cluster = await testCluster({ tasks: [count] });
    const id = await cluster.submit(count.task({ text: `sha256:${"0".repeat(64)}` }));
    expect(await cluster.ended(id)).toMatchObject({ state: "failed", error: { code: "non-retryable" } });
  });

  test("are there again after every kill", async () => {
    const { boundaries } = await crashTest({
      tasks: {
        count,
        whole: defineTask({
          name: "whole",
          async run(text: string, ctx) {
            const blob = await ctx.step("words", async () => {
              await writeFile(join(await ctx.files.folder(), "copy.txt"), text);
              return (await ctx.files.publish("copy.txt")).blob;
            });
            const { blob: words } = await ctx.run("count", count.task({ text: blob }));
            return words;
          },
        }),
      },
      task: { toSubmission: () => ({ kind: "whole", input: "one two" }) },
    });
    expect(boundaries.some((each) => each.includes("artifacts"))).toBe(true);
  });

  test("of killed attempts are gone with the cluster", async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith("outlast-testing-"));
    const cluster = await testCluster({ tasks: [count] });
    await cluster.result(await cluster.submit(count.task({ text: await cluster.addFile("one") })));
    await cluster.stop();
    const after = readdirSync(tmpdir()).filter((name) => name.startsWith("outlast-testing-"));
    expect(after.filter((name) => !before.includes(name))).toEqual([]);
  });
});
