/** Many tasks at once: what is chosen is what the filters say now, and work that is left ends. */
import { expect, test } from "vitest";
import { openPage, watched, wide } from "./browser.ts";

const startAt = () => Date.now() + 86_400_000;
const waiting = (queue: string, count: number) =>
  Array.from({ length: count }, (_, index) => ({
    ...{ id: `${queue}-${index}`, kind: "sleep" as const, input: { seconds: 1 }, startAt: startAt(), queue },
  }));

test("a bulk that is stopped leaves the rest as it is, and says how far it came", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    await client.submitAll(waiting("many", 60));
    const page = await openPage(`${cluster.address}/tasks?queue=many`);
    let calls = 0;
    const held: (() => void)[] = [];
    await page.route("**/cancel", async (route) => {
      calls += 1;
      // The first ones go through; then the master takes its time.
      if (calls > 5) await new Promise<void>((resolve) => held.push(resolve));
      await route.continue();
    });
    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByText("60 selected").waitFor();
    await page.getByRole("button", { name: "Cancel …", exact: true }).click();
    await page.getByRole("button", { name: "Cancel 60 tasks" }).click();
    await page.getByText("5 of 60 cancelled").waitFor();
    await expect.poll(() => held.length).toBeGreaterThan(0);
    const begun = calls;
    await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    for (const go of held.splice(0)) go();
    await expect
      .poll(async () => (await client.list({ queue: "many", states: ["cancelled"] })).tasks.length)
      .toBe(begun);
    // What was begun has ended, and nothing else was.
    await page.getByRole("button", { name: "cancelled" }).first().waitFor();
    expect(calls).toBe(begun);
  });
});

test("what an earlier filter has matched is not chosen under another one", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    await client.submitAll([...waiting("left", 3), ...waiting("right", 2)]);
    const page = await openPage(`${cluster.address}/tasks?queue=left`, { ...wide, mayFailToLoad: /./ });
    let go = () => {};
    const isHeld = new Promise<void>((resolve) => {
      go = resolve;
    });
    const answers: Promise<void>[] = [];
    await page.route("**/v1/tasks?*limit=1000*", async (route) => {
      if (route.request().url().includes("queue=left")) await isHeld;
      const done = route.continue();
      answers.push(done);
      await done;
    });
    await page.getByText("3 shown").waitFor();
    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByRole("combobox", { name: "Queue" }).selectOption("right");
    await page.getByText("2 shown").waitFor();
    go();
    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByText("2 selected").waitFor();
    await page.getByRole("button", { name: "Clear", exact: true }).click();

    await page.context().setOffline(true);
    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByRole("alert").getByText("The master cannot be reached.").waitFor();
    await page.context().setOffline(false);
  });
});
