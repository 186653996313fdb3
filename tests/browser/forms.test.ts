/** Forms made from what the master knows: a template that is run with a variable, and a schedule whose next tick is shown here and there. */
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Submission } from "../../src/model/submissionFields.ts";
import { violations } from "./accessibility.ts";
import { narrow, openPage, screenshot, watched, wide } from "./browser.ts";

test("a template is run by a form, and what is missing or wrong is said before it runs", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client }) => {
    const variables = { rows: { type: "integer", minimum: 1, default: 10 }, title: { type: "string" } } as const;
    const task = { kind: "exec", input: { command: ["echo", "${rows} rows of ${title}"] } };
    await client.putTemplate("report", { variables, task });
    const page = await openPage(`${cluster.address}/templates`);
    await page.getByRole("button", { name: "Run it" }).click();
    const title = page.getByLabel("title");
    await page.getByText("A value is needed here.").waitFor();
    expect(await title.getAttribute("aria-invalid")).toBe("true");
    expect(await title.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.getByLabel("rows").fill("0");
    await page.getByRole("button", { name: "Run it" }).click();
    const rows = page.getByRole("spinbutton", { description: /^It must be at least 1\./ });
    expect(await rows.evaluate((field) => field === document.activeElement)).toBe(true);
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "template-form-wrong");
    await page.setViewportSize(narrow.viewport);
    await page.emulateMedia({ colorScheme: "dark" });
    await screenshot(page, "template-form-wrong-narrow-dark");
    await page.setViewportSize(wide.viewport);
    await title.fill("<i>sales</i>");
    expect(await page.getByText("A value is needed here.").count()).toBe(0);
    await page.getByLabel("rows").fill("17");
    await page.getByRole("button", { name: "Run it" }).click();
    await page.waitForURL("**/tasks/**");
    await page.getByRole("log").getByText("17 rows of <i>sales</i>").waitFor();
    await page.getByRole("heading", { level: 1, name: "report" }).waitFor();
    const [made] = (await client.list({})).tasks;
    expect(made?.origin).toEqual({ template: "report", version: 1, variables: { rows: 17, title: "<i>sales</i>" } });
  });
});

test("the next tick of a schedule is told in its time zone and in the viewer's, and it is paused and triggered", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, until }) => {
    const when = { cron: "30 2 * * *", timeZone: "Asia/Tokyo" };
    await client.schedules.put("nightly", {
      when,
      description: "Counts the day",
      task: { kind: "sleep", input: { seconds: 0 } },
    });
    const page = await openPage(`${cluster.address}/schedules`, {
      ...wide,
      timezoneId: "America/New_York",
      locale: "en-GB",
    });
    const ticks = page.getByRole("table", { name: "Next ticks" });
    await ticks
      .getByText(/02:30:00 \+09:00$/)
      .first()
      .waitFor();
    await ticks.getByRole("columnheader", { name: "Here (America/New_York)" }).waitFor();
    await ticks
      .getByText(/1[23]:30:00$/)
      .first()
      .waitFor();
    await page.getByRole("cell", { name: "Counts the day" }).waitFor();
    expect(await page.getByText("Counts the day", { exact: true }).count()).toBe(2);
    await screenshot(page, "schedules-description");
    await page.getByRole("button", { name: "Trigger now" }).click();
    await page.getByText("A task was made").waitFor();
    await until("the triggered task", async () => (await client.list({})).tasks.length === 1);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).waitFor();
    expect((await client.schedules.get("nightly")).isPaused).toBe(true);
  });
});

test("a schedule is made by a form that shows its ticks, changed, made up for and removed", async () => {
  await watched(["master", "worker-1"], async ({ cluster, client, until }) => {
    const variables = { rows: { type: "integer", minimum: 1, default: 10 } } as const;
    await client.putTemplate("report", { variables, task: { kind: "sleep", input: { seconds: 0 } } });
    const page = await openPage(`${cluster.address}/schedules`, {
      ...wide,
      timezoneId: "America/New_York",
      locale: "en-GB",
      // What is typed half is refused.
      mayFailToLoad: /\/v1\/schedule-previews$/,
    });
    await page.getByRole("button", { name: "New schedule" }).click();
    const form = page.getByRole("dialog");
    await form.getByRole("button", { name: "Make it" }).click();
    await form.getByText("A value is needed here.").waitFor();
    const isFocused = (label: string) => form.getByLabel(label).evaluate((field) => field === document.activeElement);
    expect(await isFocused("Name")).toBe(true);
    expect(await form.getByLabel("Name").getAttribute("aria-invalid")).toBe("true");
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "schedule-form-refused");
    await form.getByLabel("Name").fill("nightly");
    expect(await form.getByText("A value is needed here.").count()).toBe(0);
    await form.getByLabel("Description").fill("Adds up the day");
    await form.getByLabel("Cron").fill("30 2 * *");
    await form.getByRole("alert").waitFor();
    await form.getByLabel("Cron").fill("30 2 * * *");
    await form.getByLabel("Time zone").fill("Asia/Tokyo");
    await form
      .getByRole("status")
      .getByText(/1[23]:30/)
      .waitFor();
    await form.getByLabel("Runs", { exact: true }).selectOption("report");
    await form.getByLabel("rows").fill("17");
    expect(await violations(page)).toEqual([]);
    await screenshot(page, "schedule-form");
    await form.getByLabel("If the last one still runs").selectOption("skip");
    await form.getByRole("button", { name: "Make it" }).click();
    await page.getByText("30 2 * * * Asia/Tokyo").waitFor();
    const when = { cron: "30 2 * * *", timeZone: "Asia/Tokyo" };
    const runs = { template: "report", variables: { rows: 17 } };
    const first = { when, description: "Adds up the day", ...runs, overlap: "skip", missed: "latest" };
    expect((await client.schedules.get("nightly")).content).toEqual(first);

    await page.getByRole("button", { name: "New schedule" }).click();
    await form.getByLabel("Name").fill("nightly");
    await form.getByText("There is a schedule of this name.").waitFor();
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Change …" }).click();
    expect(await form.getByLabel("rows").inputValue()).toBe("17");
    await form.getByLabel("When").selectOption("every");
    await form.getByLabel("Every").fill("6h");
    await form.getByRole("button", { name: "Change it" }).click();
    await page.getByRole("cell", { name: "every 6 h" }).waitFor();
    expect((await client.schedules.get("nightly")).content).toEqual({ ...first, when: { everyMs: 21_600_000 } });

    await page.getByRole("button", { name: "Backfill …" }).click();
    await form.getByRole("button", { name: "Make the tasks" }).click();
    await page.getByText("4 tasks were made.").waitFor();
    await until("the tasks of the past", async () => (await client.list({})).tasks.length === 4);

    await page.getByRole("button", { name: "Remove …" }).click();
    await form.getByRole("button", { name: "Remove it" }).click();
    await page.getByText("No schedule yet").waitFor();
  });
});

