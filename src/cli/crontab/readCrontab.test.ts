/** Crontabs, as they are found on machines, become the schedules that do the same. */
import { expect, test } from "vitest";
import { type CrontabOptions, readCrontab } from "./readCrontab.ts";

const options: CrontabOptions = {
  ...{ description: "Imported from a crontab.", timeZone: "Europe/Berlin" },
  ...{ overlap: "allow", attemptsMax: 1, isSystem: false },
};

function read(text: string, more: Partial<CrontabOptions> = {}) {
  const { commands, problems } = readCrontab(text, { ...options, ...more });
  expect(problems).toEqual([]);
  return commands;
}

function problemsOf(text: string, more: Partial<CrontabOptions> = {}) {
  return readCrontab(text, { ...options, ...more }).problems.map(({ line, why }) => `${line}: ${why}`);
}

test("fields, words and time zones", () => {
  const commands = read(
    [
      "# m h dom mon dow command",
      "",
      "30 2 * * 1-5  /usr/local/bin/backup.sh --full",
      "*/5 * * * *\t/usr/local/bin/backup.sh --quick",
      "@daily cd /srv && ./report > /dev/null 2>&1",
      "CRON_TZ = America/New_York",
      "0 9 * * MON '/opt/my tools/run' now",
    ].join("\n"),
    { queue: "cron" },
  );
  expect(commands.map(({ line, content: { when } }) => ({ line, when }))).toEqual([
    { line: 3, when: { cron: "30 2 * * 1-5", timeZone: "Europe/Berlin" } },
    { line: 4, when: { cron: "*/5 * * * *", timeZone: "Europe/Berlin" } },
    { line: 5, when: { cron: "0 0 * * *", timeZone: "Europe/Berlin" } },
    { line: 7, when: { cron: "0 9 * * MON", timeZone: "America/New_York" } },
  ]);
  expect(commands[2]?.content.task).toEqual({
    kind: "exec",
    input: { shell: true, command: ["cd; cd /srv && ./report > /dev/null 2>&1"] },
    attemptsMax: 1,
    queue: "cron",
  });
});

test("a command that fails is not tried again, and may run beside itself, unless told so", () => {
  expect(read("@daily x")[0]?.content).toMatchObject({ overlap: "allow", task: { attemptsMax: 1 } });
  const [other] = read("@daily x", { overlap: "skip", attemptsMax: 3, killsMax: 0 });
  expect(other?.content).toMatchObject({ overlap: "skip", task: { attemptsMax: 3, killsMax: 0 } });
});

test("variables are those that stand above a line; the shell runs it, in the home folder", () => {
  const [before, after] = read(
    [
      "@hourly first",
      "MAILTO=ops@example.com",
      'PATH="/usr/local/bin:/usr/bin"',
      "HOME=/srv/app",
      "SHELL=/bin/bash",
      "@hourly second",
    ].join("\n"),
  );
  expect(before?.content.task?.["input"]).toEqual({ shell: true, command: ["cd; first"] });
  expect(after?.content.task?.["input"]).toEqual({
    // A task may not set the PATH of its worker; its shell may.
    command: ["/bin/bash", "-c", "export PATH='/usr/local/bin:/usr/bin'; second"],
    env: { HOME: "/srv/app" },
    cwd: "/srv/app",
  });
});

test("a shell of another language runs the command alone", () => {
  const [command] = read("SHELL=/usr/bin/python3\nPATH=/opt/bin\n@hourly print(1)");
  expect(command?.content.task?.["input"]).toEqual({
    command: ["/bin/sh", "-c", `cd; export PATH='/opt/bin'; exec "$0" -c "$1"`, "/usr/bin/python3", "print(1)"],
  });
});

test("a percent sign begins stdin and ends its lines, unless it is escaped", () => {
  const [escaped, mail] = read("0 1 * * * date +\\%F\n0 1 * * * mail ops%Hello%100\\% done");
  expect(escaped?.content.task?.["input"]).toEqual({ shell: true, command: ["cd; date +%F"] });
  expect(escaped?.program).toBe("date +%F");
  expect(mail?.content.task?.["input"]).toEqual({
    shell: true,
    command: ["cd; mail ops"],
    stdin: "Hello\n100% done\n",
  });
});

test("days of a step must fit together with days of the week, as in cron", () => {
  const crons = read("0 0 */2 * 1 x\n0 0 1 * */2 x\n0 0 */2 * * x\n0 0 13 * 5 x").map(({ content }) => content.when);
  expect(crons).toMatchObject([
    { cron: "0 0 */2 * +1" },
    { cron: "0 0 1 * +*/2" },
    { cron: "0 0 */2 * *" },
    { cron: "0 0 13 * 5" },
  ]);
});

test("what cannot be taken over is named, all of it", () => {
  expect(problemsOf("@reboot start\n@daily fine\n0 1 * * onlyfour\nnonsense\n@often x\nCRON_TZ=Moon/Base")).toEqual([
    expect.stringMatching(/^1: @reboot does not exist here, .*systemd/),
    "3: it has no five fields and a command",
    "4: it has no five fields and a command",
    expect.stringMatching(/^5: unknown word @often; there are @yearly, /),
    '6: unknown time zone "Moon/Base"',
  ]);
});

test("lines of a system crontab name a user, which is no part of the command", () => {
  const lines = "17 * * * * root cd / && run-parts /etc/cron.hourly\n@daily www-data /usr/bin/thing";
  expect(read(lines, { isSystem: true }).map(({ user, command }) => ({ user, command }))).toEqual([
    { user: "root", command: "cd / && run-parts /etc/cron.hourly" },
    { user: "www-data", command: "/usr/bin/thing" },
  ]);
  expect(problemsOf(lines)).toEqual([
    '1: "root" looks like the user of a system crontab; add --system',
    '2: "www-data" looks like the user of a system crontab; add --system',
  ]);
  expect(problemsOf("@daily /usr/bin/thing --all", { isSystem: true })).toHaveLength(1);
});
