/** The name of a line: a program that people know it by, and a digest of the command. */
import { expect, test } from "vitest";
import { lineName } from "./lineName.ts";

test("the digest is of the whole command, so that commands of one program have names of their own", () => {
  expect(lineName("t-", "echo A")).toMatch(/^t-echo-[0-9a-f]{8}$/);
  expect(lineName("", "echo A")).toBe(lineName("", "echo A"));
  expect(lineName("", "echo A")).not.toBe(lineName("", "echo B"));
});

test.each([
  ["/usr/local/bin/backup.sh --full", "backup.sh"],
  ["cd /srv/app && ./report > /dev/null 2>&1", "report"],
  ["cd /srv/app; FOO=bar BAZ='a' bin/report", "report"],
  ["test -x /usr/sbin/anacron || ( cd / && run-parts --report /etc/cron.daily )", "run-parts"],
  ["[ -x /usr/lib/php/sessionclean ] && /usr/lib/php/sessionclean", "sessionclean"],
  ["flock -n /tmp/x.lock -c '/opt/sync all'", "sync"],
  ["/usr/bin/flock -n /tmp/x.lock nice -n 10 /opt/sync all", "sync"],
  ["timeout -k 5 1h env LANG=C sudo -u deploy /opt/deploy", "deploy"],
  ["python3 -u /srv/make_report.py --all", "make_report.py"],
  ["bash -c 'echo hello'", "bash"],
  ["php artisan schedule:run >> /dev/null 2>&1", "artisan"],
  ["'/opt/my tools/run' now", "my"],
  ["mail ops%Hello", "mail"],
  ["cd /tmp", "cd"],
  ["env", "env"],
  ["$HOME/bin/x", "x"],
  ["%", "line"],
])("%s is known as %s", (command, stem) => {
  expect(lineName("", command).replace(/-[0-9a-f]{8}$/, "")).toBe(stem);
});
