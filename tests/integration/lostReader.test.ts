/** A server goes on, and ends, when its output cannot be written: no reader, a reader that has stopped, a full disk. */
import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import type { TaskDocument } from "../../src/model/task.ts";
import type { WorkerView } from "../../src/model/worker.ts";
import { folder, Started, start } from "./commands.ts";

let port: string;
let env: NodeJS.ProcessEnv;
beforeEach(async () => {
  port = String(await findFreePort());
  env = { OUTLAST_MASTERS: `http://127.0.0.1:${port}` };
});
const servers: Started[] = [];
const pipes: number[] = [];
/** What a pipe holds on Linux, pipe(7). */
const pipeBytes = 65_536;
afterEach(() => {
  for (const { child } of servers.splice(0)) child.kill("SIGKILL");
  for (const pipe of pipes.splice(0)) closeSync(pipe);
});

function serve(...commandLine: string[]): Started {
  const server = new Started(commandLine, { env });
  servers.push(server);
  return server;
}

function serveTo(redirect: string, ...commandLine: string[]): Started {
  const server = new Started(commandLine, { env, redirect });
  servers.push(server);
  return server;
}

function closeOutput({ child }: Started): void {
  child.stdout!.destroy();
  child.stderr!.destroy();
}

async function json<Document>(...commandLine: string[]): Promise<Document> {
  return JSON.parse((await new Started([...commandLine, "--json"], { env }).ended).stdout) as Document;
}

async function runTask(): Promise<TaskDocument> {
  return json("submit", "sleep", "0", "--wait", "--retry-for", "30s");
}

/** It is still there to obey, and ends in good order. */
async function stopsInOrder({ child }: Started): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  child.kill("SIGTERM");
  expect(await ended).toBe(0);
}

test("up keeps running tasks, and restarts what dies", async () => {
  const up = serve("up", "--port", port, "--workers", "1", "--data", "reader-up", "--drain-timeout", "1s");
  await up.line(/^worker-1 is ready/);
  closeOutput(up);
  const { id } = await json<TaskDocument>("submit", "sleep", "600");
  await expect.poll(async () => (await json<TaskDocument>("show", id)).state, { timeout: 20_000 }).toBe("running");
  const { workers } = await json<{ workers: WorkerView[] }>("workers");
  // Its restart makes `up` write.
  process.kill(workers[0]!.pid, "SIGKILL");
  await expect
    .poll(async () => json<TaskDocument>("show", id), { timeout: 20_000 })
    .toMatchObject({ state: "running", attempt: 2 });
  await json("cancel", id);
  await stopsInOrder(up);
});

test("a master and a worker start, and run tasks", async () => {
  const master = serve("master", "--port", port, "--store", "memory:", "--log-level", "debug");
  closeOutput(master);
  const worker = serve("worker", "--name", "reader-worker", "--data", "reader-worker", "--log-level", "debug");
  closeOutput(worker);
  expect(await runTask()).toMatchObject({ state: "success" });
  await stopsInOrder(worker);
  await stopsInOrder(master);
});

/** A pipe whose reader has stopped: it is open, full, and nobody reads it. */
function stoppedReader(): string {
  const path = join(folder, `stopped-${port}`);
  execFileSync("mkfifo", [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  writeSync(pipe, Buffer.alloc(pipeBytes, "x"));
  pipes.push(pipe);
  return path;
}

describe.each(["a full disk", "a full disk for all output", "a reader that has stopped"])("with %s", (where) => {
  function redirect(): string {
    if (where === "a full disk") return "2>/dev/full";
    if (where === "a full disk for all output") return ">/dev/full 2>&1";
    const path = stoppedReader();
    // Open for reading and writing, so that opening it does not wait for a reader.
    return `2<>${path}`;
  }

  test("a master and a worker start, run tasks and stop", async () => {
    const to = redirect();
    const master = serveTo(to, "master", "--port", port, "--store", "memory:", "--log-level", "debug");
    const worker = serveTo(to, "worker", "--name", "full", "--data", `full-${port}`, "--log-level", "debug");
    for (let count = 0; count < 3; count += 1) expect(await runTask()).toMatchObject({ state: "success" });
    await stopsInOrder(worker);
    await stopsInOrder(master);
  });

  test("a master that cannot start ends", async () => {
    serve("master", "--port", port, "--store", "memory:");
    await runStatus();
    const { code } = await serveTo(redirect(), "master", "--port", port, "--store", "memory:").ended;
    expect(code).toBe(1);
  });
});

/** Resolves when the master answers. */
async function runStatus(): Promise<void> {
  await json("masters", "--retry-for", "30s");
}

test("a command ends without an error", async () => {
  const master = start("master", "--port", port, "--store", "memory:");
  servers.push(master);
  await master.line(/^outlast master ready at /);
  const { child, ended } = new Started(["ls", "--all", "--json"], { env });
  child.stdout!.destroy();
  expect((await ended).stderr).toBe("");
});
