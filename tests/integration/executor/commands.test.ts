/** What a command gets and what becomes of it: arguments, environment, output, exit; with real processes. */
import { mkdirSync, realpathSync, renameSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaults } from "../../../src/model/limits.ts";
import { SystemClock } from "../../../src/node/clock.ts";
import { type Stage, stage, until } from "./stage.ts";

let on: Stage;
beforeAll(async () => {
  on = await stage({
    environment: { ...process.env, OUTLAST_TOKEN: "secret", NODE_OPTIONS: "--no-warnings", LC_ALL: "C" },
  });
});
afterAll(() => on.close());

const node = process.execPath;

describe("the end of a command", () => {
  test("exit code 0 is success, recorded", async () => {
    const end = await on.exec(["true"]).ended;
    expect(end).toMatchObject({ outcome: "success", exit: { code: 0, signal: null } });
    expect(end.error).toBeUndefined();
    expect(end.endedAt).toBeGreaterThanOrEqual(end.startedAt);
  });

  test.each([1, 42, 126, 127, 255])("exit code %i is a failure that names it", async (code) => {
    expect(await on.exec([`exit ${code}`], { shell: true }).ended).toMatchObject({
      outcome: "failed",
      exit: { code, signal: null },
      error: { code: "exit", message: `The command ended with exit code ${code}.` },
    });
  });

  test.each(["SIGKILL", "SIGSEGV", "SIGTERM"])("%s is a failure that names it", async (signal) => {
    expect(await on.exec([`kill -${signal.slice(3)} $$`], { shell: true }).ended).toMatchObject({
      outcome: "failed",
      exit: { code: null, signal },
      error: { code: "signal", message: `The command was ended by ${signal}.` },
    });
  });
});

describe("memory", () => {
  const mebibyte = 2 ** 20;
  /** Holds so many MiB, and says so. */
  const hold = (mebibytes: number) => [
    "perl",
    "-e",
    `my $x = "x" x (${mebibytes} * 1048576); print length($x) / 1048576, " held\n"`,
  ];

  test("of each process of a command is bounded where the task says so", async () => {
    const memoryBytesMax = 200 * mebibyte;
    const small = on.exec(hold(50), { memoryBytesMax });
    expect(await small.ended).toMatchObject({ outcome: "success" });
    expect(small.text()).toBe("50 held\n");
    const large = on.exec(hold(400), { memoryBytesMax });
    expect(await large.ended).toMatchObject({ outcome: "failed", error: { code: "exit" } });
    expect(large.text()).toMatch(/out of memory/i);
    const child = on.exec(["sh", "-c", 'perl -e "\\$x = q(x) x (400 * 1048576)" || echo refused'], { memoryBytesMax });
    await child.ended;
    expect(child.text()).toContain("refused");
    expect(await on.exec(hold(400)).ended).toMatchObject({ outcome: "success" });
  });

  test("leaves room for a Node program where the task says enough", async () => {
    const running = on.exec([node, "-e", "console.log('fits')"], { memoryBytesMax: 1024 * mebibyte });
    expect(await running.ended).toMatchObject({ outcome: "success" });
    expect(running.text()).toBe("fits\n");
  });

  /** A cgroup of a few MiB, if this machine lets us make one; see cgroups(7). */
  const group =
    makeMemoryGroup("/sys/fs/cgroup/memory", "memory.limit_in_bytes") ??
    makeMemoryGroup("/sys/fs/cgroup", "memory.max");
  afterAll(() => {
    if (group !== null) rmdirSync(group);
  });

  test.skipIf(group === null)("that runs out is told apart from a signal of somebody", async () => {
    const [, , program = ""] = hold(200);
    const inGroup = `echo $$ > ${group}/cgroup.procs && exec perl -e '${program}'`;
    const end = await on.exec([inGroup], { shell: true }).ended;
    expect(end).toMatchObject({ outcome: "failed", exit: { signal: "SIGKILL" }, error: { code: "oom" } });
    // A shell tells of its command's end by its own exit code.
    const shell = await on.exec(['sh -c "$PROGRAM"; exit $?'], { shell: true, env: { PROGRAM: inGroup } }).ended;
    expect(shell).toMatchObject({ exit: { code: 137 }, error: { code: "oom" } });
  });
});

function makeMemoryGroup(parent: string, bound: string): string | null {
  const path = join(parent, `outlast-test-${process.pid}`);
  try {
    mkdirSync(path);
    writeFileSync(join(path, bound), String(30 * 2 ** 20));
    return path;
  } catch {
    rmSync(path, { recursive: true, force: true });
    return null;
  }
}

