/** The examples under the crash test: whatever is killed at whatever boundary, they come out the same. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as order from "../../../examples/order/tasks.ts";
import * as numbers from "../../../examples/print-numbers/tasks.ts";
import { CrashTestFailed, crashTest } from "../../../src/testing/crashTest.ts";

test("print-numbers comes out the same, also when a child fails", { timeout: 120_000 }, async () => {
  const { runs } = await crashTest({ tasks: numbers, task: numbers.printNumbers.task({ n: 25 }) });
  expect(runs).toBeGreaterThan(10);
  await crashTest({ tasks: numbers, task: numbers.printNumbers.task({ n: 25, failAt: 12 }) });
});

test("an order is charged once, and compensated once if it is refused", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-order-"));
  let run = 0;
  const ledger = () => join(folder, `ledger-${run}`);
  for (const isApproved of [true, false]) {
    await crashTest({
      tasks: order,
      task: () => {
        run += 1;
        return order.order.task({ item: "book", amount: 7, ledger: ledger() }, { attemptsMax: 1 });
      },
      meanwhile: (cluster, id) => cluster.signal(id, "approval", { by: "Ada", isApproved }),
    });
    const effects = readFileSync(ledger(), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0]);
    expect(effects).toEqual(isApproved ? ["reserve", "charge", "ship"] : ["reserve", "charge", "refund", "release"]);
  }
  for (let each = 1; each <= run; each += 1) {
    const lines = readFileSync(join(folder, `ledger-${each}`), "utf8")
      .trim()
      .split("\n");
    expect(new Set(lines).size).toBe(lines.length);
  }
  rmSync(folder, { recursive: true });
});

test("a planted mistake is found: a master task whose split depends on the attempt", async () => {
  const { defineTask } = await import("outlast");
  const planted = defineTask({
    name: "planted",
    async run(_: null, ctx) {
      const ranges = ctx.attempt === 1 ? [{ from: 1, to: 5 }] : [{ from: 1, to: 6 }];
      const counts = await ctx.all(
        "ranges",
        ranges.map((range) => numbers.printRange.task(range)),
      );
      return [counts, await ctx.step("late", () => ctx.attempt)];
    },
  });
  const failure = crashTest({ tasks: [planted, numbers.printRange], task: planted.task(null) });
  await expect(failure).rejects.toBeInstanceOf(CrashTestFailed);
});
