/** A crontab that is moved to Outlast, edited and moved again: real commands, a real master, a real worker. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import type { ScheduleView } from "../../src/model/schedules/schedule.ts";
import { folder, type Result, Started } from "./commands.ts";

const startMsMax = 60_000;
const home = join(folder, "home");
const file = join(folder, "crontab");
let up: Started;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const port = String(await findFreePort());
  env = { OUTLAST_MASTERS: `http://127.0.0.1:${port}`, HOME: home, TZ: "Asia/Kathmandu" };
  mkdirSync(home);
  up = new Started(["up", "--port", port, "--data", "crontab-data", "--drain-timeout", "1s"], { env: { HOME: home } });
  await up.line(/^worker-1 is ready/);
}, startMsMax);

afterAll(async () => {
  up.child.kill("SIGINT");
  expect((await up.ended).code).toBe(0);
}, startMsMax);

beforeEach(async () => {
  for (const { name } of await schedules()) await outlast("schedule", "rm", name);
});

const outlast = (...commandLine: string[]): Promise<Result> => new Started(commandLine, { env }).ended;

async function importLines(lines: readonly string[], ...flags: string[]): Promise<Result> {
  writeFileSync(file, `${lines.join("\n")}\n`);
  return outlast("schedule", "import", file, ...flags);
}

async function schedules(): Promise<readonly ScheduleView[]> {
  const { stdout } = await outlast("schedule", "ls", "--json");
  return (JSON.parse(stdout) as { schedules: ScheduleView[] }).schedules;
}

interface Report {
  readonly schedules: readonly { readonly name: string; readonly line: number; readonly state: string }[];
  readonly gone: readonly { readonly name: string; readonly isPaused: boolean }[];
  readonly warnings: readonly string[];
  readonly isDryRun: boolean;
}

async function report(lines: readonly string[], ...flags: string[]): Promise<Report> {
  return JSON.parse((await importLines(lines, ...flags, "--json")).stdout) as Report;
}

test("all lines that cannot be taken over are named at once, each with its number, and nothing is put", async () => {
  const lines = [
    "0 0 * * moon /usr/bin/a",
    "@daily true",
    "@reboot b",
    "61 * * * * c",
    "CRON_TZ=Moon/Base",
    "0 0 30 2 * d",
  ];
  const { code, stderr } = await importLines(lines);
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /line 1: .*"moon" cannot be the day of the week \(0 to 7, or SUN to SAT\): 0 0 \* \* moon \/usr\/bin\/a$/m,
  );
  expect(stderr).toMatch(/line 3: @reboot does not exist here.*systemd/);
  expect(stderr).toMatch(/line 4: .*"61" cannot be the minute/);
  expect(stderr).toMatch(/line 5: unknown time zone "Moon\/Base"/);
  expect(stderr).toMatch(/line 6: .*never comes/);
  expect(stderr).not.toContain("CronPattern");
  expect(await schedules()).toEqual([]);
  const system = await importLines(["0 0 * * * root /usr/bin/thing"]);
  expect(system.stderr).toContain("add --system");
});

test("an edited crontab changes its own schedules, and those whose line is gone are named", async () => {
  const { schedules: first } = await report(
    ["* * * * * echo A", "* * * * * echo B", "* * * * * echo C"],
    "--prefix",
    "t-",
  );
  expect(first.map(({ state }) => state)).toEqual(["new", "new", "new"]);
  const [a = "", b = "", c = ""] = first.map(({ name }) => name);
  expect((await outlast("schedule", "pause", b)).code).toBe(0);

  const edited = ["@hourly echo new", "* * * * * echo B", "*/5 * * * * echo C"];
  const planned = await report(edited, "--prefix", "t-", "--dry-run");
  expect(planned).toMatchObject({ isDryRun: true, gone: [{ name: a }] });
  expect((await schedules()).map(({ name }) => name).sort()).toEqual([a, b, c].sort());

  const { stdout, stderr } = await importLines(edited, "--prefix", "t-");
  expect(stdout).toMatch(new RegExp(`^ +2 +${b} +unchanged, paused +`, "m"));
  expect(stdout).toMatch(new RegExp(`^ +3 +${c} +changed \\(when\\) +`, "m"));
  expect(stderr).toContain("3 schedules: 1 new, 1 changed, 1 unchanged.");
  expect(stderr).toContain(a);
  expect((await schedules()).filter(({ isPaused }) => isPaused).map(({ name }) => name)).toEqual([b]);

  expect(await report(edited, "--prefix", "t-", "--gone", "pause")).toMatchObject({
    gone: [{ name: a, isPaused: true }],
  });
  expect(
    (await schedules())
      .filter(({ isPaused }) => isPaused)
      .map(({ name }) => name)
      .sort(),
  ).toEqual([a, b].sort());
  await importLines(edited, "--prefix", "t-", "--gone", "remove");
  expect((await schedules()).map(({ name }) => name)).not.toContain(a);
  // The output of a `crontab -l` that has failed is empty.
  expect((await importLines([], "--prefix", "t-", "--gone", "remove")).stderr).toContain("has no command");
  expect(await schedules()).toHaveLength(3);
});

