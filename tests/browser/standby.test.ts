/** The pages of a standby say what only the leader knows, as those of the leader do. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "vitest";
import { submitMapReduce } from "../../src/mapreduce/index.ts";
import { openPage, watched } from "./browser.ts";

test("a standby's overview tells why tasks wait, for how long, and which slots are in use", async () => {
  await watched(
    ["master-1", "master-2", "worker-1"],
    async ({ cluster, client, until }) => {
      await until("a leader and a standby", async () => (await client.masters()).length === 2);
      await until("a worker", async () => (await client.workers()).length === 1);
      const nap = { kind: "sleep", input: { seconds: 600 } } as const;
      await client.submitAll([nap, { ...nap, queue: "nobody" }]);
      await until("one to run", async () => (await client.list({ states: ["running"] })).tasks.length === 1);
      for (const { name, role } of await client.masters()) {
        const page = await openPage(cluster.addressOf(name ?? ""));
        await page.getByText(`${name} · ${role}`).waitFor();
        await page.getByRole("heading", { name: "Tasks wait for" }).waitFor();
        await page.getByRole("link", { name: "a worker of their queue 1" }).waitFor();
        await page.getByText(/^1 of \d+ slots? in use, the longest wait is/).waitFor();
      }
    },
    { masters: ["master-1", "master-2"] },
  );
});

const jobs = fileURLToPath(new URL("../e2e/tasks/gatedJob.ts", import.meta.url));

test("a standby's pages of tasks tell how far they are", async () => {
  await watched(
    ["master-1", "master-2", "worker-1"],
    async ({ cluster, client, directory, until }) => {
      const input = join(directory, "input.txt");
      writeFileSync(input, `${"to be or not to be\n".repeat(60)}here @map waits\n`);
      const gate = (name: string) => join(directory, name);
      await submitMapReduce(client, jobs, {
        ...{ job: "gated", id: "job", input: [input], output: join(directory, "out"), maps: 1, reduces: 1 },
        params: { ledger: gate("ledger"), mapGate: gate("map-gate"), reduceGate: gate("reduce-gate") },
      });
      const map = await until(
        "a map to run",
        async () => (await client.list({ name: "map 0", states: ["running"] })).tasks[0],
      );
      for (const { name, role } of await client.masters()) {
        const page = await openPage(`${cluster.addressOf(name ?? "")}/tasks/${map.id}`);
        await page.getByText(`${name} · ${role}`).waitFor();
        await page.getByRole("meter", { name: "Progress" }).waitFor();
        await page.goto(`${cluster.addressOf(name ?? "")}/tasks`);
        await page.getByRole("meter", { name: "Progress" }).waitFor();
        await page.goto(`${cluster.addressOf(name ?? "")}/tasks/job/map-reduce`);
        await page.getByRole("link", { name: /^map 0: running \d+ %/ }).waitFor();
      }
    },
    { masters: ["master-1", "master-2"] },
  );
});
