/** A name without a place to break at, on a phone: what asks before something is done stays within the screen, its buttons too. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { narrow, openPage, screenshot, watched } from "./browser.ts";

const name = `nightly-${"a".repeat(140)}`;

/** What of an open dialog lies beyond its right edge. */
function beyond(page: Page): Promise<string[]> {
  return page.getByRole("dialog").evaluate((dialog) => {
    const { right } = dialog.getBoundingClientRect();
    const all = [...dialog.querySelectorAll("*")];
    return all
      .filter((each) => each.getBoundingClientRect().right > right + 1)
      .map((each) => `${each.tagName} ${each.textContent.slice(0, 40)}`);
  });
}

test("dialogs about a task with a long name fit a phone", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    const nap = { kind: "sleep", input: { seconds: 1 } } as const;
    await client.submit({ ...nap, id: "one", name });
    await client.submit({ kind: "graph", id: "whole", name, input: { tasks: { first: nap } } });
    const page = await openPage(`${cluster.address}/tasks/one`, narrow);
    const look = async (button: string, leave: string) => {
      await page.getByRole("button", { name: button, exact: true }).click();
      await page.getByRole("dialog").getByRole("button", { name: leave, exact: true }).last().waitFor();
      expect([button, await beyond(page)]).toEqual([button, []]);
      await screenshot(page, `long-name-${button.replace(/\W+/g, "-").toLowerCase()}`);
      await page.getByRole("dialog").getByRole("button", { name: leave, exact: true }).last().click();
    };
    await look("Cancel …", "Leave it");
    await look("Run again …", "Close");
    await client.cancel("one");
    await client.cancel("whole");
    await page.goto(`${cluster.address}/tasks/one`);
    await look("Retry …", "Leave it");
    await page.goto(`${cluster.address}/tasks/whole`);
    await look("Retry …", "Leave it");
    const [node] = (await client.list({ parent: "whole" })).tasks;
    await page.goto(`${cluster.address}/tasks/${node?.id}`);
    await look("Retry the graph …", "Leave it");
  });
});
