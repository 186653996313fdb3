/** What follows from deaths of a map at records: when one is left out, and when the map is given up. */
import { describe, expect, test } from "vitest";
import type { TaskContext } from "../../sdk/handler/context.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { BrokenTask } from "./brokenTask.ts";
import { mapOptions, runMapTask, type WorkRunner } from "./childRuns.ts";
import type { JobSettings, MapInput } from "./settings.ts";

/** More than any map is given. */
const attemptsMax = 200;

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
    const used = new Set<string>();
    const step = async (key: string, run: () => unknown) => {
      // As the context of a task does it.
      if (used.has(key)) throw new NonRetryableError(`The key "${key}" is used twice.`);
      used.add(key);
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

  test("leaves out as many records as may be, however few attempts a map has otherwise", async () => {
    const records = Array.from({ length: 10 }, (_, index) => index);
    const { leftOut, end } = await runMap(10, ...records.flatMap((offset) => [crash(offset), crash(offset)]));
    expect(end).toBe("success");
    expect(leftOut.at(-1)).toEqual(records.map((offset) => `0:${offset}`));
    const { attemptsMax: given } = mapOptions({ skippedMax: 10 } as JobSettings);
    expect(leftOut.length).toBeLessThanOrEqual(given ?? 0);
  });

  test("is given up after four failures that no record is left out for", async () => {
    const failure = new BrokenTask("error", "the disk is full", null);
    const failures = (count: number) => Array.from({ length: count }, () => failure);
    expect((await runMap(null, ...failures(3))).end).toBe("success");
    expect(await runMap(null, ...failures(9))).toEqual({ leftOut: [[], [], [], []], end: "the disk is full" });
    expect((await runMap(9, failure, crash(7), failure, crash(7), failure)).end).toBe("success");
    expect((await runMap(9, failure, crash(7), failure, crash(7), failure, failure)).end).toBe("the disk is full");
    expect((await runMap(9, crash(1), crash(2), crash(3), crash(4))).end).toBe("crashed");
  });
});
