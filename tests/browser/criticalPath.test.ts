/** The timeline of a family: what decided when a graph ended, in the order of time, with its retries and its waits. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Submission } from "../../src/model/submission.ts";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";

test("of a graph the nodes that others waited for are on the critical path, and those that were quick are not", async () => {
  await watched(["master", "worker-1", "worker-2"], async ({ cluster, client, directory, until }) => {
    const flag = join(directory, "gate");
    // The first attempt fails; the second one waits for its gate, so that everything else has ended before.
    const gated = `test "$OUTLAST_ATTEMPT" != 1 && until test -e '${flag}'; do sleep 0.05; done`;
    const exec = (command: readonly string[], after: readonly string[], more: object = {}) => {
      return { kind: "exec", input: { command }, after, ...more };
    };
    const tasks = {
      load: exec(["true"], []),
      clean: exec(["sh", "-c", gated], ["load"], { backoffBaseMs: 200, attemptsMax: 2 }),
      quick: exec(["true"], ["load"]),
      report: exec(["true"], ["clean", "quick"]),
    };
    await client.submit({
      id: "etl",
      name: "etl of <b>May</b>",
      kind: "graph",
      input: { tasks },
    } as unknown as Submission);
    await until("the gate to be the last thing", async () => {
      const { nodes } = await client.graph("etl");
      const [clean, quick] = ["clean", "quick"].map((name) => nodes.find((node) => node.name === name));
      return clean?.state === "running" && clean.attempt === 2 && quick?.state === "success";
    });
    const page = await openPage(`${cluster.address}/tasks/etl`);
    await page.getByRole("main").getByRole("link", { name: "Timeline" }).click();
    await page.getByText("What decides when it ends is told once it has ended.").waitFor();
    writeFileSync(flag, "");
    const rows = page.getByRole("table", { name: "Critical path" }).getByRole("row");
    await rows.filter({ hasText: "report" }).getByText("success").waitFor();
    const texts = (await rows.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " "));
    const attempts = texts.flatMap(
      (text) => /(\w+) attempt (\d) on worker-\d, (\w+)/.exec(text)?.slice(1).join(" ") ?? [],
    );
    expect(attempts).toEqual(["load 1 success", "clean 1 failed", "clean 2 success", "report 1 success"]);
    expect(texts.filter((text) => text.includes("clean waits for its next attempt"))).toHaveLength(1);
    expect(texts.join()).not.toContain("quick");
    for (const [look, screen] of Object.entries({ wide, narrow })) {
      for (const colorScheme of ["light", "dark"] as const) {
        const shown = await openPage(`${cluster.address}/tasks/etl/timeline`, { ...screen, colorScheme });
        await shown.getByRole("table", { name: "Critical path" }).waitFor();
        await screenshot(shown, `critical-path-${look}-${colorScheme}`);
        expect(await shown.evaluate(() => document.documentElement.scrollWidth)).toBe(screen.viewport.width);
        const box = shown.getByRole("table", { name: "Critical path" }).locator("..");
        expect([look, await box.evaluate((each) => each.scrollWidth - each.clientWidth)]).toEqual([look, 0]);
        if (look === "wide") expect([colorScheme, await violations(shown)]).toEqual([colorScheme, []]);
        await shown.context().close();
      }
    }
    // On a phone, the nodes stand below each other, as large as they can be read.
    const phone = await openPage(`${cluster.address}/tasks/etl/graph`, { ...narrow, colorScheme: "dark" });
    const node = phone.locator(".react-flow__node");
    await node.nth(3).waitFor();
    await screenshot(phone, "graph-narrow-four-nodes");
    const boxes = await Promise.all((await node.all()).map((each) => each.boundingBox()));
    expect(new Set(boxes.map((each) => Math.round(each?.y ?? 0))).size).toBe(3);
    for (const each of boxes) expect(each?.width).toBeGreaterThan(140);
    await rows.filter({ hasText: "report" }).getByRole("link", { name: "report" }).last().click();
    await page.waitForURL("**/tasks/etl~**");
  });
});
