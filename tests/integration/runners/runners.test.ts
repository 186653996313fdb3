/** Handlers in real runner processes: they run warm, one at a time, and whatever one does costs only its own attempt. */
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StepsPage } from "../../../src/model/family.ts";
import { mapKindName } from "../../../src/model/kinds/mapReduce.ts";
import { handlerOptions, mapReduceOptions } from "../../../src/runner/handlerOptions.ts";
import { marked, type Stage, stage, until, withCommand } from "../executor/stage.ts";

const tasks = fileURLToPath(new URL("./tasks/good.ts", import.meta.url));

let on: Stage;
beforeAll(async () => {
  on = await stage({
    handlers: handlerOptions([{ path: tasks, isNamed: true }]),
    environment: { ...process.env, OUTLAST_TOKEN: "secret-token-secret", SECRET_OF_TEST: "of the operator" },
  });
  await on.executor.open();
});
afterAll(async () => {
  await on.close();
  expect(marked(`OUTLAST_BOOT=${on.boot}`)).toEqual([]);
});

const pidOfNext = async () => (await on.start("pid", null).ended).output;

describe("a runner", () => {
  test("tells its kinds beside the built-in ones", () => {
    expect(on.executor.kinds).toEqual(expect.arrayContaining(["sleep", "exec", "add", "nap"]));
  });

  test("runs a handler and gives its result", async () => {
    expect(await on.start("add", [1, 2]).ended).toMatchObject({ outcome: "success", output: 3 });
  });

  test("is used again after a success and after a failure that the handler threw", async () => {
    const pid = await pidOfNext();
    expect(await on.start("add", null).ended).toMatchObject({ outcome: "failed", error: { code: "error" } });
    expect(await pidOfNext()).toBe(pid);
  });

  test("runs one attempt at a time; others get runners of their own", async () => {
    const pids = await Promise.all(Array.from({ length: 3 }, () => on.start("pid", null).ended));
    expect(new Set(pids.map(({ output }) => output)).size).toBe(3);
  });

  test("sees the environment of its operator, and nothing secret of Outlast's", async () => {
    const { output } = await on.start("environment", null).ended;
    expect(output).toContain("SECRET_OF_TEST");
    expect(output).not.toContain("OUTLAST_TOKEN");
  });

  test("writes console, stdout, stderr and ctx.log to the attempt's log, all of it before the end", async () => {
    for (let round = 0; round < 20; round += 1) {
      const running = on.start("speak", `r${round}`);
      await running.ended;
      const lines = running.text().split("\n").sort();
      expect(lines).toEqual(["", `ctx r${round}`, `error r${round}`, `log r${round}`, `stdout r${round}`]);
    }
  });

  test("loses nothing of much output that ends with the handler", async () => {
    const running = on.start("flood", 8);
    expect(await running.ended).toMatchObject({ outcome: "success" });
    expect(running.text()).toHaveLength(8 * 1024 * 1024);
  });
});

describe("what a handler does to its process costs its attempt and the process, with a clear reason", () => {
  test.each([
    ["exit", 3, { code: "exit", message: expect.stringContaining("exit code 3") }],
    ["exit", 0, { code: "exit", message: expect.stringContaining("must not call process.exit()") }],
    ["reject", null, { code: "unhandled-rejection", message: expect.stringContaining("nobody listens") }],
    ["throw-later", null, { code: "uncaught-exception", message: expect.stringContaining("out of the blue") }],
    ["reject-only", null, { code: "unhandled-rejection", message: expect.stringContaining("nobody listens") }],
  ])("%s(%j)", async (kind, input, error) => {
    const before = await pidOfNext();
    expect(await on.start(kind, input).ended).toMatchObject({ outcome: "failed", error });
    expect(await pidOfNext()).not.toBe(before);
  });

  test("what it sends to the process that started its own is not taken for the runner's word", async () => {
    const messages = [
      null,
      "ready",
      7,
      [],
      { type: "ready" },
      { kind: "end" },
      { kind: "tell" },
      { kind: "unloadable" },
    ];
    expect(await on.start("tell-parent", messages).ended).toMatchObject({ outcome: "success", output: "done" });
  });

  test("a handler that nothing can wake fails at once", async () => {
    const error = { code: "stuck", message: expect.stringContaining("can never come") };
    expect(await on.start("stuck", null).ended).toMatchObject({ outcome: "failed", error });
  });

  test("memory that runs out", { timeout: 120_000 }, async () => {
    const own = await stage({
      handlers: handlerOptions([{ path: tasks, isNamed: true }]),
      environment: { ...process.env, NODE_OPTIONS: "--max-old-space-size=48" },
    });
    try {
      await own.executor.open();
      expect(await own.start("eat", null).ended).toMatchObject({ outcome: "failed", error: { code: "out-of-memory" } });
      expect(await own.start("add", [1, 1]).ended).toMatchObject({ outcome: "success" });
    } finally {
      await own.close();
    }
  });

  test.each(["leave-timer", "leave-child"])("%s succeeds, and its process is not used again", async (kind) => {
    const { outcome, output } = await on.start(kind, null).ended;
    expect(outcome).toBe("success");
    expect(await pidOfNext()).not.toBe(output);
    expect(marked(`OUTLAST_BOOT=${on.boot}`)).not.toContain(output);
  });

  test("an endless loop is killed when it is aborted", async () => {
    const running = on.start("loop", null);
    await until("the loop to begin", () => running.text().includes("looping"));
    on.executor.abort(running.ref, 20, "cancelled");
    expect(await running.ended).toMatchObject({ outcome: "aborted" });
  });

  test("a handler that is deaf to its signal is killed after the grace", async () => {
    const running = on.start("deaf", null);
    await until("the handler to begin", () => running.text().includes("deaf"));
    on.executor.abort(running.ref, 20, "cancelled");
    expect(await running.ended).toMatchObject({ outcome: "aborted" });
  });

  test("a handler that heeds its signal ends before the grace is over", async () => {
    const running = on.start("heed", null);
    await until("the handler to begin", () => running.text().includes("listening"));
    on.executor.abort(running.ref, 600_000, "cancelled");
    expect(await running.ended).toMatchObject({ outcome: "aborted" });
    expect(running.text()).toContain("heard");
  });
});

