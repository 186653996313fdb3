/** Bounds of a command with all that it starts, by control groups of the real kernel, where this machine lets us make some. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TaskId } from "../../../src/model/ids.ts";
import { boundsProcesses } from "../../../src/model/kinds/exec.ts";
import { toSpec } from "../../../src/model/submission.ts";
import { mebibyte } from "../../../src/model/units.ts";
import { ControlGroups } from "../../../src/node/controlGroups.ts";
import { SystemProcesses } from "../../../src/node/processes.ts";
import { type Stage, stage, withCommand } from "./stage.ts";

const name = `test-${process.pid}`;
const found = await ControlGroups.find(name);
const can = { processes: found.can("processesMax"), memory: found.can("memoryBytesMax") };

/** Groups of this test that are there. */
function groups(): string[] {
  return ["pids", "memory", "", "unified"].flatMap((tree) => {
    try {
      return readdirSync(join("/sys/fs/cgroup", tree)).filter((each) => each.startsWith(`outlast-${name}-`));
    } catch {
      return [];
    }
  });
}

let on: Stage;
let pipes: string;
beforeAll(async () => {
  pipes = mkdtempSync(join(tmpdir(), "outlast-bounds-"));
  const processes = new SystemProcesses(pipes);
  await processes.openGroups(name);
  on = await stage({ processes });
});
afterAll(async () => {
  await on.close();
  rmSync(pipes, { recursive: true, force: true });
  expect(groups()).toEqual([]);
});

const sleepers = (count: number, then: string) => `for i in $(seq ${count}); do sleep 30 & done; ${then}`;

describe.runIf(can.processes)("the number of processes", () => {
  test("is bounded over all that the command starts, and the error says so", async () => {
    const end = await on.exec([sleepers(20, "wait")], { shell: true, processesMax: 8 }).ended;
    expect(end).toMatchObject({
      outcome: "failed",
      error: { code: "exit" },
      exit: { bounds: { processes: "cgroup" } },
    });
    expect(end.error?.message).toContain("more than 8 processes");
    expect(groups()).toEqual([]);
  });

  test("is counted for each attempt by itself, and what is below it runs", async () => {
    const input = { shell: true, processesMax: 10 };
    const all = Array.from({ length: 3 }, () => on.exec([sleepers(5, "sleep 1")], input).ended);
    for (const end of await Promise.all(all)) expect(end).toMatchObject({ outcome: "success" });
    expect(groups()).toEqual([]);
  });

  test("also holds for what leaves the process group of the command", async () => {
    const command = `for i in $(seq 20); do setsid sleep 30 & done; wait`;
    const end = await on.exec([command], { shell: true, processesMax: 6 }).ended;
    expect(end.error?.message).toContain("more than 6 processes");
  });
});

describe.runIf(can.processes || can.memory)("what cannot be found by its environment", () => {
  test("ends with its attempt all the same, since it is in the group", async () => {
    const bound = can.processes ? { processesMax: 8 } : { memoryBytesMax: 64 * mebibyte };
    const escape = "env -i setsid sleep 3011 >/dev/null 2>&1 & sleep 1; pgrep -fx 'sleep 3011'";
    expect(await on.exec([escape], { shell: true, ...bound }).ended).toMatchObject({ outcome: "success" });
    expect(withCommand("sleep\x003011")).toEqual([]);
    expect(groups()).toEqual([]);
  });
});

describe.runIf(can.memory)("memory", () => {
  const eater = "x=$(head -c 24m /dev/zero | tr '\\0' x); sleep 2";

  test("is bounded over all that the command starts", async () => {
    const end = await on.exec(["head -c 300m /dev/zero | tail -c 300m >/dev/null"], {
      ...{ shell: true, memoryBytesMax: 64 * mebibyte },
    }).ended;
    expect(end).toMatchObject({ outcome: "failed", error: { code: "oom" }, exit: { bounds: { memory: "cgroup" } } });
  });

  test("of many small processes counts together", async () => {
    const input = { shell: true, memoryBytesMax: 64 * mebibyte };
    expect(await on.exec([eater], input).ended).toMatchObject({ outcome: "success" });
    const many = `for i in 1 2 3 4 5 6; do (${eater}) & p="$p $!"; done; for i in $p; do wait $i || exit $?; done`;
    expect(await on.exec([many], input).ended).toMatchObject({ outcome: "failed", error: { code: "oom" } });
  });
});

test("where there are no groups, memory is bounded for each process, and the number of processes is not", async () => {
  const plain = await stage();
  const end = await plain.exec(["true"], { memoryBytesMax: 64 * mebibyte }).ended;
  expect(end).toMatchObject({ outcome: "success", exit: { bounds: { memory: "process" } } });
  const refused = await plain.exec(["true"], { processesMax: 5 }).ended;
  expect(refused).toMatchObject({ outcome: "failed", error: { code: "spawn" } });
  await plain.close();
});

test("a task that bounds its processes waits for a worker that can do that", () => {
  const identity = { id: "t" as TaskId, fingerprint: null, now: 0 };
  const input = { command: ["true"], processesMax: 5 };
  expect(toSpec({ kind: "exec", input, requires: ["gpu"] }, identity).requires).toEqual([boundsProcesses, "gpu"]);
  expect(toSpec({ kind: "exec", input: { command: ["true"] } }, identity).requires).toBeUndefined();
});
