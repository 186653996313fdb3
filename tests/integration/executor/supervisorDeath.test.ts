/** Nothing that a worker started outlives it by more than a moment, however it dies and whatever its commands do. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { SystemIds } from "../../../src/node/ids.ts";
import { marked, until, withCommand } from "./stage.ts";

const ids = new SystemIds();
const taskFile = fileURLToPath(import.meta.resolve("../runners/tasks/good.ts"));
const program = fileURLToPath(import.meta.resolve("./supervisor.ts"));

interface Supervisor {
  readonly child: ChildProcess;
  readonly boot: string;
  readonly mark: string;
  said(line: string): Promise<void>;
}

const supervisors: Supervisor[] = [];
afterEach(async () => {
  for (const { child, mark } of supervisors.splice(0)) {
    child.kill("SIGKILL");
    await until("nothing to be left", () => marked(mark).length === 0);
  }
});

function supervise(commands: readonly string[], home = ids.random(), handlers: readonly string[] = []): Supervisor {
  const boot = ids.random();
  const child = spawn(process.execPath, [program, boot, home, JSON.stringify(commands), ...handlers], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const heard = new Set<string>();
  createInterface({ input: child.stdout }).on("line", (line) => heard.add(line));
  const said = (line: string) => until(`the supervisor to say ${line}`, () => heard.has(line));
  const supervisor = { child, boot, mark: `OUTLAST_BOOT=${boot}`, said };
  supervisors.push(supervisor);
  return supervisor;
}

async function kill({ child }: Supervisor, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  child.kill(signal);
  await once(child, "exit");
}

const watchdogs = (mark: string) => withCommand(mark).filter((pid) => withCommand("outlast-watchdog").includes(pid));

/** Each counts its processes in the comment. */
const stubborn = [
  // 1: the command itself, which the kernel ends.
  "exec sleep 1000",
  // 2: a child in the group, deaf to everything.
  "trap '' TERM HUP INT; (trap '' TERM HUP INT; exec sleep 1000) & wait",
  // 2: a daemon in a session of its own.
  "setsid sleep 1000 >/dev/null 2>&1 </dev/null & exec sleep 1000",
  // 2: a daemon that was forked twice.
  "setsid sh -c 'exec setsid sleep 1000 &' >/dev/null 2>&1 </dev/null; exec sleep 1000",
];
const stubbornCount = 7;

describe("the worker's death", () => {
  test("by SIGKILL takes everything along: groups, daemons, the deaf", async () => {
    const supervisor = supervise(stubborn);
    await until("all to run", () => marked(supervisor.mark).length >= stubbornCount);
    await kill(supervisor);
    await until("all to be gone", () => marked(supervisor.mark).length === 0, 3000);
    await until("the watchdog to be gone", () => watchdogs(supervisor.mark).length === 0, 5000);
  });

  test("brought about by a command that kills its parent is the same, however early it does so", async () => {
    const supervisor = supervise([...stubborn, "setsid sleep 1000 & kill -KILL $PPID; exec sleep 1000"]);
    await once(supervisor.child, "exit");
    await until("all to be gone", () => marked(supervisor.mark).length === 0, 3000);
    await until("the watchdog to be gone", () => watchdogs(supervisor.mark).length === 0, 5000);
  });

  test("takes runners along, in an endless loop or at work, and what their handlers started", async () => {
    const supervisor = supervise([], ids.random(), [taskFile, JSON.stringify(["loop", "keep-child"])]);
    await supervisor.said("looping");
    await supervisor.said("child started");
    expect(marked(supervisor.mark).length).toBeGreaterThanOrEqual(3);
    await kill(supervisor);
    await until("all to be gone", () => marked(supervisor.mark).length === 0, 3000);
  });

  test("takes along what cleared its environment but stayed in the group", async () => {
    const seconds = `1000.${process.pid}`;
    const supervisor = supervise([`env -i sleep ${seconds} & exec sleep 1000`]);
    const sleepers = () => withCommand(`sleep\0${seconds}\0`);
    await until("it to run", () => sleepers().length === 1 && !marked(supervisor.mark).includes(sleepers()[0] ?? 0));
    await kill(supervisor);
    await until("it to be gone", () => sleepers().length === 0, 3000);
  });

  test("is seen by the kernel alone where the watchdog is dead too", async () => {
    const supervisor = supervise(["exec sleep 1000"]);
    await until("it to run", () => withCommand("sleep\x001000").some((pid) => marked(supervisor.mark).includes(pid)));
    const [watchdog = 0] = watchdogs(supervisor.mark);
    // Stopped, so that it is not replaced and does nothing.
    process.kill(watchdog, "SIGSTOP");
    await kill(supervisor);
    await until("the command to be gone", () => marked(supervisor.mark).length === 0, 3000);
    process.kill(watchdog, "SIGKILL");
  });

  test("at any moment of the start of a command leaves nothing", async () => {
    // Each death comes a little later in the life of twenty commands that are about to become daemons.
    for (let round = 0; round < 5; round++) {
      const supervisor = supervise(Array.from({ length: 20 }, () => "setsid sleep 1000 & exec sleep 1000"));
      await supervisor.said("started");
      await until(`${round * 8} processes`, () => marked(supervisor.mark).length >= round * 8);
      await kill(supervisor);
      await until("the watchdog to be done", () => watchdogs(supervisor.mark).length === 0);
      expect(marked(supervisor.mark)).toEqual([]);
    }
  });
});

describe("the watchdog", () => {
  test("is there before the first command, outlives signals from the terminal, and is replaced when it dies", async () => {
    const supervisor = supervise(["exec sleep 1000", "setsid sleep 1000 & exec sleep 1000"]);
    await until("all to run", () => marked(supervisor.mark).length === 3);
    const [first = 0, ...others] = watchdogs(supervisor.mark);
    expect(others).toEqual([]);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.kill(first, signal);
    process.kill(first, 0);
    process.kill(first, "SIGKILL");
    await until("another one", () => watchdogs(supervisor.mark).some((pid) => pid !== first));
    await kill(supervisor);
    await until("all to be gone", () => marked(supervisor.mark).length === 0, 3000);
  });

  test("is not started for a worker that runs no command", async () => {
    const supervisor = supervise([]);
    await supervisor.said("started");
    expect(watchdogs(supervisor.mark)).toEqual([]);
  });
});

describe("the next life of a worker", () => {
  /** A worker whose watchdog was killed with it, so that its daemon lives on. */
  async function leaveDaemon(home: string): Promise<Supervisor> {
    const supervisor = supervise(["setsid sleep 1000 >/dev/null 2>&1 </dev/null & exec sleep 1000"], home);
    await until("both to run", () => marked(supervisor.mark).length === 2);
    const [watchdog = 0] = watchdogs(supervisor.mark);
    process.kill(watchdog, "SIGSTOP");
    await kill(supervisor);
    process.kill(watchdog, "SIGKILL");
    await until("the command itself to be gone", () => marked(supervisor.mark).length === 1);
    return supervisor;
  }

  test("kills what its earlier life left, and only that", async () => {
    const home = ids.random();
    const mine = await leaveDaemon(home);
    // Another cluster on this machine, with a worker of the same name.
    const other = await leaveDaemon(ids.random());
    const next = supervise([], home);
    await next.said("swept");
    expect(marked(mine.mark)).toEqual([]);
    const survivors = marked(other.mark);
    expect(survivors).toHaveLength(1);
    for (const pid of survivors) process.kill(pid, "SIGKILL");
  });
});
