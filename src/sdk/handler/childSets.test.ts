/** Sets of children: created once however often the handler runs, resumed in the middle, and read page by page. */
import { describe, expect, test } from "vitest";
import { limits } from "../../model/limits.ts";
import { ScriptedLeader } from "../../proof/fakes/scriptedLeader.ts";
import type { TaskContext } from "./context.ts";
import { defineTask } from "./definition.ts";
import { ChildFailedError } from "./errors.ts";

const work = (run: (ctx: TaskContext) => unknown) =>
  defineTask({ name: "work", run: async (_: null, ctx) => run(ctx) });
const double = defineTask({ name: "double", run: (n: number) => 2 * n });

describe("children", () => {
  const task = work((ctx) => ctx.all("parts", [double.task(1), double.task(2), double.task(3)]));

  test("are created, waited for, and their results come in order", async () => {
    const leader = new ScriptedLeader();
    expect(await leader.runToWaits(task)).toEqual([{ kind: "children", key: "parts" }]);
    expect(leader.sets.get("parts")).toMatchObject({ isSealed: true });
    expect(leader.sets.get("parts")?.submissions).toEqual([1, 2, 3].map((input) => ({ kind: "double", input })));
    leader.endChildren("parts", [{ output: 2 }, { output: 4 }, { output: 6 }]);
    expect(await leader.run(task)).toEqual({ outcome: "success", output: [2, 4, 6] });
  });

  test("of a sealed set are not made again", async () => {
    const leader = new ScriptedLeader();
    await leader.runToWaits(task);
    const { length } = leader.items;
    expect(await leader.runToWaits(task)).toEqual([{ kind: "children", key: "parts" }]);
    expect(leader.items).toHaveLength(length);
  });

  test("a failed one fails the parent for good; caught, it does not", async () => {
    const leader = new ScriptedLeader();
    leader.endChildren("parts", [{ output: 2 }, { error: "bad pixel" }, { output: 6 }]);
    const end = await leader.run(task);
    expect(end).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
    expect(JSON.stringify(end)).toContain("bad pixel");
    const caught = work(async (ctx) => {
      const error = await ctx.all("parts", []).catch((thrown: unknown) => thrown);
      return error instanceof ChildFailedError ? [error.key, error.index, error.id, error.error?.message] : error;
    });
    expect(await leader.run(caught)).toMatchObject({ output: ["parts", 1, "task-1~parts.1", "bad pixel"] });
  });

  test("as many as may fail leave null in the results", async () => {
    const leader = new ScriptedLeader();
    const tolerant = work((ctx) => ctx.all("parts", [double.task(1), double.task(2)], { failuresMax: 1 }));
    await leader.runToWaits(tolerant);
    leader.endChildren("parts", [{ error: "x" }, { output: 4 }]);
    expect(await leader.run(tolerant)).toEqual({ outcome: "success", output: [null, 4] });
    leader.endChildren("parts", [{ error: "x" }, { error: "y" }]);
    expect(await leader.run(tolerant)).toMatchObject({ outcome: "failed" });
  });

  test.each<[object, "wait" | "cancel"]>([
    [{}, "wait"],
    [{ failuresMax: 1 }, "cancel"],
    [{ failuresMax: 1, onFailure: "wait" }, "wait"],
    [{ failuresMax: Number.POSITIVE_INFINITY, onFailure: "cancel" }, "wait"],
  ])("with %o, what becomes of the others is: %s", async (options, onFailure) => {
    const leader = new ScriptedLeader();
    await leader.runToWaits(work((ctx) => ctx.all("parts", [double.task(1)], options)));
    expect(leader.sets.get("parts")).toMatchObject({ onFailure });
  });

  test("run gives the one result", async () => {
    const leader = new ScriptedLeader();
    const one = work((ctx) => ctx.run("one", double.task(4)));
    await leader.runToWaits(one);
    leader.endChildren("one", [{ output: 8 }]);
    expect(await leader.run(one)).toEqual({ outcome: "success", output: 8 });
  });

  test("of a generator come in chunks, and after a kill in the middle the rest is made once", async () => {
    const leader = new ScriptedLeader();
    function* many() {
      for (let n = 0; n < 2 * limits.childrenPerItemMax + 7; n += 1) yield double.task(n);
    }
    const generating = work(async (ctx) => (await ctx.all("many", many())).total);
    // The attempt dies after its first chunk.
    let chunks = 0;
    leader.onItem = () => (chunks++ === 1 ? { verdict: "stale" } : null);
    expect(await leader.run(generating)).toEqual({ outcome: "aborted" });
    expect(leader.sets.get("many")?.submissions).toHaveLength(limits.childrenPerItemMax);
    leader.onItem = () => null;
    expect(await leader.runToWaits(generating)).toEqual([{ kind: "children", key: "many" }]);
    expect(leader.sets.get("many")?.submissions.map(({ input }) => input)).toEqual(
      Array.from({ length: 2 * limits.childrenPerItemMax + 7 }, (_, n) => n),
    );
    expect(leader.items).toHaveLength(3);
  });

  test("a generator that yields something else in a later attempt is refused", async () => {
    const leader = new ScriptedLeader();
    let chunks = 0;
    leader.onItem = () => (chunks++ === 1 ? { verdict: "stale" } : null);
    const shifting = (from: number) =>
      work((ctx) =>
        ctx.all(
          "many",
          Array.from({ length: 600 }, (_, n) => double.task(n + from)),
        ),
      );
    await leader.run(shifting(0));
    leader.onItem = () => null;
    expect(await leader.run(shifting(1))).toMatchObject({ outcome: "failed", error: { code: "non-retryable" } });
    expect(await leader.run(work((ctx) => ctx.all("many", [])))).toMatchObject({
      error: { message: expect.stringContaining("500 children from an earlier attempt") },
    });
  });

  test("results of a generator are read page by page", async () => {
    const leader = new ScriptedLeader();
    let reads = 0;
    const read = leader.readChildren.bind(leader);
    leader.readChildren = (key, after) => {
      reads += 1;
      return read(key, after);
    };
    leader.endChildren(
      "many",
      [1, 2, 3, 4, 5].map((output) => ({ output })),
    );
    const first = work(async (ctx) => {
      for await (const result of await ctx.all("many", new Set([double.task(1)]))) return result;
      return null;
    });
    expect(await leader.run(first)).toEqual({ outcome: "success", output: 1 });
    expect(reads).toBe(1);
    const sum = work(async (ctx) => {
      let total = 0;
      for await (const result of await ctx.all("many", new Set([double.task(1)]))) total += result;
      return total;
    });
    expect(await leader.run(sum)).toEqual({ outcome: "success", output: 15 });
  });

  test("an independent task is made once", async () => {
    const leader = new ScriptedLeader();
    const submitting = work((ctx) => ctx.submit("mail", { kind: "exec", input: { command: ["mail"] } }));
    const [first, second] = [await leader.run(submitting), await leader.run(submitting)];
    for (const end of [first, second]) expect(end).toEqual({ outcome: "success", output: "made-1" });
    expect(leader.submitted).toHaveLength(1);
  });
});
