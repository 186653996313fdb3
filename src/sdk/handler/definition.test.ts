/** Definitions: what their types say, what they check, and what they submit. */
import { describe, expect, expectTypeOf, test } from "vitest";
import type { Json } from "../../model/json.ts";
import type { Submission } from "../../model/submission.ts";
import { ScriptedLeader } from "../../proof/fakes/scriptedLeader.ts";
import type { Outlast } from "../client.ts";
import { toSubmission } from "./call.ts";
import { ChildTask, fanOut, MasterTask } from "./classes.ts";
import type { ChildResults } from "./context.ts";
import { defineTask, isDefinition, type SubmittedTask } from "./definition.ts";
import type { StandardSchema } from "./standardSchema.ts";

/** Takes `{ size }` as text and gives it as a number. */
const sized: StandardSchema<{ size: string }, { size: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => {
      const size = Number((value as { size?: unknown } | null)?.size ?? Number.NaN);
      return Number.isNaN(size) ? { issues: [{ message: "must be a number", path: ["size"] }] } : { value: { size } };
    },
  },
};

const resize = defineTask({
  name: "resize",
  input: sized,
  attemptsMax: 5,
  timeoutMs: 60_000,
  run: async ({ size }) => ({ pixels: size * size }),
});
const count = defineTask({ name: "count", run: (words: string[]) => words.length });

function clientThatTakes(taken: Submission[]): Outlast {
  return {
    submit: async (submission: Submission) => {
      taken.push(submission);
      return { id: "t1", isNew: true };
    },
    wait: async () => ({ state: "success", output: { pixels: 4 } }),
  } as unknown as Outlast;
}

describe("types", () => {
  test("of input and output hold through submit, run and all", () => {
    expectTypeOf(resize.submit).parameter(1).toEqualTypeOf<{ size: string }>();
    expectTypeOf(resize.submit).returns.resolves.toEqualTypeOf<SubmittedTask<{ pixels: number }>>();
    expectTypeOf(count.task).parameter(0).toEqualTypeOf<string[]>();
    defineTask({
      name: "types",
      run: async (_: null, ctx) => {
        expectTypeOf(ctx.run("a", resize.task({ size: "1" }))).resolves.toEqualTypeOf<{ pixels: number }>();
        expectTypeOf(ctx.run("b", { kind: "exec", input: {} })).resolves.toEqualTypeOf<Json>();
        expectTypeOf(ctx.all("c", [count.task([]), resize.task({ size: "1" })])).resolves.toEqualTypeOf<
          [number, { pixels: number }]
        >();
        const many = [1, 2].map(() => count.task([]));
        expectTypeOf(ctx.all("d", many)).resolves.toEqualTypeOf<number[]>();
        expectTypeOf(ctx.all("e", many, { failuresMax: 1 })).resolves.toEqualTypeOf<(number | null)[]>();
        expectTypeOf(ctx.all("f", new Set(many))).resolves.toEqualTypeOf<ChildResults<number>>();
        expectTypeOf(ctx.step("g", async () => "x")).resolves.toEqualTypeOf<string>();
        expectTypeOf(ctx.waitFor<{ by: string }>("h")).resolves.toEqualTypeOf<{ by: string }>();
        // @ts-expect-error: the input of `count` is a list of texts.
        void (() => count.task(3));
      },
    });
  });

  test("of a task that calls itself hold if its result is annotated", () => {
    const factorial = defineTask({
      name: "factorial",
      async run(n: number, ctx): Promise<number> {
        return n <= 1 ? 1 : n * (await ctx.run("less", factorial.task(n - 1)));
      },
    });
    expectTypeOf(factorial.task).parameter(0).toEqualTypeOf<number>();
  });
});

