/** Failed tasks are retried: one from its page, several from the list. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { Submission } from "../../src/model/submissionFields.ts";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";

const looks = {
  wide,
  "wide-dark": { ...wide, colorScheme: "dark" },
  narrow,
  "narrow-dark": { ...narrow, colorScheme: "dark" },
} as const;

/** The same page as others see it. */
async function lookAt(url: string, name: string, open: (page: Page) => Promise<void>): Promise<void> {
  for (const [look, options] of Object.entries(looks)) {
    const page = await openPage(url, options);
    await open(page);
    await screenshot(page, `${name}-${look}`);
    expect([look, await violations(page)]).toEqual([look, []]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(options.viewport.width);
    await page.context().close();
  }
}

test("a failed task is retried from its page, several from the list, and all that match, in the same task with its next attempt", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, directory, until }) => {
    const flag = join(directory, "repaired");
    const input = { command: ["test", "-e", flag] };
    for (const id of ["a", "b", "c"])
      await client.submit({ id, name: `needs ${id}`, kind: "exec", input, attemptsMax: 1 });
    await until("all to fail", async () => (await client.list({ states: ["failed"] })).tasks.length === 3);
    writeFileSync(flag, "");
    const page = await openPage(`${cluster.address}/tasks/a`);
    await page.getByRole("button", { name: "Retry …" }).click();
    await page.getByRole("button", { name: "Retry the task" }).click();
    await page.locator("header").getByText("success").waitFor();
    expect(await client.get("a")).toMatchObject({ state: "success", attempt: 2 });
    expect(await page.getByRole("button", { name: "Retry …" }).count()).toBe(0);

    await page.goto(`${cluster.address}/tasks`);
    await page.getByText("needs c").waitFor();
    await page.getByRole("button", { name: "Select all that match" }).click();
    await page.getByText("3 selected").waitFor();
    await page.getByRole("button", { name: "Retry …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("2 tasks will be retried. 1 task did not fail: left alone.").waitFor();
    await dialog.getByRole("button", { name: "Retry 2 tasks" }).click();
    await dialog.getByText("2 of 2 retried").waitFor();
    await until("both to succeed", async () => (await client.list({ states: ["success"] })).tasks.length === 3);
    expect((await client.list({})).tasks).toHaveLength(3);

    const missing = { command: ["test", "-e", `${flag}-2`] };
    for (const id of ["d", "e"]) await client.submit({ id, kind: "exec", input: missing, attemptsMax: 1 });
    await until("both to fail", async () => (await client.list({ states: ["failed"] })).tasks.length === 2);
    writeFileSync(`${flag}-2`, "");
    expect(await page.getByRole("button", { name: "Retry all that match …" }).count()).toBe(0);
    await page.goto(`${cluster.address}/tasks?state=failed,success`);
    await page.getByRole("button", { name: "Retry all that match …" }).click();
    await dialog.getByText("2 tasks will be retried.").waitFor();
    await screenshot(page, "retry-all-that-match");
    expect((await client.get("d")).state).toBe("failed");
    await dialog.getByRole("button", { name: "Retry 2 tasks" }).click();
    await dialog.getByText("2 of 2 retried").waitFor();
    await until("all to succeed", async () => (await client.list({ states: ["success"] })).tasks.length === 5);
    expect((await client.get("a")).attempt).toBe(2);
  });
});

test("what is from before a retry says so until the task has begun again, and then its log goes on by itself", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, until }) => {
    const command = ["sh", "-c", "echo this is attempt $OUTLAST_ATTEMPT; test $OUTLAST_ATTEMPT = 2"];
    await client.submit({ id: "a", kind: "exec", input: { command }, attemptsMax: 1 });
    await until("it to fail", async () => (await client.get("a")).state === "failed");
    const page = await openPage(`${cluster.address}/tasks/a`);
    await page.getByRole("log").getByText("this is attempt 1").waitFor();
    await page.getByText("It failed").waitFor();
    await page.getByText("1 · failed", { exact: true }).waitFor();
    await client.pause("default");
    await page.getByRole("button", { name: "Retry …" }).click();
    await page.getByRole("button", { name: "Retry the task" }).click();
    await page.getByText("It has not started again since the retry.").waitFor();
    expect(await page.getByText(/this is attempt 1|It failed|The last attempt did not succeed/).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "task-retried-not-begun");
    const earlier = await openPage(page.url());
    await earlier.getByRole("link", { name: "The log of attempt 1" }).click();
    await earlier.getByText("from attempt 1, before the retry").waitFor();
    await earlier.getByText("Attempt 1 · before the retry").waitFor();
    await screenshot(earlier, "task-log-before-the-retry");
    const list = await openPage(`${cluster.address}/tasks`);
    await list.getByRole("row").filter({ hasText: "default" }).waitFor();
    expect(await list.getByRole("row").filter({ hasText: "worker-1" }).count()).toBe(0);

    await client.resume("default");
    await page.getByRole("log").getByText("this is attempt 2").waitFor();
    expect(await page.getByText("before the retry", { exact: true }).count()).toBe(0);
    await earlier.getByRole("log").getByText("this is attempt 2").waitFor();
  });
});

