/** Every page, wide and narrow, light and dark: no violation of WCAG AA, nothing wider than the screen, nothing blocked, and small. */
import type { Page, Response } from "playwright-core";
import { expect, test } from "vitest";
import type { Submission } from "../../src/model/submission.ts";
import type { Scene } from "../e2e/scene.ts";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";
import { guarded, password, rootOf } from "./guarded.ts";

/** All of the first page, as it comes over the network. */
const firstLoadBytesMax = 300 * 1024;

/** By name: the path, the heading, and a text that is there once the page has its data. */
type Pages = { readonly [name: string]: readonly [path: string, heading: string, data?: string] };

const pages: Pages = {
  overview: ["/", "Overview", "worker-1"],
  tasks: ["/tasks", "Tasks", "waits"],
  task: ["/tasks/failed", "failed", "trying"],
  "unknown-task": ["/tasks/nothing", "Unknown task"],
  workers: ["/workers", "Workers", "worker-1"],
  queues: ["/queues", "Queues", "nobody"],
  timeline: ["/timeline", "Timeline", "failed"],
  schedules: ["/schedules", "Schedules", "nightly"],
  templates: ["/templates?name=report", "Templates", "Some rows"],
  webhooks: ["/webhooks", "Webhooks", "oncall"],
  graph: ["/tasks/etl/graph", "Graph of etl", "clean"],
  family: ["/tasks/etl/family", "Family of etl", "clean"],
  "unknown-page": ["/nowhere/at/all", "Unknown page"],
};

const pagesOfAdmins: Pages = {
  account: ["/account", "Your account"],
  users: ["/users", "Users", "rep"],
  tokens: ["/tokens", "Tokens", "workers"],
  audit: ["/audit", "Audit", "ada"],
};

/** Drawings of pages, which come after all else. */
const drawings: { readonly [name: string]: number } = { overview: 2, timeline: 1 };

/** @param count of canvases that the page has */
async function untilDrawn(page: Page, count: number): Promise<void> {
  const isDrawn = (least: number) => {
    const all = [...document.querySelectorAll<HTMLCanvasElement>("main canvas")];
    const hasInk = (canvas: HTMLCanvasElement) => {
      const { width, height } = canvas;
      if (width * height === 0) return false;
      // Read from a copy: a browser warns of a canvas that is read again and again.
      const copy = Object.assign(document.createElement("canvas"), { width, height });
      const drawing = copy.getContext("2d", { willReadFrequently: true });
      drawing?.drawImage(canvas, 0, 0);
      return drawing?.getImageData(0, 0, width, height).data.some((value) => value !== 0) === true;
    };
    return all.length >= least && all.every(hasInk);
  };
  await page.waitForFunction(isDrawn, count);
}

/** Something to see on every page. */
async function fill({ client, until }: Scene): Promise<void> {
  await client.submit({ id: "done", kind: "sleep", input: { seconds: 0 } });
  const command = ["sh", "-c", "printf '\\033[33mtrying\\033[0m\\n'; exit 3"];
  await client.submit({ id: "failed", kind: "exec", input: { command }, attemptsMax: 1 });
  await client.submit({ id: "runs", kind: "sleep", input: { seconds: 600 } });
  await client.submit({ id: "waits", kind: "sleep", input: { seconds: 1 }, queue: "nobody" });
  const sleep = (after: readonly string[]) => ({ kind: "sleep", input: { seconds: 0 }, after });
  const tasks = { load: sleep([]), clean: sleep(["load"]), report: { ...sleep(["clean"]), queue: "nobody" } };
  await client.submit({ id: "etl", kind: "graph", input: { tasks } } as unknown as Submission);
  const variables = { rows: { type: "integer", default: 10 }, title: { type: "string" } } as const;
  const task = { kind: "exec", input: { command: ["echo", "${rows}", "${title}"] } };
  await client.putTemplate("report", { description: "Some rows", variables, task });
  const when = { cron: "30 2 * * *", timeZone: "Europe/Berlin" };
  await client.schedules.put("nightly", { when, template: "report", variables: { title: "nightly" } });
  await client.webhooks.put("oncall", { url: "https://example.com/hooks", on: ["late"], queues: ["reports", "etl-*"] });
  await until("the tasks to end", async () => (await client.list({ states: ["success", "failed"] })).tasks.length >= 2);
}

/** The texts of buttons that reach beyond the screen, where nothing around them can be scrolled. */
function cutButtons(page: Page): Promise<string[]> {
  return page.getByRole("main").evaluate((main) => {
    const canScroll = (element: Element | null): boolean =>
      element !== null &&
      element !== main &&
      (/auto|scroll/.test(getComputedStyle(element).overflowX) || canScroll(element.parentElement));
    const isCut = (button: Element): boolean =>
      button.getBoundingClientRect().right > document.documentElement.clientWidth && !canScroll(button);
    return [...main.querySelectorAll("button")].filter(isCut).map((button) => button.textContent);
  });
}

