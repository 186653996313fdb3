/** Outlast as the first process of a container: no zombies stay, signals arrive, and the exit code says how it ended. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { scene } from "./scene.ts";

const program = fileURLToPath(new URL("../../bin/outlast.js", import.meta.url));
/** A process tree in which the command has the id 1, as in a container; for that a user needs rights that not every one has. */
const container = "unshare";
const inContainer = ["--pid", "--fork", "--mount-proc", "--kill-child"];
const canUnshare = spawnSync(container, [...inContainer, "true"]).status === 0;

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});

/** Starts it as the first process. @returns the process in front of it, and the id by which that first process is seen here */
async function startFirst(
  ...args: string[]
): Promise<{ child: ChildProcess; first: number; ended: Promise<number | null> }> {
  const child = spawn(container, [...inContainer, process.execPath, program, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  running.add(child);
  const ended = new Promise<number | null>((resolve) => child.once("exit", (code) => resolve(code)));
  await new Promise<void>((resolve) => {
    child.stdout?.on("data", (piece: Buffer) => piece.toString().includes("ready") && resolve());
  });
  return { child, first: childrenOf(child.pid ?? 0)[0] ?? 0, ended };
}

function childrenOf(pid: number): number[] {
  return statusLines()
    .filter(({ parent }) => parent === pid)
    .map((one) => one.pid);
}

function statusLines(): { pid: number; parent: number; state: string }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
        return [{ pid: Number(name), parent: Number(parent), state }];
      } catch {
        return [];
      }
    });
}

describe.skipIf(!canUnshare)("a worker as the first process", () => {
  test("leaves no zombies of what its tasks left behind, and drains on SIGTERM", () =>
    scene(["master"], async (play) => {
      const data = mkdtempSync(join(tmpdir(), "outlast-first-"));
      const args = ["worker", "--masters", play.cluster.address, "--data", data, "--name", "first"];
      const { first, ended } = await startFirst(...args);
      const orphans = "for i in 1 2 3 4 5; do (setsid sleep 0.05 &) ; done; sleep 0.3";
      await play.client.submit({ id: "a", kind: "exec", input: { command: [orphans], shell: true } });
      await play.success("a");
      await play.until(
        "no zombies to be left",
        () => !statusLines().some(({ parent, state }) => parent === first && state === "Z"),
      );
      process.kill(first, "SIGTERM");
      expect(await ended).toBe(0);
      rmSync(data, { recursive: true });
    }));

  test("ends with 128 + the signal's number when the program is killed", () =>
    scene(["master"], async (play) => {
      const data = mkdtempSync(join(tmpdir(), "outlast-first-"));
      const { first, ended } = await startFirst("worker", "--masters", play.cluster.address, "--data", data);
      for (const pid of childrenOf(first)) process.kill(pid, "SIGKILL");
      expect(await ended).toBe(137);
      rmSync(data, { recursive: true });
    }));

  test("in a container of its own does not take the directory of a worker in another one", () =>
    scene(["master"], async (play) => {
      const data = mkdtempSync(join(tmpdir(), "outlast-first-"));
      const args = ["worker", "--masters", play.cluster.address, "--data", data];
      await startFirst(...args);
      await startFirst(...args);
      await startFirst(...args);
      expect(readdirSync(join(data, "workers"))).toHaveLength(3);
      const taken = readdirSync(join(data, "workers"))[0] ?? "";
      const refused = spawnSync(container, [...inContainer, process.execPath, program, ...args, "--name", taken]);
      expect(refused.status).not.toBe(0);
      expect(refused.stderr.toString()).toContain(" is using ");
      for (const child of running) child.kill("SIGKILL");
      await play.until(
        "the kernel to let go",
        () =>
          running.size === 0 ||
          ![...running].some(({ exitCode, signalCode }) => exitCode === null && signalCode === null),
      );
      rmSync(data, { recursive: true, force: true });
    }));
});
