/** A task that was retried from scratch shows its present run, and what there was before on demand. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { submitMapReduce } from "../../src/mapreduce/index.ts";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched } from "./browser.ts";

const jobs = fileURLToPath(new URL("../e2e/tasks/gatedJob.ts", import.meta.url));

test("counts, children and attempts are those since the retry; those before are there to be seen", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, directory, until }) => {
    const repaired = join(directory, "repaired");
    const exec = (command: string[]) => ({ kind: "exec", input: { command }, attemptsMax: 1 });
    const tasks = { one: exec(["true"]), two: exec(["test", "-e", repaired]) };
    await client.submit({ id: "g", kind: "graph", input: { tasks } });
    await client.submit({ id: "t", ...exec(["test", "-e", repaired]) });
    const ends = async (id: string, state: string) =>
      until(`${id} to end`, async () => (await client.get(id)).state === state);
    for (const id of ["g", "t"]) await ends(id, "failed");
    const before = (await client.views.children("g")).tasks.map(({ id }) => id);
    expect(existsSync(repaired)).toBe(false);
    for (const id of ["g", "t"]) await client.retry(id, { fromScratch: true });
    for (const id of ["g", "t"]) await ends(id, "failed");
    writeFileSync(repaired, "");
    for (const id of ["g", "t"]) await client.retry(id, { fromScratch: true });
    for (const id of ["g", "t"]) await ends(id, "success");

    const present = await client.views.children("g", { generation: "present" });
    expect(present.counts).toEqual({ success: 2 });
    expect(present.tasks.map(({ state }) => state)).toEqual(["success", "success"]);
    const earlier = await client.views.children("g", { generation: "earlier" });
    expect(earlier.tasks).toHaveLength(4);
    expect(earlier.tasks.map(({ id }) => id)).toEqual(expect.arrayContaining(before));
    // However small the pages are.
    const found: string[] = [];
    for (let cursor: string | null = null; ; ) {
      const page = await client.views.children("g", { generation: "present", limit: 1, ...(cursor && { cursor }) });
      found.push(...page.tasks.map(({ id }) => id));
      ({ cursor } = page);
      if (cursor === null) break;
    }
    expect(found).toEqual(present.tasks.map(({ id }) => id));

    const page = await openPage(`${cluster.address}/tasks/g`);
    const children = page.getByRole("table", { name: "Children", exact: true }).getByRole("row");
    await children.nth(2).waitFor();
    expect(await children.filter({ hasText: "failed" }).count()).toBe(0);
    await page.getByRole("button", { name: "Show children from before" }).click();
    await page.getByRole("table", { name: "Children from before" }).getByRole("row").nth(4).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.goto(`${cluster.address}/tasks/g/family`);
    await page.getByRole("list", { name: "Children of g", exact: true }).getByRole("listitem").nth(1).waitFor();
    await page.getByRole("button", { name: "Show children from before" }).click();
    await page.getByRole("list", { name: "Children of g from before" }).getByRole("listitem").nth(3).waitFor();
    await screenshot(page, "family-retried");

    await page.goto(`${cluster.address}/tasks/t`);
    await page.getByText("1 · none failed · 2 before the retry").waitFor();
    expect(await page.getByRole("table", { name: "Attempts", exact: true }).getByRole("row").count()).toBe(2);
    await page.getByRole("button", { name: "Show", exact: true }).click();
    expect(await page.getByRole("table", { name: "Attempts before the retry" }).getByRole("row").count()).toBe(3);
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "task-retried");
    const phone = await openPage(`${cluster.address}/tasks/g`, { ...narrow, colorScheme: "dark" });
    await phone.getByRole("button", { name: "Show children from before" }).click();
    await phone.getByRole("table", { name: "Children from before" }).waitFor();
    await screenshot(phone, "graph-retried-narrow-dark");
  });
});

test("the page of a job that was retried shows the maps of its present run", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, directory, until }) => {
    const gate = join(directory, "map-gate");
    const input = join(directory, "input.txt");
    writeFileSync(input, "one\n@broken\ntwo\n");
    const params = { ledger: join(directory, "ledger"), mapGate: gate, reduceGate: gate };
    await submitMapReduce(client, jobs, {
      ...{ job: "mended", id: "job", input: [input], output: join(directory, "out"), maps: 2, reduces: 1, params },
      attemptsMax: 1,
    });
    const ends = async (state: string) =>
      until(`the job to be ${state}`, async () => (await client.get("job")).state === state);
    await ends("failed");
    writeFileSync(gate, "");
    await client.retry("job");
    await ends("success");
    const page = await openPage(`${cluster.address}/tasks/job/map-reduce`);
    await page.getByText("This job began from scratch when it was retried.").waitFor();
    await page.getByText("2 of 2 done, 0 running").waitFor();
    expect(await page.getByText("ran again since output was lost").count()).toBe(0);
    await screenshot(page, "map-reduce-retried");
  });
});
