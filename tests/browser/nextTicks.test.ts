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
    await page.goto(`${cluster.address}/schedules?name=plain`);
    await ticks.waitFor();
    expect(await ticks.getByRole("columnheader").count()).toBe(3);
  }));
