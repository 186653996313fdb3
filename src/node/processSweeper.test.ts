/** Which processes a sweep looks into, and which it passes over, with a folder in the place of `/proc` and real processes to kill. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { moment, ProcessSweeper } from "./processSweeper.ts";

const marks = ["OUTLAST_BOOT=b", "OUTLAST_TASK=t"];
const marked = `PATH=/bin\0${marks.join("\0")}\0`;
const unmarked = "PATH=/bin\0";

let root: string;
let child: ChildProcess;
let pid: number;
let exited: Promise<unknown>;
let sweeper: ProcessSweeper;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "outlast-proc-"));
  child = spawn("sleep", ["1000"], { stdio: "ignore" });
  pid = child.pid ?? 0;
  exited = once(child, "exit").then(() => rmSync(join(root, String(pid)), { recursive: true, force: true }));
  await once(child, "spawn");
  sweeper = new ProcessSweeper(root);
});
afterEach(async () => {
  child.kill("SIGKILL");
  await exited;
  rmSync(root, { recursive: true, force: true });
});

function appear(environ: string, group = pid): void {
  mkdirSync(join(root, String(pid)), { recursive: true });
  writeFileSync(join(root, String(pid), "environ"), environ);
  writeFileSync(join(root, String(pid), "stat"), `${pid} (sleep) S 1 ${group} ${group} 0`);
}

const sweep = (since: number | null, group: number | null = null) => sweeper.killAll({ marks, group, since });
const killed = (count: number) => ({ killed: count, left: [], isComplete: true });

test("a process that was seen before an attempt began is not looked into after it", async () => {
  appear(unmarked);
  expect(await sweep(null)).toEqual(killed(0));
  const since = moment();
  appear(marked);
  expect(await sweep(since)).toEqual(killed(0));
});

test("one that was first seen while the attempt ran is, each time: it may have been about to become another program", async () => {
  const since = moment();
  appear(unmarked);
  expect(await sweep(since)).toEqual(killed(0));
  appear(marked);
  expect(await sweep(since)).toEqual(killed(1));
});

test("one that was never seen is, whatever it is", async () => {
  appear(marked);
  expect(await sweep(moment())).toEqual(killed(1));
});

test("one with a mark of the same worker is never taken for somebody else's", async () => {
  for (const environ of [unmarked, `${marks[0]}\0OUTLAST_TASK=another\0`]) {
    appear(environ);
    expect(await sweep(null)).toEqual(killed(0));
  }
  const since = moment();
  appear(marked);
  expect(await sweep(since)).toEqual(killed(1));
});

test("an id that is another process's by now is looked into", async () => {
  appear(unmarked);
  expect(await sweep(null)).toEqual(killed(0));
  const since = moment();
  // The folder beside it takes the number that becomes free.
  rmSync(join(root, String(pid)), { recursive: true });
  mkdirSync(join(root, "other"));
  appear(marked);
  expect(await sweep(since)).toEqual(killed(1));
});

test("without a moment, as at the start of a worker, every process is", async () => {
  appear(unmarked);
  expect(await sweep(null)).toEqual(killed(0));
  appear(marked);
  expect(await sweep(null)).toEqual(killed(1));
});

test("searches of one look have moments of their own: the oldest decides", async () => {
  const early = moment();
  appear(unmarked);
  expect(await sweep(null)).toEqual(killed(0));
  const late = moment();
  appear(marked);
  const other = sweeper.killAll({ marks: ["OUTLAST_BOOT=b", "OUTLAST_TASK=u"], group: null, since: late });
  expect(await Promise.all([sweep(early), other])).toEqual([killed(1), killed(0)]);
});

test("a member of the group is found without a mark", async () => {
  const since = moment();
  appear("", 77);
  expect(await sweep(since)).toEqual(killed(0));
  expect(await sweep(since, 77)).toEqual(killed(1));
});