describe("a definition", () => {
  test("submits its defaults, and the submission overrides them", async () => {
    const taken: Submission[] = [];
    const client = clientThatTakes(taken);
    const task = await resize.submit(client, { size: "2" });
    await resize.submit(client, { size: "2" }, { attemptsMax: 1, id: "mine", key: "k" });
    expect(taken).toEqual([
      { kind: "resize", input: { size: "2" }, attemptsMax: 5, timeoutMs: 60_000 },
      { kind: "resize", input: { size: "2" }, attemptsMax: 1, timeoutMs: 60_000, id: "mine" },
    ]);
    expect(await task.result()).toEqual({ pixels: 4 });
  });

  test("submits every default that its type takes, and takes nothing that is about one task", async () => {
    const defaults = {
      ...{ queue: "q", priority: 2, requires: ["gpu"], broadcast: true, concurrencyKey: "k", concurrencyMax: 2 },
      ...{ uniqueKey: "u", onConflict: "refuse" as const, deadlineMs: 9, attemptsMax: 3, killsMax: 4, timeoutMs: 5 },
      ...{ backoffBaseMs: 6, backoffFactor: 7, backoffMaxMs: 8 },
    };
    const all = defineTask({ name: "all", ...defaults, run: () => null });
    const taken: Submission[] = [];
    await all.submit(clientThatTakes(taken), null);
    expect(taken).toEqual([{ kind: "all", input: null, ...defaults }]);
    // @ts-expect-error An id is that of one task.
    defineTask({ name: "one", id: "x", run: () => null });
  });

  test("refuses a bad input before anything is submitted", async () => {
    const taken: Submission[] = [];
    await expect(resize.submit(clientThatTakes(taken), { size: "big" })).rejects.toMatchObject({
      code: "invalid",
      message: 'The input of "resize" is not valid: size: must be a number.',
    });
    expect(taken).toEqual([]);
  });

  test("does not lose what somebody adds to a call of it", async () => {
    expect(await toSubmission(count.task(["a"], { after: ["t"] }))).toMatchObject({ kind: "count", after: ["t"] });
    expect(() => toSubmission({ ...count.task(["a"]), after: ["t"] })).toThrow(
      expect.objectContaining({ code: "invalid", message: '"after" cannot be added to the call of a definition.' }),
    );
  });

  test("checks its input again before it runs, and transforms it", async () => {
    const leader = new ScriptedLeader();
    expect(await leader.run(resize, { size: "3" })).toEqual({ outcome: "success", output: { pixels: 9 } });
    expect(await leader.run(resize, {})).toMatchObject({
      outcome: "failed",
      error: { code: "non-retryable", message: "The input is not valid: size: must be a number." },
    });
  });

  test("checks its output", async () => {
    const bad = defineTask({ name: "bad", output: sized, run: () => ({ size: Number.NaN }) });
    expect(await new ScriptedLeader().run(bad)).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
  });

  test("is known by its mark and says where it was made", () => {
    expect(isDefinition(resize)).toBe(true);
    expect(isDefinition({ name: "resize", run: () => 1 })).toBe(false);
    expect(resize.place).toMatch(/definition\.test\.ts:\d+$/);
  });

  test.each(["", "1st", "a b", "exec", "graph", "x".repeat(101)])("%j cannot be its name", (name) => {
    expect(() => defineTask({ name, run: () => 1 })).toThrow(expect.objectContaining({ code: "invalid" }));
  });
});

describe("master and child tasks", () => {
  class Square extends ChildTask<number, number> {
    readonly name = "square";
    execute(n: number) {
      return n * n;
    }
  }
  const square = defineTask(new Square());
  class Squares extends MasterTask<{ to: number }, number, number, number> {
    readonly name = "squares";
    readonly child = square;
    *split({ to }: { to: number }) {
      for (let n = 1; n <= to; n += 1) yield n;
    }
    override async join(results: AsyncIterable<number>) {
      let sum = 0;
      for await (const result of results) sum += result;
      return sum;
    }
  }
  const squares = defineTask(new Squares());
  const fanned = fanOut({
    name: "fanned",
    child: square,
    *split({ to }: { to: number }) {
      for (let n = 1; n <= to; n += 1) yield n;
    },
  });

  test.each([
    ["as classes", squares, 14],
    ["as fanOut", fanned, null],
  ])("%s divide, wait and join", async (_how, definition, output) => {
    const leader = new ScriptedLeader();
    expect(await leader.runToWaits(definition, { to: 3 })).toEqual([{ kind: "children", key: "children" }]);
    expect(leader.sets.get("children")?.submissions.map(({ input }) => input)).toEqual([1, 2, 3]);
    leader.endChildren("children", [{ output: 1 }, { output: 4 }, { output: 9 }]);
    expect(await leader.run(definition, { to: 3 })).toEqual({ outcome: "success", output });
  });

  test("have types", () => {
    expectTypeOf(squares.task).parameter(0).toEqualTypeOf<{ to: number }>();
    expectTypeOf(squares.submit).returns.resolves.toEqualTypeOf<SubmittedTask<number>>();
    expectTypeOf(square.task).parameter(0).toEqualTypeOf<number>();
  });
});
