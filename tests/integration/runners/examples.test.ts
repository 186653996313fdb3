/** The examples under the crash test: whatever is killed at whatever boundary, they come out the same. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineTask } from "outlast";
import { describe, expect, test } from "vitest";
import * as crawl from "../../../examples/crawl/tasks.ts";
import * as etl from "../../../examples/etl/tasks.ts";
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

/** Numbers from 1 to 9, which come to 45, in a folder of their own. */
function numbersIn(folder: string): string {
  const own = mkdtempSync(join(folder, "run-"));
  writeFileSync(join(own, "numbers.txt"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  return own;
}

/** The shell commands are run as they are. */
const commands = {
  exec: ({ command }: { command: string[] }) => void execFileSync(command[0] ?? "", command.slice(1)),
};

test("etl adds up the same", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "outlast-etl-"));
  const { runs } = await crashTest({
    tasks: etl,
    stubs: commands,
    isInsideSteps: true,
    task: () => etl.etl.task({ folder: numbersIn(folder), parts: 3 }),
  });
  expect(runs).toBeGreaterThan(20);
  const totals = readdirSync(folder).map((run) => readFileSync(join(folder, run, "total.txt"), "utf8"));
  expect(totals).toEqual(Array(runs).fill("45\n"));
  rmSync(folder, { recursive: true });
});

/** Each run crawls a root of its own, with two pages below; whoever looks at the root again finds one page more. */
async function onChangingSite(run: (nextRoot: () => string) => Promise<void>): Promise<void> {
  const visited = new Set<string>();
  let roots = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const links = path.endsWith("/") ? ["a", "b", ...(visited.has(path) ? ["new"] : [])] : [];
    visited.add(path);
    response.end(links.map((link) => `<a href="${path}${link}">x</a>`).join(" "));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  try {
    await run(() => {
      roots += 1;
      return `http://127.0.0.1:${port}/${roots}/`;
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("crawl counts the pages that it has seen first, though the site changes", { timeout: 120_000 }, () =>
  onChangingSite(async (nextRoot) => {
    const task = () => crawl.crawl.task({ url: nextRoot(), depth: 1 });
    const { runs } = await crashTest({ tasks: crawl, capacity: 1, task });
    expect(runs).toBeGreaterThan(10);
  }),
);

describe("a planted mistake is found", { timeout: 120_000 }, () => {
  test("in print-numbers: a split that depends on the attempt", async () => {
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

  test("in an order: a charge that stands outside of a step", async () => {
    const charged: string[] = [];
    const planted = defineTask({
      name: "planted",
      async run(run: number, ctx) {
        await ctx.step("reserve", () => "reserved");
        charged.push(`charge ${run}`);
        const payment = charged.filter((each) => each === `charge ${run}`).length;
        return { payment, shipped: await ctx.step("ship", () => "shipped") };
      },
    });
    let run = 0;
    const task = () => {
      run += 1;
      return planted.task(run);
    };
    await expect(crashTest({ tasks: [planted], task })).rejects.toThrow(/the output is \{"payment":2/);
  });

  test("in etl: a command that adds to what an earlier attempt has left", async () => {
    const folder = mkdtempSync(join(tmpdir(), "outlast-etl-"));
    const planted = defineTask({
      name: "planted",
      async run({ own }: { own: string }, ctx) {
        const command = ["sh", "-c", 'cat "$0/numbers.txt" >> "$0/all.txt"', own];
        await ctx.run("extract", { kind: "exec", input: { command } });
        return ctx.run("transform", etl.sumPart.task({ file: join(own, "all.txt") }));
      },
    });
    const failure = crashTest({
      tasks: [planted, etl.sumPart],
      stubs: commands,
      isInsideSteps: true,
      capacity: 1,
      task: () => planted.task({ own: numbersIn(folder) }),
    });
    await expect(failure).rejects.toThrow(/after the work of exec.*the output is 90 instead of 45/);
    rmSync(folder, { recursive: true });
  });

  test("in a crawl: a page that is fetched outside of a step", () =>
    onChangingSite(async (nextRoot) => {
      const planted = defineTask({
        name: "planted",
        async run(url: string, ctx) {
          const links = (await (await fetch(url)).text()).match(/href="[^"]+"/g) ?? [];
          const pages = links.map((link) => crawl.crawl.task({ url: new URL(link.slice(6, -1), url).href, depth: 0 }));
          return (await ctx.all("links", pages)).length;
        },
      });
      const task = () => planted.task(nextRoot());
      const failure = crashTest({ tasks: [planted, crawl.crawl], capacity: 1, task });
      await expect(failure).rejects.toThrow(/the output is 3 instead of 2/);
    }));
});
