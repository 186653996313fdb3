/** Failed tasks are retried: one from its page, several from the list. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openPage, screenshot, watched } from "./browser.ts";

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