describe("a failure beside a signal to the worker", () => {
  /** Holds the wait for the worker's own signal, until the test lets it end. */
  class HeldClock extends SystemClock {
    readonly held: (() => void)[] = [];

    override at(at: number, run: () => void) {
      const waitMs = at - this.now();
      if (waitMs > defaults.stopWaitMs || waitMs < defaults.stopWaitMs - 5) return super.at(at, run);
      this.held.push(run);
      return { cancel: () => {} };
    }
  }

  test.each([
    ["counts, whatever its exit code, if the worker was not told to stop", false, "failed"],
    [
      "does not count if the signal reaches the worker after the command has ended with a code of its own",
      true,
      "aborted",
    ],
  ])("%s", async (_title, isSignalled, outcome) => {
    const clock = new HeldClock();
    const own = await stage({ clock });
    const { ended } = own.exec(["sh", "-c", "exit 3"]);
    await until("the command to have ended", () => clock.held.length > 0);
    if (isSignalled) own.executor.noteSignal();
    for (const run of clock.held) run();
    expect(await ended).toMatchObject({ outcome, exit: { code: 3 } });
    await own.close();
  });
});

describe("a command that cannot start", () => {
  test.each([
    ["a missing program", ["no-such-program-of-ours"], {}, /program "no-such-program-of-ours" does not exist/],
    ["a missing path", ["/no/such/program"], {}, /does not exist/],
    ["a file that is no program", ["/etc/passwd"], {}, /is not executable/],
    ["a directory", ["/etc"], {}, /is not executable/],
    ["a missing cwd", ["true"], { cwd: "/no/such/directory" }, /directory "\/no\/such\/directory" does not exist/],
    ["a cwd that is a file", ["true"], { cwd: "/etc/passwd" }, /is not a directory/],
    ["arguments that are too long", ["true", "x".repeat(200_000)], {}, /too long/],
  ])("%s fails with a sentence", async (_, command, more, message) => {
    const end = await on.exec(command, more).ended;
    expect(end).toMatchObject({ outcome: "failed", error: { code: "spawn", message: expect.stringMatching(message) } });
    expect(end.exit).toBeUndefined();
  });

  test.each([
    null,
    {},
    { command: [] },
    { command: "ls" },
    { command: [1] },
    { command: ["ls"], env: { A: 1 } },
    { command: ["ls"], cwd: 3 },
  ])("input %j of another version's master fails, and harms nobody", async (input) => {
    expect(await on.start("exec", input).ended).toMatchObject({ outcome: "failed", error: { code: "invalid-input" } });
  });
});

describe("arguments", () => {
  test("arrive as they are, and no shell sees them", async () => {
    const args = [
      "a b",
      "",
      "'",
      '"',
      "$HOME",
      "`id`",
      "$(id)",
      "*",
      "a\nb",
      "\\",
      ";false",
      "-x",
      "--",
      "ä€😀",
      "&& false",
      "\t",
    ];
    const run = on.exec([node, "-e", "process.stdout.write(JSON.stringify(process.argv.slice(1)))", "--", ...args]);
    expect(await run.ended).toMatchObject({ outcome: "success" });
    expect(JSON.parse(run.text())).toEqual(args);
  });

  test("go through a shell only when it is asked for", async () => {
    const plain = on.exec(["echo", "$HOME; echo two"]);
    await plain.ended;
    expect(plain.text()).toBe("$HOME; echo two\n");
    const shell = on.exec(["echo one; echo two | tr a-z A-Z"], { shell: true });
    await shell.ended;
    expect(shell.text()).toBe("one\nTWO\n");
  });
});