test("a form that nobody has touched says nothing of mistakes, nor what is still empty", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    const variables = { title: { type: "string" } } as const;
    await client.putTemplate("report", { variables, task: { kind: "exec", input: { command: ["echo", "${title}"] } } });
    // Nothing is asked that the master would refuse.
    const page = await openPage(`${cluster.address}/schedules`);
    const form = page.getByRole("dialog");
    const quiet = async () => {
      expect(await form.getByRole("alert").count()).toBe(0);
      expect(await form.getByText(/Say at which time|is not valid|must/).count()).toBe(0);
    };
    await page.getByRole("button", { name: "New schedule" }).click();
    await form.getByRole("status").getByText("Next, in your time").waitFor();
    await quiet();
    await screenshot(page, "schedule-form-untouched");
    await page.setViewportSize(narrow.viewport);
    await screenshot(page, "schedule-form-untouched-narrow");
    const [cron, zone] = await Promise.all(["Cron", "Time zone"].map((label) => form.getByLabel(label).boundingBox()));
    expect((cron?.x ?? Infinity) + (cron?.width ?? 0)).toBeLessThan(zone?.x ?? 0);
    await page.setViewportSize(wide.viewport);
    await form.getByLabel("Runs", { exact: true }).selectOption("report");
    await form.getByLabel("title").waitFor();
    await form.getByLabel("When").selectOption("once");
    await form.getByRole("status").waitFor({ state: "detached" });
    await quiet();
    await form.getByRole("button", { name: "Make it" }).click();
    const name = form.getByLabel("Name");
    expect(await name.evaluate((field: HTMLInputElement) => field.validity.valueMissing)).toBe(true);

    for (const [path, button] of [
      ["/webhooks", "New webhook …"],
      ["/users", "Add a user …"],
      ["/tokens", "Make a token …"],
    ] as const) {
      await page.goto(`${cluster.address}${path}`);
      await page.getByRole("button", { name: button }).click();
      await form.getByLabel("Name", { exact: true }).waitFor();
      await quiet();
    }
  });
});

const code = "export const words = {};";
const mapReduce = {
  code: { sha256: createHash("sha256").update(code).digest("hex"), text: code },
  job: "words",
  input: { format: "lines", paths: ["/data/words"] },
  reduces: 1,
  output: { format: "tsv", folder: "/data/counts" },
  partition: "hash",
};
/** One task of each kind, with all that goes with it. */
const ofEachKind = {
  sleep: { input: { seconds: 1 }, attemptsMax: 2, timeoutMs: 5_000, priority: 3 },
  exec: { input: { command: ["make", "test"] }, requires: ["gpu"], killsMax: 2, backoffBaseMs: 5 },
  http: { input: { url: "https://example.com/" } },
  container: { input: { image: "alpine", command: ["true"] } },
  remote: { input: { service: "batch", job: { definition: "nightly" } } },
  graph: { input: { tasks: { a: { kind: "sleep", input: { seconds: 0 } } } }, priority: 2, deadlineMs: 600_000 },
  "map-reduce": { input: mapReduce, deadlineMs: 600_000 },
  resize: { input: { file: "a.png" }, concurrencyKey: "images", concurrencyMax: 2 },
} as const satisfies { readonly [kind: string]: Omit<Submission, "kind"> };

test("a task of each kind is run again as it was, without a change", async () => {
  await watched(["master"], async ({ cluster, client }) => {
    const page = await openPage(null);
    const every = { ...ofEachKind, "everywhere-exec": { ...ofEachKind.exec, broadcast: true } };
    for (const [id, task] of Object.entries(every)) {
      await client.submit({ ...task, id, name: `the ${id}`, kind: id.replace("everywhere-", ""), queue: "nobody" });
      await page.goto(`${cluster.address}/tasks/${id}`);
      await page.getByRole("button", { name: "Run again …" }).click();
      await page.getByRole("button", { name: "Submit" }).click();
      await page.getByRole("dialog").waitFor({ state: "detached" });
      const again = await client.get(new URL(page.url()).pathname.split("/")[2] ?? "");
      expect(again.id).not.toBe(id);
      const { kind, input, limits, requires, broadcast, priority, concurrencyKey } = await client.get(id);
      expect(again).toMatchObject({ kind, input, limits, priority, name: `the ${id}` });
      expect(again).toMatchObject(JSON.parse(JSON.stringify({ requires, broadcast, concurrencyKey })));
    }
  });
});