describe("durable waits", () => {
  test("suspend the attempt as soon as nothing else can happen, and the runner is used again", async () => {
    const pid = await pidOfNext();
    const end = await on.start("nap", null).ended;
    expect(end).toMatchObject({ outcome: "suspended", waits: [{ kind: "sleep", key: "nap" }] });
    expect(await pidOfNext()).toBe(pid);
  });

  test("do not suspend it while a promise of its own is under way", async () => {
    const sent: string[] = [];
    const end = await on.start(
      "nap-with-foreign-work",
      null,
      {},
      {
        send: async (content) => {
          sent.push(content.kind);
          return { verdict: "committed" };
        },
      },
    ).ended;
    expect(end).toMatchObject({ outcome: "suspended", waits: [{ kind: "sleep" }] });
    expect(sent).toEqual(["step"]);
  });

  test("remembered steps are read page by page before the handler starts", async () => {
    const pages: StepsPage[] = [
      { steps: [{ key: "one", step: { value: "remembered" } }], family: { sets: [], sleeps: [] }, next: "one" },
      { steps: [{ key: "nap", step: { slept: { at: 1 } } }], next: null },
    ];
    const asked: (string | null)[] = [];
    const readSteps = async (after: string | null) => {
      asked.push(after);
      return pages.shift() ?? { steps: [], next: null };
    };
    const end = await on.start("nap", null, { steps: 2 }, { readSteps }).ended;
    expect(end).toMatchObject({ outcome: "success", output: "remembered" });
    expect(asked).toEqual([null, "one"]);
  });

  test("an attempt that is aborted while its steps are read ends", async () => {
    const running = on.start("nap", null, { steps: 1 }, { readSteps: () => new Promise(() => {}) });
    on.executor.abort(running.ref, 0, "cancelled");
    expect(await running.ended).toMatchObject({ outcome: "aborted" });
  });
});

describe("the process for MapReduce jobs", () => {
  const jobs = async (isWarm: boolean) => {
    const own = await stage({ mapReduce: { ...mapReduceOptions({}), isWarm } });
    await own.executor.open();
    return { own, processes: () => marked(`OUTLAST_BOOT=${own.boot}`).filter((pid) => withRunner(pid)) };
  };

  test("is there before the first job where that is asked for, and is the one that runs it", async () => {
    const { own, processes } = await jobs(true);
    try {
      await until("a process for jobs", () => processes().length === 1);
      const before = processes();
      // No job: it fails in the process.
      expect(await own.start(mapKindName, null).ended).toMatchObject({ outcome: "failed" });
      expect(processes()).toEqual(before);
    } finally {
      await own.close();
    }
    expect(processes()).toEqual([]);
  });

  test("is started by the first job otherwise", async () => {
    const { own, processes } = await jobs(false);
    try {
      expect(processes()).toEqual([]);
      await own.start(mapKindName, null).ended;
      expect(processes()).toHaveLength(1);
    } finally {
      await own.close();
    }
  });
});

const withRunner = (pid: number) => withCommand("runnerProcess").includes(pid);
