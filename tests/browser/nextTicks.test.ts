/** The next ticks of a schedule: what clocks do is told where they are changed. */
import { expect, test } from "vitest";
import { openPage, watched } from "./browser.ts";

test("ticks have a column about clocks only where clocks are changed near one", () =>
  watched(["master"], async ({ cluster, client }) => {
    const task = { kind: "sleep", input: { seconds: 0 } };
    // The last Sunday of March is among the next ten Sundays of it, whatever the year.
    for (const [name, timeZone] of [
      ["plain", "UTC"],
      ["changed", "Europe/Berlin"],
    ] as const)
      await client.schedules.put(name, { when: { cron: "30 2 * 3 0", timeZone }, task });
    const page = await openPage(`${cluster.address}/schedules?name=changed`);
    const ticks = page.getByRole("table", { name: "Next ticks" });
    await ticks.getByText("go forward").first().waitFor();
    expect(await ticks.getByRole("columnheader").count()).toBe(4);
    await page.setViewportSize({ width: 1280, height: 800 });
    expect(await ticks.evaluate((table) => table.scrollWidth - (table.parentElement?.clientWidth ?? 0))).toBe(0);
    await page.goto(`${cluster.address}/schedules?name=plain`);
    await ticks.waitFor();
    expect(await ticks.getByRole("columnheader").count()).toBe(3);

    await client.schedules.put("often", { when: { everyMs: 1_000 }, task });
    const made = page.getByRole("row").filter({ hasText: "often" }).getByTitle("The tasks that it has made");
    await made.click();
    await page.getByRole("table", { name: "Tasks" }).getByRole("link", { name: "often" }).first().waitFor();
  }));
