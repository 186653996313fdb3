/** Whatever people write into names, inputs, errors, descriptions or addresses is shown as text and never runs. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openPage, watched } from "./browser.ts";
import { leaf } from "./tasks/familyTasks.ts";

const file = fileURLToPath(new URL("./tasks/familyTasks.ts", import.meta.url));
const evil = `<img src=x onerror="globalThis.owned=1"><script>globalThis.owned=1</script>`;
/** A script that hides in an address. */
const link = "javascript:globalThis.owned=1";

test("script in every text that users control stays text, on every page", async () => {
  await watched(
    ["master", "worker-1"],
    async ({ cluster, client, until }) => {
      const command = ["sh", "-c", `printf '%s\\n' "$1"; exit 3`, evil, evil];
      await client.submit({
        id: "exec",
        name: evil,
        kind: "exec",
        input: { command, env: { E: evil } },
        attemptsMax: 1,
      });
      await leaf.submit(client, { text: evil }, { id: "thrown", name: link, concurrencyKey: evil });
      await client.submit({ id: "waits", name: evil, kind: "sleep", input: { seconds: 1 }, requires: [`l=${link}`] });
      const node = { kind: "sleep", input: { seconds: 0 }, name: evil };
      await client.submit({
        id: "graph",
        name: evil,
        kind: "graph",
        input: { tasks: { a: node } },
      });
      const variables = { v: { type: "string", description: evil, default: evil, enum: [evil, link] } } as const;
      const task = { kind: "exec", input: { command: ["echo", "${v}", evil] } };
      await client.putTemplate("t", { description: evil, variables, task });
      await client.schedules.put("s", {
        when: { cron: "1 1 * * *" },
        task: { ...task, name: evil, input: { command: [evil] } },
      });
      await until("both to fail", async () => (await client.list({ states: ["failed"] })).tasks.length === 2);

      const page = await openPage(cluster.address, {
        viewport: { width: 1440, height: 900 },
        mayFailToLoad: /\/v1\/tasks(\/%3C|\?queue=%3C)/,
      });
      for (const [path, shown] of [
        ["/", "Overview"],
        ["/tasks", evil],
        [`/tasks?name=${encodeURIComponent(evil)}&state=${encodeURIComponent(evil)}`, evil],
        // No queue can have such a name.
        [`/tasks?queue=${encodeURIComponent(evil)}`, "must be 1 to 128 of the characters"],
        ["/tasks/exec?attempt=%3Cscript%3E", evil],
        ["/tasks/thrown", evil],
        ["/tasks/waits", "Why it waits:"],
        ["/tasks/graph", evil],
        ["/tasks/graph/graph", evil],
        ["/tasks/thrown/family", "This task has no children"],
        ["/tasks/thrown/map-reduce", "This task is no MapReduce job"],
        [`/tasks/${encodeURIComponent(evil)}`, "No task can have the id in this address"],
        ["/timeline", evil],
        ["/templates?name=t", evil],
        ["/schedules?name=s", "Next ticks"],
        [`/workers?worker=${encodeURIComponent(evil)}`, "Workers"],
        [`/audit?by=${encodeURIComponent(evil)}`, "Audit"],
        [`/nowhere/${encodeURIComponent(evil)}`, "Unknown page"],
      ] as const) {
        await page.goto(`${cluster.address}${path}`);
        await page.getByText(shown).filter({ visible: true }).first().waitFor();
        await page.waitForLoadState("load");
        const found = await page.evaluate(() => ({
          owned: (globalThis as unknown as { owned?: number }).owned,
          planted: document.querySelectorAll("img[src=x], script:not([src])").length,
          links: [...document.querySelectorAll("a")].filter((a) => !/^https?:$/.test(a.protocol)).length,
        }));
        expect([path, found]).toEqual([path, { owned: undefined, planted: 0, links: 0 }]);
      }
    },
    { workerArguments: ["--tasks", file] },
  );
});