describe("the environment", () => {
  test("is a little of the worker's, the task's own, and the marks; never the worker's token", async () => {
    const run = on.exec(["env", "-0"], { env: { GREETING: "a=b\nc", EMPTY: "" } });
    await run.ended;
    const env = Object.fromEntries(
      run
        .text()
        .split("\0")
        .filter(Boolean)
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    expect(env).toMatchObject({
      PATH: process.env["PATH"],
      LC_ALL: "C",
      GREETING: "a=b\nc",
      EMPTY: "",
      OUTLAST_TASK: run.ref.task,
      OUTLAST_ATTEMPT: "1",
      OUTLAST_WORKER: "worker-1",
      OUTLAST_BOOT: on.boot,
      OUTLAST_HOME: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
    const known =
      /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_[A-Z]+|TZ|TMPDIR|GREETING|EMPTY|OUTLAST_(TASK|ATTEMPT|WORKER|BOOT|HOME))$/;
    expect(Object.keys(env).filter((name) => !known.test(name))).toEqual([]);
  });

  test("has no input, and a working directory: the executor's, or the task's", async () => {
    const input = on.exec(["cat"]);
    expect(await input.ended).toMatchObject({ outcome: "success" });
    expect(input.text()).toBe("");
    mkdirSync(join(on.directory, "a b"));
    for (const [cwd, expected] of [
      [undefined, on.directory],
      ["a b", join(on.directory, "a b")],
      ["/", "/"],
    ] as const) {
      const run = on.exec(["pwd", "-P"], cwd === undefined ? {} : { cwd });
      await run.ended;
      expect(run.text()).toBe(`${realpathSync(expected)}\n`);
    }
  });

  test("decides where programs are looked up, relative ones in the task's directory", async () => {
    writeFileSync(join(on.directory, "own"), "#!/bin/sh\necho own\n", { mode: 0o755 });
    const run = on.exec(["./own"]);
    expect(await run.ended).toMatchObject({ outcome: "success" });
    expect(run.text()).toBe("own\n");
  });

  test("finds a program where it is now, wherever it was before", async () => {
    const [first, second] = ["one", "two"].map((name) => join(on.directory, name)) as [string, string];
    for (const directory of [first, second]) mkdirSync(directory);
    // A task cannot set PATH: it is the worker's.
    const own = await stage({ environment: { PATH: `${first}:${second}:/bin:/usr/bin` } });
    const say = async () => {
      const run = own.exec(["moving"]);
      const { outcome, error } = await run.ended;
      return error === undefined ? run.text() : `${outcome} ${error.code}`;
    };
    writeFileSync(join(second, "moving"), "#!/bin/sh\necho second\n", { mode: 0o755 });
    expect([await say(), await say()]).toEqual(["second\n", "second\n"]);
    renameSync(join(second, "moving"), join(first, "moving"));
    expect(await say()).toBe("second\n");
    writeFileSync(join(second, "moving"), "#!/bin/sh\necho behind\n", { mode: 0o755 });
    expect(await say()).toBe("second\n");
    rmSync(first, { recursive: true });
    rmSync(second, { recursive: true });
    expect(await say()).toBe("failed spawn");
    await own.close();
  });
});

describe("output", () => {
  test("of any size comes whole and in order", async () => {
    const lines = 2_000_000;
    const run = on.exec(["seq", "1", String(lines)]);
    expect(await run.ended).toMatchObject({ outcome: "success" });
    const text = run.text();
    expect(text.length).toBe(14_888_896);
    expect(text.startsWith("1\n2\n3\n")).toBe(true);
    expect(text.endsWith(`\n${lines}\n`)).toBe(true);
  });

  test("can be opened by name: /dev/stdout and /dev/stderr are real pipes", async () => {
    const lines = [
      "echo one >/dev/stderr",
      "echo two | tee /dev/stderr",
      "echo three >/dev/stdout",
      "echo four >>/dev/stderr",
    ];
    const command = on.exec([`set -e; ${lines.join("; ")}`], { shell: true });
    expect(await command.ended).toMatchObject({ outcome: "success" });
    expect(command.text().trim().split("\n").sort()).toEqual(["four", "one", "three", "two", "two"]);
  });

  test("is bytes: every one of the 256 comes through", async () => {
    const run = on.exec([
      node,
      "-e",
      "process.stdout.write(Buffer.from(Array.from({ length: 65536 }, (_, i) => (i * 7) & 255)))",
    ]);
    await run.ended;
    const expected = Buffer.from(Array.from({ length: 65536 }, (_, index) => (index * 7) & 255));
    expect(Buffer.concat(run.chunks).equals(expected)).toBe(true);
  });

  test("of stdout and stderr is one log, and neither tears a character of the other", async () => {
    // Each half of the character is written alone, with the other stream's text in between.
    const script = `
      const half = (bytes, next) => process.stdout.write(Buffer.from(bytes), next);
      half([0xe2, 0x82], () => process.stderr.write("E", () => setTimeout(() => half([0xac]), 50)));`;
    const run = on.exec([node, "-e", script]);
    await run.ended;
    expect(["E€", "€E"]).toContain(run.text());
  });

  test("without a newline at its end is not lost, nor half a character", async () => {
    const run = on.exec(["printf 'no newline \\303'"], { shell: true });
    await run.ended;
    expect(Buffer.concat(run.chunks).toString("latin1")).toBe("no newline \xc3");
  });
});

describe("output that nobody takes", () => {
  test("holds up the command, and comes whole when it is taken again", async () => {
    const gate = Promise.withResolvers<void>();
    const first = Promise.withResolvers<void>();
    let bytes = 0;
    let isOpen = false;
    const slow = await stage({
      onOutput: (_, { length }) => {
        bytes += length;
        first.resolve();
        return isOpen ? undefined : gate.promise;
      },
    });
    try {
      const run = slow.exec(["seq", "1", "200000"]);
      await first.promise;
      // Another command goes by meanwhile: ample time for the first one to have written all, were it not held up.
      await on.exec(["seq", "1", "200000"]).ended;
      expect(bytes).toBeLessThan(1_000_000);
      isOpen = true;
      gate.resolve();
      expect(await run.ended).toMatchObject({ outcome: "success" });
      expect(bytes).toBe(1_288_895);
    } finally {
      await slow.close();
    }
  });
});
