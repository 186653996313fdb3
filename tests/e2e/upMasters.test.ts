/** `outlast up` with several masters: one is shot, another leads, the first is started again, and Ctrl-C ends them all. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import type { MasterState } from "../../src/sdk/masters.ts";
import { processesWith } from "./processes.ts";

const program = fileURLToPath(new URL("../../bin/outlast.js", import.meta.url));
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("OUTLAST_")));

let folder: string;
let up: ChildProcess | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "outlast-up-"));
});
afterEach(async () => {
  if (up !== null && up.exitCode === null) {
    up.kill("SIGKILL");
    await once(up, "close");
  }
  rmSync(folder, { recursive: true, force: true });
});

/** What `up` tells with `--json`, line by line. */
function events(child: ChildProcess): (process: string, event: string, count?: number) => Promise<void> {
  const seen: string[] = [];
  let wake = () => {};
  createInterface({ input: child.stdout! }).on("line", (line) => {
    const { process: name, event } = JSON.parse(line) as { process: string; event: string };
    seen.push(`${name} ${event}`);
    wake();
  });
  return async (name, event, count = 1) => {
    while (seen.filter((each) => each === `${name} ${event}`).length < count) {
      if (child.exitCode !== null) throw new Error(`It ended without ${name} ${event}.`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
}

/** All three, once each has read the others' notes: each renews its own every second. */
async function masters(address: string): Promise<readonly MasterState[]> {
  const commandLine = [program, "masters", "--json", "--masters", address];
  for (;;) {
    const { stdout } = await promisify(execFile)(process.execPath, commandLine, { env: environment });
    const { masters: states } = JSON.parse(stdout) as { masters: readonly MasterState[] };
    if (states.filter(({ role }) => role === "leader" || role === "standby").length === 3) return states;
  }
}

test("up --master-count 3 keeps somebody leading", async () => {
  const port = await findFreePort();
  const counts = ["--master-count", "3", "--workers", "1"];
  const commandLine = ["up", ...counts, "--json", "--port", String(port), "--data", folder, "--log-level", "silent"];
  up = spawn(process.execPath, [program, ...commandLine], { env: environment, stdio: ["ignore", "pipe", "ignore"] });
  const told = events(up);
  for (const name of ["master-1", "master-2", "master-3"]) await told(name, "ready");
  await told("worker-1", "ready");

  const before = await masters(`http://127.0.0.1:${port}`);
  expect(before.map(({ role }) => role)).toEqual(["leader", "standby", "standby"]);
  expect(before.every(({ address }) => Number(new URL(address).port) >= port)).toBe(true);
  const [leader] = before;
  const standby = before[1]!;
  const [pid] = processesWith(`--name ${leader!.name} --address`).filter((each) =>
    processesWith(folder).includes(each),
  );
  process.kill(pid!, "SIGKILL");
  await told(leader!.name!, "exit");
  await told(leader!.name!, "ready", 2);

  const after = await masters(standby.address);
  expect(after.map(({ role }) => role)).toEqual(["leader", "standby", "standby"]);
  expect(after[0]!.epoch).toBeGreaterThan(leader!.epoch!);
  expect(after.map(({ name }) => name).toSorted()).toEqual(["master-1", "master-2", "master-3"]);

  up.kill("SIGINT");
  const [code] = (await once(up, "close")) as [number];
  expect(code).toBe(0);
  expect(processesWith(folder)).toEqual([]);
});
