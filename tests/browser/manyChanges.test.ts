/** Thousands of changes under open pages: what a page asks for, draws and keeps is bounded, however much happens. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { openPage, watched } from "./browser.ts";

const tasks = 4_000;
const batch = 200;
/** Of everything that a page shows. */
const elementsMax = 2_500;
const everyMs = 1_000;

/** Counts the calls of each path, and how long it has counted. */
function countCalls(page: Page): () => { readonly seconds: number; readonly calls: ReadonlyMap<string, number> } {
  const calls = new Map<string, number>();
  const startedAt = performance.now();
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith("/v1/")) calls.set(pathname, (calls.get(pathname) ?? 0) + 1);
  });
  return () => ({ seconds: (performance.now() - startedAt) / everyMs, calls });
}

test("pages stay small and ask seldom while thousands of tasks begin and end", async () => {
  await watched(
    ["master", "worker-1"],
    async ({ cluster, client, until }) => {
      const sleep = (seconds: number, count: number) =>
        client.submitAll(Array.from({ length: count }, () => ({ kind: "sleep", input: { seconds } })));
      // They stay at the top of no list, but in every count.
      await sleep(600, 50);
      const pages = [];
      for (const path of ["/", "/tasks", "/timeline", "/queues"]) {
        const page = await openPage(`${cluster.address}${path}`);
        await page.getByRole("heading", { level: 1 }).waitFor();
        pages.push({ path, page, told: countCalls(page) });
      }
      for (let made = 0; made < tasks; made += batch) await sleep(0, batch);
      await until(
        "all to end",
        async () => {
          const { stats } = await client.status();
          return (stats.tasks.success ?? 0) >= tasks;
        },
        120_000,
      );
      for (const { path, page, told } of pages) {
        const { seconds, calls } = told();
        for (const [called, count] of calls) {
          // Attempts come in pages of a period, which are read as one, every three seconds.
          const callsMax = called === "/v1/attempts" ? 5 * (seconds / 3 + 2) : seconds + 2;
          expect([path, called, count <= callsMax || `${count} calls in ${seconds} s`]).toEqual([path, called, true]);
        }
        expect([path, await page.locator("*").count()]).toEqual([
          path,
          expect.toSatisfy((count) => count < elementsMax),
        ]);
      }
      const [overview] = pages;
      await overview?.page.getByRole("link", { name: `success ${tasks.toLocaleString("en-US")}` }).waitFor();
    },
    { capacity: 100 },
  );
});

test("what turns on the screen is turned as a whole, which costs no drawing", async () => {
  await watched(
    ["master", "worker-1"],
    async ({ cluster, client, until }) => {
      await client.submitAll(Array.from({ length: 60 }, () => ({ kind: "sleep", input: { seconds: 600 } })));
      await until("all to run", async () => (await client.list({ states: ["running"] })).tasks.length === 60);
      const page = await openPage(`${cluster.address}/tasks?state=running`);
      await page.emulateMedia({ reducedMotion: "no-preference" });
      await page.getByRole("row").filter({ hasText: "running" }).nth(30).waitFor();
      const turned = await page.evaluate(() =>
        document.getAnimations().map((animation) => {
          const { target } = animation.effect as KeyframeEffect;
          // An element inside of a drawing is drawn anew for each frame.
          return target instanceof SVGElement && target.ownerSVGElement !== null ? "inside a drawing" : "as a whole";
        }),
      );
      expect(turned.length).toBeGreaterThan(30);
      expect(new Set(turned)).toEqual(new Set(["as a whole"]));
    },
    { capacity: 100 },
  );
});
