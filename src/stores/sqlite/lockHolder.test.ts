/** The holder of a file's lock is named, also while it is stopped: nobody else could tell the operator which process it is. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, test } from "vitest";
import { guarded } from "./connection.ts";
import { describeLockHolder } from "./lockHolder.ts";

const folder = mkdtempSync(join(tmpdir(), "outlast-lock-"));
const path = join(folder, "a.db");
let child: ChildProcess | null = null;
afterEach(() => {
  child?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const holder = `
  const { DatabaseSync } = require("node:sqlite");
  const database = new DatabaseSync(process.argv[2]);
  database.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x); BEGIN IMMEDIATE; INSERT INTO t VALUES (1)");
  console.log("held");
  setInterval(() => {}, 1000);
`;

const script = join(folder, "holder.cjs");
writeFileSync(script, holder);

test.runIf(process.platform === "linux")("names the process that holds the lock, and that it is stopped", async () => {
  child = spawn(process.execPath, [script, path, "--name", "m1"], { stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout!, "data");
  child.kill("SIGSTOP");
  await expect.poll(() => describeLockHolder(path)).toMatch(/\(stopped\)/);
  expect(describeLockHolder(path)).toContain(`process ${child.pid} (stopped): ${process.execPath}`);
  expect(describeLockHolder(path)).toContain("--name m1");
  const database = new DatabaseSync(path);
  const write = () => guarded(path, () => database.exec("INSERT INTO t VALUES (2)"));
  expect(write).toThrow(`process ${child.pid} (stopped)`);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(describeLockHolder(path)).toBeNull();
  expect(write).not.toThrow();
  database.close();
});
