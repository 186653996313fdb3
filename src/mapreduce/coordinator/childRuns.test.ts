/** What follows from deaths of a map at records: when one is left out, and when the map is given up. */
import { describe, expect, test } from "vitest";
import type { TaskContext } from "../../sdk/handler/context.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { BrokenTask } from "./brokenTask.ts";
import { runMapTask, type WorkRunner } from "./childRuns.ts";
import type { MapInput } from "./settings.ts";

const attemptsMax = 6;

/** A map at whose attempts this happens, one after the other; what comes after them succeeds. */
async function runMap(skippedMax: number | null, ...deaths: readonly BrokenTask[]) {
  const steps = new Map<string, unknown>();
  /** What each attempt was told to leave out. */
  const leftOut: (readonly string[])[] = [];
  const runner = {
    async map(_settings: unknown, { poison }: { readonly poison: readonly string[] }) {
      leftOut.push(poison);
      const death = deaths[leftOut.length - 1];
      if (death !== undefined) throw death;
      return {};
    },
  } as unknown as WorkRunner;
  const input = { settings: { skippedMax }, map: 0, ranges: [] } as unknown as MapInput;
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const step = async (key: string, run: () => unknown) => {
      if (!steps.has(key)) steps.set(key, run());
      return steps.get(key);
    };
    try {
      await runMapTask(input, { attempt, step } as unknown as TaskContext, runner);
      return { leftOut, end: "success" };
    } catch (error) {
      if (error instanceof NonRetryableError) return { leftOut, end: error.message };
    }
  }
  return { leftOut, end: "attempts used up" };
}

const crash = (offset: number) => new BrokenTask("crash", "crashed", { range: 0, offset });
const thrown = (offset: number) => new BrokenTask("record", "threw", { range: 0, offset });

describe("a map whose attempts die at records", () => {
  test("leaves a record out that two attempts died at", async () => {
    expect(await runMap(1, crash(7), crash(7))).toEqual({ leftOut: [[], [], ["0:7"]], end: "success" });
    expect(await runMap(null, crash(7), crash(9), crash(7), crash(9))).toEqual({
      leftOut: [[], [], [], ["0:7"], ["0:7", "0:9"]],
      end: "success",
    });
  });

  test("leaves no record out that only one attempt died at", async () => {
    expect(await runMap(1, crash(7))).toEqual({ leftOut: [[], []], end: "success" });
    expect(await runMap(1, crash(7), crash(9))).toEqual({ leftOut: [[], [], []], end: "success" });
    const elsewhere = new BrokenTask("crash", "crashed", null);
    expect(await runMap(1, crash(7), elsewhere)).toEqual({ leftOut: [[], [], []], end: "success" });
  });

  test("is given up at the second death at a record where none may be left out, and not before", async () => {
    expect(await runMap(0, crash(7), crash(9))).toEqual({ leftOut: [[], [], []], end: "success" });
    expect(await runMap(0, crash(7), crash(9), crash(7))).toEqual({
      leftOut: [[], [], []],
      end: "crashed (in two attempts)",
    });
  });

  test("is given up when the same record makes it throw twice, whatever may be left out: its code can do that itself", async () => {
    expect(await runMap(9, thrown(7), thrown(7))).toEqual({ leftOut: [[], []], end: "threw (in two attempts)" });
  });

  test("is given up at once by an error after which another attempt makes no sense", async () => {
    expect(await runMap(9, new BrokenTask("final", "no such job", null))).toEqual({
      leftOut: [[]],
      end: "no such job",
    });
  });
});