test("nodes of a graph are retried with their graph: from a node, from the graph, and from the list", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, directory, until }) => {
    const flag = join(directory, "repaired");
    const exec = (command: readonly string[], after: readonly string[] = []) => ({
      kind: "exec",
      input: { command },
      attemptsMax: 1,
      after,
    });
    const tasks = {
      "load-a": exec(["true"]),
      "load-b": exec(["test", "-e", flag]),
      "load-c": exec(["test", "-e", flag]),
      merge: exec(["true"], ["load-a", "load-b", "load-c"]),
    };
    const graph = { kind: "graph", input: { tasks, onFailure: "continue" }, name: "nightly" };
    for (const id of ["one", "two", "three"]) await client.submit({ ...graph, id } as unknown as Submission);
    await client.submit({ id: "alone", kind: "exec", input: { command: ["false"] }, attemptsMax: 1 });
    await until("all to fail", async () => (await client.list({ states: ["failed"] })).tasks.length === 10);
    const nodes = async (parent: string) => (await client.list({ states: ["failed"], parent })).tasks;
    const [first] = await nodes("one");

    const { address } = cluster;
    await lookAt(`${address}/tasks?state=failed`, "bulk-retry-of-nodes", async (page) => {
      await page.getByRole("button", { name: "Select all that match" }).click();
      const tools = page.getByRole("toolbar");
      await tools.waitFor();
      expect(await tools.getByRole("button").allInnerTexts()).toEqual(["Retry …", "Run again …", "Clear"]);
      await tools.getByRole("button", { name: "Retry …" }).click();
      await page.getByText("6 tasks are parts of").waitFor();
    });
    await lookAt(`${address}/tasks/${first?.id}`, "retry-of-a-node", async (page) => {
      await page.getByRole("button", { name: "Retry the graph …" }).click();
      await page.getByText("2 failed and 1 skipped nodes run again. What has succeeded (1) stays.").waitFor();
    });
    await lookAt(`${address}/tasks/two/graph`, "retry-of-a-graph", async (page) => {
      await page.locator(".react-flow__node").first().waitFor();
      await page.getByRole("button", { name: "Retry …" }).waitFor();
    });

    writeFileSync(flag, "");
    const page = await openPage(`${address}/tasks/${first?.id}`);
    await page.getByRole("link", { name: "nightly", exact: true }).waitFor();
    await page.getByRole("button", { name: "Retry the graph …" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Retry the graph" }).click();
    await page.locator("header").getByText("success").waitFor();
    await until("the graph", async () => (await client.get("one")).state === "success");

    await page.goto(`${address}/tasks/two/graph`);
    await page.getByRole("button", { name: "Retry …" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Retry the graph" }).click();
    await page.locator("header").getByText("success").waitFor();

    await page.goto(`${address}/tasks?state=failed`);
    for (const task of await nodes("three")) await page.getByRole("checkbox", { name: `Select ${task.name}` }).check();
    await page.getByRole("toolbar").getByRole("button", { name: "Retry …" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("2 tasks are parts of nightly.").waitFor();
    await dialog.getByRole("button", { name: "Retry 1 graph" }).click();
    await dialog.getByText("1 of 1 retried").waitFor();
    await until("the last graph", async () => (await client.get("three")).state === "success");
    expect((await client.list({ parent: "three" })).tasks.map(({ attempt }) => attempt).toSorted()).toEqual([
      1, 1, 2, 2,
    ]);
  });
});