/** Phones of today: what is wider than that must not have to be scrolled to. */
const phone = { viewport: { width: 390, height: 844 } } as const;

/** The labels of tables that are wider than what is around them, and the heads of cells that run into the next one. */
function wideTables(page: Page): Promise<string[]> {
  return page.getByRole("main").evaluate((main) => {
    const boxes = [...main.querySelectorAll("table")].map((table) => [table, table.parentElement] as const);
    const wide = boxes.flatMap(([table, box]) =>
      box !== null && table.scrollWidth > box.clientWidth + 1 ? [table.getAttribute("aria-label") ?? ""] : [],
    );
    const cells = [...main.querySelectorAll("td")].filter((cell) => cell.scrollWidth > cell.clientWidth + 1);
    return [...wide, ...cells.map((cell) => cell.dataset["head"] ?? cell.textContent)];
  });
}

/** @param enter what a fresh page does first, such as signing in */
async function lookAt({ cluster }: Scene, shown: Pages, enter: (page: Page) => Promise<unknown>): Promise<void> {
  for (const [look, screen] of Object.entries({ wide, narrow, phone })) {
    // Of a phone, only what fits is asked for, which is the same in both.
    for (const colorScheme of look === "phone" ? (["light"] as const) : (["light", "dark"] as const)) {
      const page = await openPage(null, {
        ...screen,
        colorScheme,
        mayFailToLoad: /\/v1\/(tasks\/nothing|session)$/,
      });
      await enter(page);
      for (const [name, [path, heading, data]] of Object.entries(shown)) {
        await page.goto(`${cluster.address}${path}`);
        await page.getByRole("heading", { level: 1, name: heading }).waitFor();
        if (data !== undefined)
          await page.getByRole("main").getByText(data).filter({ visible: true }).first().waitFor();
        await page.waitForLoadState("load");
        await page.evaluate(() => document.fonts.ready);
        if (name === "graph") await page.locator(".react-flow__node").first().waitFor();
        await untilDrawn(page, drawings[name] ?? 0);
        await screenshot(page, `${name}-${look}-${colorScheme}`);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect([name, look, width]).toEqual([name, look, screen.viewport.width]);
        expect([name, look, await cutButtons(page)]).toEqual([name, look, []]);
        if (look === "phone") expect([name, look, await wideTables(page)]).toEqual([name, look, []]);
        // A narrow page has the same parts and colours.
        if (look === "wide")
          expect([name, look, colorScheme, await violations(page)]).toEqual([name, look, colorScheme, []]);
      }
      await page.context().close();
    }
  }
}

test("every page passes axe, fits the screen and is looked at in both themes", async () => {
  await watched(["master", "worker-1"], async (stage) => {
    await fill(stage);
    await lookAt(stage, pages, async () => {});
  });
});

test("so do the pages about people, and the sign-in", async () => {
  await watched(
    ["master"],
    async (stage) => {
      const { address } = stage.cluster;
      const root = rootOf(stage);
      await root.people.addUser({ name: "ada", role: "admin", password });
      await root.people.addUser({ name: "rep", role: "operator", queues: ["reports", "etl-*"], password });
      await root.people.addToken({
        name: "ci",
        role: "submitter",
        queues: ["etl-*"],
        expiresAt: Date.now() + 86_400_000,
      });
      await root.people.addToken({ name: "workers", role: "worker" });
      await lookAt(stage, pagesOfAdmins, (page) =>
        page.request.post(`${address}/v1/session`, { data: { name: "ada", password } }),
      );
      await lookAt(stage, { "sign-in": ["/", "Sign in to Outlast"] }, async () => {});
    },
    guarded,
  );
});

test("the first page comes in at most 300 KiB, from this master only, and files with a hash are kept", async () => {
  await watched(["master"], async ({ cluster }) => {
    const page = await openPage(null);
    const responses: Response[] = [];
    page.on("response", (response) => responses.push(response));
    await page.goto(cluster.address);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("img", { name: "Latency" }).waitFor();
    await page.evaluate(() => document.fonts.ready);
    const files = responses.filter((response) => !response.url().includes("/v1/"));
    let bytes = 0;
    for (const file of files) {
      bytes += (await file.request().sizes()).responseBodySize;
      const { "cache-control": caching } = file.headers();
      expect([file.url(), caching]).toEqual([
        file.url(),
        file.url().includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      ]);
    }
    expect(files.length).toBeGreaterThan(3);
    expect(new Set(responses.map((response) => new URL(response.url()).origin))).toEqual(new Set([cluster.address]));
    expect(bytes).toBeGreaterThan(50 * 1024);
    expect(bytes).toBeLessThan(firstLoadBytesMax);
  });
});
