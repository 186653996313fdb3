/** A run that is watched: a worker is killed under its task, which moves, and every page says so without being loaded again. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";

test("a killed worker is named, and its task is seen to run elsewhere", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client }) => {
    await client.submit({ id: "moves", kind: "sleep", input: { seconds: 120 } });
    const overview = await openPage(cluster.address);
    await overview.getByRole("link", { name: "worker-1" }).first().waitFor();
    await overview.getByRole("link", { name: "running 1" }).waitFor();

    const task = await openPage(`${cluster.address}/tasks/moves`);
    await task.getByRole("link", { name: "worker-1" }).first().waitFor();
    await cluster.start("worker-2");
    await cluster.kill("worker-1");
    await task.getByRole("link", { name: "worker-2" }).first().waitFor();
    await task.getByText("1 lost with a worker").waitFor();
    const attempts = task.getByRole("table", { name: "Attempts" });
    await attempts.getByRole("row").filter({ hasText: "worker-1" }).getByText("killed").waitFor();
    await attempts.getByRole("row").filter({ hasText: "worker-2" }).getByText("running").waitFor();
    const timeline = await openPage(`${cluster.address}/timeline`);
    const bars = timeline.getByRole("table", { name: "Attempts" });
    await bars.getByRole("row").filter({ hasText: "worker-1" }).getByText("killed").waitFor();
    await bars.getByRole("row").filter({ hasText: "worker-2" }).getByText("running").waitFor();
    await screenshot(timeline, "timeline-after-a-kill");
    await timeline.getByRole("button", { name: "killed 1", exact: true }).click();
    await bars.getByRole("row").filter({ hasText: "worker-2" }).waitFor({ state: "detached" });
    expect(await bars.getByRole("row").count()).toBe(2);
    await timeline.getByRole("button", { name: "all 2", exact: true }).click();
    await zooms(timeline);
    await client.submit({ id: "stuck", kind: "resize", input: null });
    const stuck = await openPage(`${cluster.address}/tasks/stuck`);
    await stuck.getByText(/no connected worker .* runs kind "resize"/).waitFor();
    await overview.getByText("a worker that can run them 1").waitFor();
    await overview.getByText("worker-1 was lost").waitFor();
    const workers = await openPage(`${cluster.address}/workers`);
    await workers.getByText("1 connected, 1 lost, 1 of 1 slot in use").waitFor();
    await screenshot(overview, "overview-after-a-kill");
    await leadsToLosses(overview, workers);
    await filters(cluster.address);

    await task.getByRole("button", { name: "Cancel …" }).click();
    await task.getByRole("button", { name: "Cancel the task" }).click();
    await task.getByRole("heading", { name: "moves" }).waitFor();
    await task.locator("header").getByText("cancelled", { exact: true }).waitFor();
    expect((await client.get("moves")).state).toBe("cancelled");
    await overview.getByRole("link", { name: "cancelled 1" }).waitFor();
  });
});

/** From what is told of a lost worker to the attempts that were lost there, and where their tasks are now. */
async function leadsToLosses(overview: Page, workers: Page): Promise<void> {
  await overview.getByRole("link", { name: "worker-1 was lost; 1 attempt was lost" }).click();
  await workers.getByRole("link", { name: "1 attempt was lost" }).click();
  for (const page of [overview, workers]) {
    await page.getByRole("heading", { level: 1, name: "What ran on worker-1" }).waitFor();
    await page.getByRole("button", { name: "killed 1", pressed: true }).waitFor();
    const row = page.getByRole("table", { name: "Attempts" }).getByRole("row").filter({ hasText: "moves" });
    await row.getByText("✕ killed").waitFor();
    await row.getByText("running").waitFor();
    await row.getByRole("link", { name: "worker-2" }).waitFor();
  }
  for (const [look, screen] of Object.entries({ wide, narrow })) {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await openPage(workers.url(), { ...screen, colorScheme });
      await page.getByRole("link", { name: "worker-2" }).waitFor();
      await screenshot(page, `worker-${look}-${colorScheme}`);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(screen.viewport.width);
      expect([look, colorScheme, await violations(page)]).toEqual([look, colorScheme, []]);
      await page.context().close();
    }
  }
  await overview.goBack();
}

/** Notches of a wheel over the timeline: at the present it goes on following it, elsewhere what is pointed at stays. */
async function zooms(timeline: Page): Promise<void> {
  const bars = timeline.getByRole("table", { name: "Attempts" });
  const chart = timeline.getByRole("img", { name: /^Attempts on/ });
  const now = timeline.getByRole("button", { name: "Now", exact: true });
  const box = await chart.boundingBox();
  if (box === null) throw new Error("the timeline is not shown");
  const notches = async (share: number, by: number) => {
    await timeline.mouse.move(box.x + box.width * share, box.y + 40);
    for (let notch = 0; notch < 6; notch++) await timeline.mouse.wheel(0, by);
  };
  for (const span of ["5 m", "15 m", "1 h"]) {
    await timeline.getByRole("button", { name: span, exact: true }).click();
    await notches(0.97, -100);
    await timeline.getByRole("button", { name: span, exact: true, pressed: false }).waitFor();
    // Asked for anew, as a period of another length is.
    await timeline.waitForResponse((response) => response.url().includes("/v1/attempts?") && response.ok());
    await bars.getByRole("row").filter({ hasText: "running" }).waitFor();
    expect(await timeline.getByText("must be a whole number").count()).toBe(0);
    expect(await now.getAttribute("aria-pressed")).toBe("true");
  }
  await notches(0.5, 100);
  await timeline.getByRole("button", { name: "Now", exact: true, pressed: false }).waitFor();
  await now.click();
  await bars.getByRole("row").filter({ hasText: "running" }).waitFor();
}

/** One task runs, one is queued: how they are found by their states, also on a phone, where the filters are folded. */
async function filters(address: string): Promise<void> {
  for (const [look, screen] of Object.entries({ wide, narrow })) {
    const page = await openPage(`${address}/tasks`, screen);
    const chip = (name: string) => page.getByRole("button", { name, exact: true });
    await page.getByText("2 shown").waitFor();
    if (screen === narrow) {
      expect(await chip("waiting").isVisible()).toBe(false);
      await page.getByRole("button", { name: "Filters", exact: true }).click();
    }
    await chip("waiting").click();
    await page.getByText("No task matches these filters").waitFor();
    await page.getByRole("main").getByRole("link", { name: "queued", exact: true }).click();
    await page.getByText("1 shown").waitFor();
    await page.getByRole("link", { name: "stuck" }).waitFor();
    expect(await chip("queued 1").getAttribute("aria-pressed")).toBe("true");
    await screenshot(page, `tasks-queued-${look}`);
    await page.getByLabel("Worker", { exact: true }).selectOption("worker-2");
    // Nobody has counted the tasks of a worker by their states.
    await page.getByRole("button", { name: "queued", exact: true, pressed: true }).waitFor();
    await page.context().close();
  }
}
