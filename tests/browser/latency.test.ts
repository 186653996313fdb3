/** The chart of latencies where one task has taken far longer than all others. */
import { expect, test } from "vitest";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";

test("the chart of latencies says that it is logarithmic, and is drawn wide and narrow, light and dark", () =>
  watched(["master", "worker-1"], async ({ cluster, client }) => {
    for (let index = 0; index < 12; index++) {
      await client.submit({ id: `short-${index}`, kind: "sleep", input: { seconds: index === 9 ? 3 : 0.4 } });
      await client.wait(`short-${index}`);
    }
    const page = await openPage(`${cluster.address}/`, wide);
    const chart = page.getByRole("img", { name: "Latency" });
    await chart.locator("canvas").waitFor();
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "latency-wide");
    await page.emulateMedia({ colorScheme: "dark" });
    await page.setViewportSize(narrow.viewport);
    await page.getByText("logarithmic").waitFor();
    await screenshot(page, "latency-narrow-dark");
  }));
