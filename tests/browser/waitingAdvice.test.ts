/** Why a task waits: whoever may act on the reason is led to the page for it, and nobody is told commands. */
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Outlast } from "../../src/sdk/client.ts";
import type { Scene } from "../e2e/scene.ts";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";
import { guarded, password, rootOf } from "./guarded.ts";

/** What each task is told, and where its link leads. */
const waits = [
  { id: "one-too-many", why: "queue narrow runs 1 task at a time", link: "Change its limits", title: "Queues" },
  { id: "too-soon", why: "queue slow starts at most 1 task in", link: "Change its limits", title: "Queues" },
  { id: "unserved", why: "no connected worker serves queue mail", link: "See the workers", title: "Workers" },
  {
    id: "boxed",
    why: 'no connected worker of queue default runs kind "container"',
    link: "See the workers",
    title: "Workers",
  },
] as const;
/** What the overview counts, of one task each. */
const reasons = [
  ["stopped", "a paused queue"],
  ["one-too-many", "the limit of their queue"],
  ["too-soon", "the rate of their queue"],
  ["unserved", "a worker of their queue"],
  ["boxed", "a worker that can run them"],
  ["later", "their start time"],
] as const;
const links = /Change its limits|See the workers/;
const resumes = { name: "Resume the queue paused", exact: true } as const;

async function fill(stage: Scene, root: Outlast): Promise<void> {
  for (const [name, role] of [
    ["olga", "operator"],
    ["vera", "viewer"],
  ] as const)
    await root.people.addUser({ name, role, password });
  await root.limitQueue("narrow", { concurrencyMax: 1 });
  await root.limitQueue("slow", { rate: { count: 1, perMs: 3_600_000 } });
  await root.pause("paused");
  const nap = { kind: "sleep", input: { seconds: 600 } };
  for (const queue of ["narrow", "slow"]) await root.submit({ ...nap, id: `first-of-${queue}`, queue });
  await stage.until("two to run", async () => (await root.list({ states: ["running"] })).tasks.length === 2);
  for (const [id, queue] of [
    ["stopped", "paused"],
    ["one-too-many", "narrow"],
    ["too-soon", "slow"],
    ["unserved", "mail"],
  ] as const)
    await root.submit({ ...nap, id, queue });
  await root.submit({ id: "boxed", kind: "container", input: { image: "alpine" } });
  await root.submit({ ...nap, id: "later", startAt: Date.now() + 3_600_000 });
}

async function signedIn(address: string, name: string, look: Parameters<typeof openPage>[1]): Promise<Page> {
  const page = await openPage(null, look);
  await page.request.post(`${address}/v1/session`, { data: { name, password } });
  return page;
}

test("a reason to wait leads whoever may act on it to the page for that, and tells nobody commands", () =>
  watched(
    ["master", "worker-1"],
    async (stage) => {
      const { address } = stage.cluster;
      const root = rootOf(stage);
      await fill(stage, root);

      const page = await signedIn(address, "olga", wide);
      for (const { id, why, link, title } of waits) {
        await page.goto(`${address}/tasks/${id}`);
        await page.getByText(`Why it waits: ${why}`).waitFor();
        expect(await page.getByRole("main").innerText()).not.toContain("outlast ");
        await page
          .getByRole("link", { name: links })
          .and(page.getByRole("link", { name: link }))
          .click();
        await page.getByRole("heading", { level: 1, name: title }).waitFor();
        // The queue that it is about is the first one.
        if (title === "Queues")
          expect(await page.getByRole("row").nth(1).innerText()).toContain(id === "too-soon" ? "slow" : "narrow");
      }
      // Nobody has to do anything.
      await page.goto(`${address}/tasks/later`);
      await page.getByText("Why it waits: waits for its start time").waitFor();
      expect(await page.getByRole("link", { name: links }).count()).toBe(0);

      for (const [id, reason] of reasons) {
        await page.goto(`${address}/`);
        await page.getByRole("link", { name: `${reason} 1`, exact: true }).click();
        await page.getByRole("heading", { level: 1, name: "Tasks" }).waitFor();
        // Those that wait for it, and no others.
        await page.getByText("1 shown").waitFor();
        await page.getByRole("table").getByRole("link", { name: id, exact: true }).waitFor();
        // It would be of all that is queued.
        expect(await page.getByRole("button", { name: "Cancel all that match" }).count()).toBe(0);
      }
      await screenshot(page, "tasks-waiting-for");
      await page.getByLabel("Waits for").selectOption({ label: "Waits for a signal" });
      await page.getByText("No task waits for a signal now").waitFor();
      expect(await violations(page)).toEqual([]);

      await page.goto(`${address}/`);
      await page.getByRole("button", resumes).waitFor();
      await screenshot(page, "overview-paused-queue");
      await page.getByRole("link", { name: "1 task waits in the queue paused, which is paused." }).click();
      await page.getByRole("main").getByRole("link", { name: "stopped" }).click();
      await page.getByText("Why it waits: queue paused is paused").waitFor();
      await screenshot(page, "waiting-operator");
      await page.getByRole("button", resumes).click();
      await stage.until("it to run", async () => (await root.get("stopped")).state === "running");
      await page.getByRole("button", resumes).waitFor({ state: "detached" });
    },
    { ...guarded, workerArguments: ["--queues", "default,narrow,slow,paused", "--capacity", "8"] },
  ));

test("a viewer reads why a task waits, without a link to what only others may do", () =>
  watched(
    ["master", "worker-1"],
    async (stage) => {
      const { address } = stage.cluster;
      await fill(stage, rootOf(stage));
      const page = await signedIn(address, "vera", { ...narrow, colorScheme: "dark" });
      for (const { id, why } of [{ id: "stopped", why: "queue paused is paused" }, ...waits]) {
        await page.goto(`${address}/tasks/${id}`);
        await page.getByText(`Why it waits: ${why}`).waitFor();
        expect(await page.getByRole("link", { name: links }).count()).toBe(0);
        expect(await page.getByRole("button", resumes).count()).toBe(0);
        expect(await page.getByRole("main").innerText()).not.toContain("outlast ");
      }
      await screenshot(page, "waiting-viewer");
      expect(await violations(page)).toEqual([]);
    },
    { ...guarded, workerArguments: ["--queues", "default,narrow,slow,paused", "--capacity", "8"] },
  ));

test("where many tasks are looked at and few wait for the reason, the list asks before it goes on for ever", () =>
  watched(["master"], async ({ cluster }) => {
    const page = await openPage(null);
    const cursors: (string | null)[] = [];
    // So many tasks that no call finds one of those that are looked for, until there are no more.
    const calls = 30;
    await page.route(/\/v1\/tasks\?.*waiting=signal/, (route) => {
      const cursor = new URL(route.request().url()).searchParams.get("cursor");
      const next = Number(cursor ?? 0) + 1;
      if (!cursors.includes(cursor)) cursors.push(cursor);
      return route.fulfill({ json: { tasks: [], cursor: next < calls ? String(next) : null } });
    });
    await page.goto(`${cluster.address}/tasks?waiting=signal`);
    await page.getByText("None among many thousands of tasks that were looked at.").waitFor();
    expect(cursors).toHaveLength(20);
    await screenshot(page, "tasks-look-further");
    await page.getByRole("button", { name: "Look further" }).click();
    await page.getByText("No task waits for a signal now").waitFor();
    expect(cursors).toHaveLength(calls);
  }));
