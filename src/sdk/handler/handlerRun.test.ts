/** What one run of a handler remembers, waits for and ends with, under a scripted leader. */
import { describe, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { ScriptedLeader, turns } from "../../proof/fakes/scriptedLeader.ts";
import type { TaskContext } from "./context.ts";
import { defineTask } from "./definition.ts";
import { NonRetryableError, RetryLaterError, SignalTimeoutError } from "./errors.ts";

const work = (run: (ctx: TaskContext, input: never) => unknown) =>
  defineTask({ name: "work", run: async (input: never, ctx) => run(ctx, input) });

test("a step that begins after the attempt was suspended does not run", async () => {
  const elsewhere = Promise.withResolvers<null>();
  let runs = 0;
  const task = work(async (ctx) => {
    const later = elsewhere.promise.then(() => ctx.step("charge", () => (runs += 1)));
    await ctx.sleep("pause", 1_000);
    return later;
  });
  const leader = new ScriptedLeader();
  await leader.runToWaits(task);
  elsewhere.resolve(null);
  await turns();
  expect(runs).toBe(0);
  expect(leader.items).toEqual([]);
});

test.each([Number.NaN, 0, -1])("a step that may run %s times is refused", async (attemptsMax) => {
  const task = work((ctx) => ctx.step("s", () => 1, { attemptsMax }));
  expect(await new ScriptedLeader().run(task)).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
});

test("an option of a step that is undefined is one that was left out", async () => {
  let runs = 0;
  const fail = () => {
    runs += 1;
    throw new Error("no");
  };
  const task = work((ctx) => ctx.step("s", fail, { attemptsMax: undefined, backoffBaseMs: undefined } as object));
  expect(await new ScriptedLeader().run(task)).toMatchObject({ outcome: "failed", error: { message: "no" } });
  expect(runs).toBe(1);
});

describe("steps", () => {
  test("a step runs once; a later attempt is given its result", async () => {
    const leader = new ScriptedLeader();
    let runs = 0;
    let mayFail = true;
    const task = work(async (ctx) => {
      const got = await ctx.step("a", () => ({ runs: ++runs }));
      if (mayFail) throw new Error("boom");
      return got;
    });
    expect(await leader.run(task)).toMatchObject({ outcome: "failed", error: { code: "error", message: "boom" } });
    mayFail = false;
    expect(await leader.run(task)).toEqual({ outcome: "success", output: { runs: 1 } });
    expect(leader.items).toEqual(["step a"]);
  });

  test("a step resolves only once the leader has committed it", async () => {
    const leader = new ScriptedLeader();
    const committed = Promise.withResolvers<void>();
    const send = leader.send.bind(leader);
    leader.send = async (content) => {
      await committed.promise;
      return send(content);
    };
    let isPast = false;
    const ended = leader.run(
      work(async (ctx) => {
        await ctx.step("a", () => 1);
        isPast = true;
      }),
    );
    await turns();
    leader.settle();
    expect(isPast).toBe(false);
    committed.resolve();
    expect(await ended).toMatchObject({ outcome: "success" });
  });

  test("the first reader gets the same as later ones: the value as JSON", async () => {
    const leader = new ScriptedLeader();
    const task = work((ctx) => ctx.step("a", () => ({ at: new Date(0), gone: undefined })));
    const first = await leader.run(task);
    expect(first).toEqual({ outcome: "success", output: { at: "1970-01-01T00:00:00.000Z" } });
    expect(await leader.run(task)).toEqual(first);
  });

  test("a stale step ends the run and nothing after it happens", async () => {
    const leader = new ScriptedLeader();
    leader.onItem = () => ({ verdict: "stale" });
    let isPast = false;
    const end = await leader.run(
      work(async (ctx) => {
        await ctx.step("a", () => 1);
        isPast = true;
      }),
    );
    expect(end).toEqual({ outcome: "aborted" });
    expect(isPast).toBe(false);
  });

  test.each(["conflict", "invalid", "too-large", "unsupported"] as const)(
    "an item refused as %s fails the task for good",
    async (code) => {
      const leader = new ScriptedLeader();
      leader.onItem = () => ({ verdict: "refused", code, message: "not this" });
      const end = await leader.run(work((ctx) => ctx.step("a", () => 1)));
      expect(end).toMatchObject({ outcome: "failed", error: { code: "non-retryable", message: "not this" } });
    },
  );

  test("an item refused because there are too many may succeed later", async () => {
    const leader = new ScriptedLeader();
    leader.onItem = () => ({ verdict: "refused", code: "too-many", message: "full" });
    const end = await leader.run(work((ctx) => ctx.step("a", () => 1)));
    expect(end).toMatchObject({ outcome: "failed", error: { code: "error" } });
  });

  test.each([
    ["a bigint", () => 1n, "cannot be written as JSON"],
    ["a function", () => () => 1, "cannot be written as JSON: it is a function"],
    ["too large", () => "x".repeat(limits.stepBytesMax), "are allowed"],
  ])("a result that is %s fails the task for good and says why", async (_what, run, message) => {
    const end = await new ScriptedLeader().run(work((ctx) => ctx.step<unknown>("a", run)));
    expect(end).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
    expect(JSON.stringify(end)).toContain(message);
  });

  test("a step is tried again as often as it may fail", async () => {
    const leader = new ScriptedLeader();
    const attempts: number[] = [];
    const task = work((ctx) =>
      ctx.step(
        "a",
        ({ attempt }) => {
          attempts.push(attempt);
          if (attempt < 3) throw new Error("not yet");
          return "done";
        },
        { attemptsMax: 3 },
      ),
    );
    expect(await leader.run(task)).toEqual({ outcome: "success", output: "done" });
    expect(attempts).toEqual([1, 2, 3]);
  });

  test("a step that takes too long fails, and its signal fires", async () => {
    let signal: AbortSignal | undefined;
    const task = work((ctx) =>
      ctx.step(
        "slow",
        (step) => {
          ({ signal } = step);
          return new Promise(() => {});
        },
        { timeoutMs: 10 },
      ),
    );
    const end = await new ScriptedLeader().run(task);
    expect(end).toMatchObject({ error: { message: 'Step "slow" took longer than 10 ms.' } });
    expect(signal?.aborted).toBe(true);
  });

  test("many steps at once are sent a few at a time", async () => {
    const leader = new ScriptedLeader();
    let inFlight = 0;
    let inFlightMax = 0;
    const send = leader.send.bind(leader);
    leader.send = async (content) => {
      inFlightMax = Math.max(inFlightMax, ++inFlight);
      const answer = await send(content);
      inFlight -= 1;
      return answer;
    };
    const keys = Array.from({ length: 500 }, (_, index) => `k${index}`);
    const end = await leader.run(work((ctx) => Promise.all(keys.map((key) => ctx.step(key, () => key)))));
    expect(end).toEqual({ outcome: "success", output: keys });
    expect(inFlightMax).toBe(32);
  });

  test("a result waits for steps that nobody awaited", async () => {
    const leader = new ScriptedLeader();
    const end = await leader.run(
      work((ctx) => {
        void ctx.step("floating", () => 1);
        return "early";
      }),
    );
    expect(end).toEqual({ outcome: "success", output: "early" });
    expect(leader.items).toEqual(["step floating"]);
  });
});

describe("keys", () => {
  test.each([
    ["two steps", async (ctx: TaskContext) => [await ctx.step("k", () => 1), await ctx.step("k", () => 2)]],
    ["a step and a sleep", async (ctx: TaskContext) => [await ctx.step("k", () => 1), await ctx.sleep("k", 5)]],
    ["a step and children", async (ctx: TaskContext) => [await ctx.step("k", () => 1), await ctx.all("k", [])]],
    ["a step and a signal", async (ctx: TaskContext) => [await ctx.step("k", () => 1), await ctx.waitFor("k")]],
  ])("a key used by %s is an error that names it", async (_what, run) => {
    const end = await new ScriptedLeader().run(work(run));
    expect(end).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
    expect(JSON.stringify(end)).toContain('The key \\"k\\" is used twice');
  });

  test("a key that has changed its meaning is an error that names it", async () => {
    const leader = new ScriptedLeader();
    leader.steps.set("k", { slept: { at: 1 } });
    const end = await leader.run(work((ctx) => ctx.step("k", () => 1)));
    expect(JSON.stringify(end)).toContain('Something else than a step is remembered under the key \\"k\\"');
  });

  test("a step that was removed from the handler is ignored, and order does not matter", async () => {
    const leader = new ScriptedLeader();
    for (const [key, value] of [["a", 1] as const, ["b", 2] as const, ["old", 3] as const])
      leader.steps.set(key, { value });
    const task = work(async (ctx) => [await ctx.step("b", () => 0), await ctx.step("a", () => 0)]);
    expect(await leader.run(task)).toEqual({ outcome: "success", output: [2, 1] });
  });

  test.each(["", "x".repeat(limits.stepKeyLengthMax + 1), "\ud800"])("%j is no key", async (key) => {
    const end = await new ScriptedLeader().run(work((ctx) => ctx.step(key, () => 1)));
    expect(end).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
  });
});

describe("durable waits", () => {
  test("a sleep suspends the attempt and is over in the next one", async () => {
    const leader = new ScriptedLeader();
    const task = work(async (ctx) => {
      await ctx.sleep("nap", "10m");
      return "rested";
    });
    expect(await leader.runToWaits(task)).toEqual([{ kind: "sleep", key: "nap", ms: 600_000 }]);
    leader.steps.set("nap", { slept: { at: 5 } });
    expect(await leader.run(task)).toEqual({ outcome: "success", output: "rested" });
  });

  test("time that passes before the attempt suspends counts", async () => {
    const leader = new ScriptedLeader();
    const task = work((ctx) =>
      Promise.all([
        ctx.sleep("nap", 1000),
        ctx.waitFor("go", { timeoutMs: 500 }),
        ctx.step("busy", () => {
          leader.time += 600;
        }),
      ]),
    );
    expect(await leader.runToWaits(task)).toEqual([
      { kind: "sleep", key: "nap", ms: 400 },
      { kind: "signal", key: "go", name: "go", timeoutMs: 0 },
    ]);
  });

  test("a signal's payload, and the error after its time-out", async () => {
    const leader = new ScriptedLeader();
    const task = work((ctx) => ctx.waitFor<{ by: string }>("approved", { timeoutMs: "1d" }));
    expect(await leader.runToWaits(task)).toEqual([
      { kind: "signal", key: "approved", name: "approved", timeoutMs: 86_400_000 },
    ]);
    leader.steps.set("approved", { signal: { id: "s1", payload: { by: "Ada" } } });
    expect(await leader.run(task)).toEqual({ outcome: "success", output: { by: "Ada" } });
    leader.steps.set("approved", { signal: null });
    const caught = work((ctx) => ctx.waitFor("approved").catch((error) => error instanceof SignalTimeoutError));
    expect(await leader.run(caught)).toEqual({ outcome: "success", output: true });
  });

  test("waits of a race are all handed over, and the first that is over wins", async () => {
    const leader = new ScriptedLeader();
    const task = work((ctx) => Promise.race([ctx.sleep("late", 10).then(() => "late"), ctx.waitFor("go")]));
    expect((await leader.runToWaits(task)).map(({ key }) => key)).toEqual(["late", "go"]);
    leader.steps.set("late", { slept: { at: 1 } });
    expect(await leader.run(task)).toEqual({ outcome: "success", output: "late" });
  });

  test("nothing is suspended while a step runs, or while the leader owes an answer", async () => {
    const leader = new ScriptedLeader();
    const step = Promise.withResolvers<number>();
    const ended = leader.run(work((ctx) => Promise.all([ctx.sleep("nap", 1), ctx.step("busy", () => step.promise)])));
    await turns();
    expect(leader.current?.isWaiting).toBe(false);
    step.resolve(1);
    await turns(3);
    leader.settle();
    await turns();
    leader.settle();
    expect(await ended).toMatchObject({ outcome: "suspended" });
    expect(leader.items).toEqual(["step busy"]);
  });

  test("a handler that nothing can wake fails instead of hanging", async () => {
    const leader = new ScriptedLeader();
    const ended = leader.run(work(() => new Promise(() => {})));
    await turns();
    leader.settle();
    expect(await ended).toMatchObject({ outcome: "failed", error: { code: "stuck" } });
  });

  test("a durable wait inside of a step fails with the step's name", async () => {
    const leader = new ScriptedLeader();
    const ended = leader.run(work((ctx) => ctx.step("outer", () => ctx.sleep("inner", 1))));
    await turns();
    leader.settle();
    const end = await ended;
    expect(end).toMatchObject({ outcome: "failed", error: { code: "stuck" } });
    expect(JSON.stringify(end)).toContain('\\"outer\\"');
  });

  test.each(["soon", -1, Number.NaN, "400d"])("%j is no duration", async (duration) => {
    const end = await new ScriptedLeader().run(work((ctx) => ctx.sleep("nap", duration)));
    expect(end).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
  });
});

describe("how a run ends", () => {
  test.each([
    [new NonRetryableError("no"), { code: "non-retryable", message: "no" }, undefined],
    [new RetryLaterError(5000), { code: "retry-later", message: "try again in 5000 ms" }, 5000],
    [new TypeError("x is not a function"), { code: "error", message: "TypeError: x is not a function" }, undefined],
    ["a text", { code: "error", message: "The handler threw a text." }, undefined],
  ])("%s", async (thrown, error, retryAfterMs) => {
    const leader = new ScriptedLeader();
    const end = await leader.run(
      work(() => {
        throw thrown as Error;
      }),
    );
    expect(end).toEqual({ outcome: "failed", error, ...(retryAfterMs !== undefined && { retryAfterMs }) });
    expect(leader.lines.join("\n")).toContain(thrown instanceof Error ? thrown.message : thrown);
  });

  test("an error of another copy of the package is known by its mark", async () => {
    const foreign = Object.assign(new Error("no"), { [Symbol.for("outlast.handler-error")]: "non-retryable" });
    const end = await new ScriptedLeader().run(work(() => Promise.reject(foreign)));
    expect(end).toMatchObject({ error: { code: "non-retryable" } });
  });

  test("abort fires the signal", async () => {
    const leader = new ScriptedLeader();
    const ended = leader.run(
      work(
        (ctx) =>
          new Promise((_, reject) => {
            ctx.abortSignal.addEventListener("abort", () => reject(ctx.abortSignal.reason));
          }),
      ),
    );
    leader.current?.abort("cancelled");
    expect(await ended).toMatchObject({ outcome: "failed", error: { message: "cancelled" } });
  });

  test("progress is told, and what the context says of the attempt", async () => {
    const leader = new ScriptedLeader();
    const end = await leader.run(
      work((ctx) => {
        ctx.progress(1, 3, "reading");
        ctx.log("read %d", 1);
        return [ctx.taskId, ctx.parentId, ctx.attempt, ctx.fence, ctx.deadlineAt];
      }),
    );
    expect(end).toMatchObject({ output: ["task-1", null, 1, 1, null] });
    expect(leader.told).toEqual([{ kind: "progress", done: 1, total: 3, text: "reading", at: 1_000_000 }]);
    expect(leader.lines).toEqual(["read 1"]);
  });
});