test("a schedule that was made by hand is not replaced without --overwrite", async () => {
  const { schedules: made } = await report(["@daily job"]);
  const name = made[0]?.name ?? "";
  const byHand = { when: { everyMs: 3_600_000 }, task: { kind: "sleep", input: { seconds: 1 } } };
  writeFileSync(join(folder, "byHand.json"), JSON.stringify(byHand));
  await outlast("schedule", "put", "byHand.json", "--name", name);
  const refused = await importLines(["@daily other", "@daily job"]);
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain(`line 2: there is a schedule ${name} already: @daily job`);
  expect((await schedules()).map(({ content }) => content)).toEqual([byHand]);
  expect((await importLines(["@daily other", "@daily job"], "--overwrite")).code).toBe(0);
  expect(await schedules()).toHaveLength(2);
  // Another prefix would run the same command a second time.
  expect((await report(["@daily job"], "--prefix", "x-")).warnings).toEqual([expect.stringContaining(name)]);
});

test("a command runs once, in the home folder, with its stdin; a queue without a worker is told of", async () => {
  const lines = ["A=1", "PATH=/usr/bin:/bin", '0 0 13 * 5 echo "$(cat)" in $PWD at \\%; exit 3%noon'];
  const { stdout, stderr } = await importLines(lines, "--dry-run", "--queue", "cron");
  expect(stdout).toMatch(/ echo "\$\(cat\)" in \$PWD at %; exit 3 +"noon\\n" +PATH=\/usr\/bin:\/bin A=1$/m);
  expect(stderr).toContain("1 schedule: 1 new. This is a dry run: nothing was done.");
  expect(stderr).toContain("no connected worker serves the queue cron");
  const { schedules: made, warnings } = await report(lines);
  expect(warnings).toEqual([]);
  const id = (await outlast("schedule", "trigger", made[0]?.name ?? "")).stdout.trim();
  await vi.waitFor(async () => expect((await outlast("show", id)).stdout).toMatch(/^state +failed$/m), 10_000);
  expect((await outlast("logs", id)).stdout).toBe(`noon in ${home} at %\n`);
  expect(JSON.parse((await outlast("show", id, "--json")).stdout)).toMatchObject({ limits: { attemptsMax: 1 } });
});

test("a schedule shows where it comes from, and instants with their distance from UTC", async () => {
  const { schedules: made } = await report(["@daily true"], "--prefix", "t-");
  const shown = await outlast("schedule", "show", made[0]?.name ?? "");
  expect(shown.stdout).toMatch(/^about +Imported from a crontab, with the prefix t-$/m);
  expect(shown.stdout).toMatch(/^next +\S+ 00:00:00 \+05:45$/m);
  expect((await outlast("schedule", "ls")).stdout).toMatch(/ 00:00:00 \+05:45 /);
});
