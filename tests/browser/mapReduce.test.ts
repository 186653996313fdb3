/** A MapReduce job that is watched: its phases, what was read and written, and a map that runs again since its output is lost. */
import { existsSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { submitMapReduce } from "../../src/mapreduce/index.ts";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched } from "./browser.ts";

const jobs = fileURLToPath(new URL("../e2e/tasks/gatedJob.ts", import.meta.url));
const maps = 8;
const reduces = 3;

test("a job shows its phases, the bytes and records so far, each map and reduce, and what ran again", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, directory, until }) => {
    const inside = (name: string) => join(directory, name);
    const lines = Array.from({ length: 400 }, (_, index) => `to be ${index} or not to be`);
    // The first map ends; the second one waits at its gate.
    const text = [...lines.slice(0, 60), "here @map waits", "and @reduce too", ...lines.slice(60)].join("\n");
    writeFileSync(inside("input.txt"), text);
    const params = {
      ...{ ledger: inside("ledger"), mapGate: inside("map-gate"), reduceGate: inside("reduce-gate") },
    };
    const job = await submitMapReduce(client, jobs, {
      ...{ job: "gated", id: "job", input: [inside("input.txt")], output: inside("out") },
      ...{ maps, reduces, params },
    });
    const noted = (what: string) =>
      existsSync(params.ledger) && readFileSync(params.ledger, "utf8").split("\n").includes(what);
    await until("a map to wait", () => noted("map"));
    const page = await openPage(`${cluster.address}/tasks/job`);
    await page.getByRole("link", { name: "Maps and reduces" }).click();
    const phase = (name: string) =>
      page.getByRole("list", { name: "Phases" }).locator("[aria-current]", { hasText: name });
    await phase("mapping").waitFor();
    await page.getByText(`${maps} maps × ${reduces} reduces`).waitFor();
    await page.getByText(`1 of ${maps} done, 1 running`).waitFor();
    expect(await page.getByRole("list", { name: "reduces" }).getByText("not there yet").count()).toBe(reduces);
    for (const [look, screen] of Object.entries({ wide: {}, narrow })) {
      for (const colorScheme of ["light", "dark"] as const) {
        const shown = await openPage(`${cluster.address}/tasks/job/map-reduce`, { ...screen, colorScheme });
        await shown.getByText(`1 of ${maps} done, 1 running`).waitFor();
        await screenshot(shown, `map-reduce-mapping-${look}-${colorScheme}`);
        expect([look, colorScheme, await violations(shown)]).toEqual([look, colorScheme, []]);
      }
    }

    writeFileSync(params.mapGate, "");
    await until("the reduce to wait", () => noted("reduce"));
    await phase("reducing").waitFor();
    // All of the input was read by now.
    await page.getByText(/^402$/).waitFor();
    const outputs = join(inside("out"), "_temporary", "job", "map");
    unlinkSync(join(outputs, readdirSync(outputs).toSorted()[0] ?? ""));
    writeFileSync(params.reduceGate, "");
    await job.result();
    await page.locator("header").getByText("success").waitFor();
    await page.getByText("1 ran again since output was lost").first().waitFor();
    await page.getByText(`${reduces} of ${reduces} done, 0 running`).waitFor();
    await page.getByRole("heading", { name: "Result" }).waitFor();
    // What has ended lacks nothing that could still be read.
    expect(await page.getByText("Read from maps").locator("..").innerText()).not.toContain(" of ");
    await page.getByRole("link", { name: /^map 0: success, ran again once/ }).waitFor();
    await screenshot(page, "map-reduce-over");
    expect(await violations(page)).toEqual([]);
    await page.getByRole("link", { name: /^reduce 1: success/ }).click();
    await page.getByRole("heading", { name: "reduce 1" }).waitFor();
  });
});

test("a job that fails is said to have come no further than it has", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, directory }) => {
    const input = join(directory, "input.txt");
    writeFileSync(input, "fine\nthrow\n");
    const output = join(directory, "out");
    const submitted = await submitMapReduce(client, jobs, { job: "bad", input: [input], output, maps: 1, reduces: 1 });
    await client.wait(submitted.id);
    const page = await openPage(`${cluster.address}/tasks/${submitted.id}/map-reduce`);
    await page.locator("header").getByText("failed").waitFor();
    const phases = page.getByRole("list", { name: "Phases" }).getByRole("listitem");
    await expect.poll(() => phases.allInnerTexts()).toEqual(["✓ planning", "✕ mapping", "reducing", "committing"]);
    await screenshot(page, "map-reduce-failed");
    expect(await violations(page)).toEqual([]);
  });
});
