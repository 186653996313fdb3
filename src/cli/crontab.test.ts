/** Crontabs, as they are found on machines, become the schedules that do the same. */
import { expect, test } from "vitest";
import { readCrontab } from "./crontab.ts";

const options = { prefix: "", timeZone: "Europe/Berlin" };

function read(text: string, more = {}) {
  return readCrontab(text, { ...options, ...more });
}

test("fields, words, names and time zones", () => {
  const schedules = read(
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
  expect(schedules.map(({ name, content: { when } }) => ({ name, when }))).toEqual([
    { name: "backup.sh", when: { cron: "30 2 * * 1-5", timeZone: "Europe/Berlin" } },
    { name: "backup.sh-2", when: { cron: "*/5 * * * *", timeZone: "Europe/Berlin" } },
    { name: "cd", when: { cron: "0 0 * * *", timeZone: "Europe/Berlin" } },
    { name: "my", when: { cron: "0 9 * * MON", timeZone: "America/New_York" } },
  ]);
  expect(schedules[2]?.content.task).toEqual({
    kind: "exec",
    input: { shell: true, command: ["cd /srv && ./report > /dev/null 2>&1"] },
    queue: "cron",
  });
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
  expect(before?.content.task?.["input"]).toEqual({ shell: true, command: ["first"] });
  expect(after?.content.task?.["input"]).toEqual({
    // A task may not set the PATH of its worker; its shell may.
    command: ["/bin/bash", "-c", "export PATH='/usr/local/bin:/usr/bin'; second"],
    env: { HOME: "/srv/app" },
    cwd: "/srv/app",
  });
});

test("a percent sign begins stdin and ends its lines, unless it is escaped", () => {
  const [escaped, mail] = read("0 1 * * * date +\\%F\n0 1 * * * mail ops%Hello%100\\% done");
  expect(escaped?.content.task?.["input"]).toEqual({ shell: true, command: ["date +%F"] });
  expect(mail?.content.task?.["input"]).toEqual({ shell: true, command: ["mail ops"], stdin: "Hello\n100% done\n" });
});

test("what cannot be taken over is named, all of it at once", () => {
  expect(() => read("@reboot start\n@daily fine\n0 1 * * onlyfour\nnonsense")).toThrow(
    /line 1: a cluster has no start of a machine; line 3: it has no five fields and a command; line 4: /,
  );
});
