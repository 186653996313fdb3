/** Commands without a cluster, or with servers of their own: wrong command lines, no master, tokens, taken ports. */
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import type { WorkerView } from "../../src/model/worker.ts";
import { type Result, Started, start } from "./commands.ts";

describe("alone", () => {
  const run = (...commandLine: string[]): Promise<Result> => start(...commandLine).ended;

  test("a wrong command line is 2, and says what was meant", async () => {
    expect(await run("submti")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Did you mean submit/) as string,
    });
    expect(await run("ls", "--sate", "x")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--state/) as string,
    });
    expect(await run("ls", "--state", "runing")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Unknown state "runing"/) as string,
    });
    expect(await run("submit", "sleep", "1", "--timeout", "5")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/Say the unit/) as string,
    });
    expect(await run("master", "--store", "oracle:x")).toMatchObject({ code: 2 });
    expect(await run("queues", "limit", "q", "--rate", "5/s")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Must be like "100/1m"') as string,
    });
    // It takes no ids.
    expect(await run("delete", "--dry-run")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^outlast: No filter is given\.\n +Give one, such as --state failed/) as string,
    });
  });

  test("a template or a schedule in the place of a task is told as such", async () => {
    const directory = await mkdtemp(join(tmpdir(), "outlast-files-"));
    const task = "task: { kind: sleep, input: { seconds: 0 } }\n";
    const template = join(directory, "template.yaml");
    const schedule = join(directory, "schedule.yaml");
    await writeFile(template, `name: t\n${task}`);
    await writeFile(schedule, `name: s\nwhen: { cron: "0 2 * * *" }\n${task}`);
    for (const command of [["run"], ["submit", "--file"]]) {
      const said = await run(...command, template);
      expect(said).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/is a template\.\n.* template put/) as string,
      });
      const due = await run(...command, schedule);
      expect(due).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/is a schedule\.\n.* schedule put/) as string,
      });
    }
    await rm(directory, { recursive: true });
  });

  test("a name in a file that no master would take is told, and so are tasks that are no object", async () => {
    const directory = await mkdtemp(join(tmpdir(), "outlast-names-"));
    const file = join(directory, "wrong.yaml");
    const rest = 'when: { cron: "0 2 * * *" }\ntask: { kind: sleep, input: { seconds: 0 } }\n';
    for (const command of [
      ["template", "put"],
      ["schedule", "put"],
    ]) {
      for (const [name, told] of [
        ['"a b"', '"a b" cannot be the name of a '],
        ["2026", "write a number in quotes"],
        ["", "has no name"],
      ]) {
        await writeFile(file, `name: ${name}\n${rest}`);
        expect(await run(...command, file)).toMatchObject({
          code: 2,
          stderr: expect.stringContaining(told!) as string,
        });
      }
    }
    await writeFile(file, "tasks: [load]\n");
    expect(await run("run", file)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`"tasks" in ${file} is no object.`) as string,
    });
    await rm(directory, { recursive: true });
  });

  test("a wrong command line is a document for programs", async () => {
    for (const wrong of [
      ["submti"],
      ["ls", "--sate", "x"],
      ["ls", "--state", "runing"],
      ["submit", "--file", "nosuch"],
    ]) {
      const { code, stdout, stderr } = await run(...wrong, "--json");
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(JSON.parse(stderr)).toMatchObject({
        error: { code: "usage", message: expect.stringMatching(/./) as string },
      });
    }
  });

  test("no master is 3, in a sentence and as JSON", async () => {
    const masters = `http://127.0.0.1:${await findFreePort()}`;
    const told = await run("ls", "--masters", masters, "--retry-for", "0");
    expect(told).toMatchObject({ code: 3, stdout: "" });
    expect(told.stderr).toMatch(/^outlast: No master answers/);
    expect(told.stderr).not.toMatch(/\n\s+at /);
    const document = await run("ls", "--masters", masters, "--retry-for", "0", "--json");
    expect(JSON.parse(document.stderr)).toMatchObject({ error: { code: "unavailable", reason: "unreachable" } });
  });

  test("a store that is not there is told, and not made, by commands that work on one", async () => {
    const folder = await mkdtemp(join(tmpdir(), "outlast-none-"));
    const file = join(folder, "outlast.db");
    const told = { code: 1, stdout: "", stderr: expect.stringContaining(`There is no file ${file}.`) as string };
    expect(await run("export", "--store", `sqlite:${file}`)).toMatchObject(told);
    expect(await run("restored", "--data", folder)).toMatchObject(told);
    expect(await run("move", "--from", `sqlite:${file}`, "--to", "mongodb://127.0.0.1:1/x")).toMatchObject(told);
    expect(await readdir(folder)).toEqual([]);
    await writeFile(file, "no database ".repeat(1_000));
    const damaged = { code: 1, stderr: expect.stringContaining("is not a SQLite database") as string };
    expect(await run("move", "--from", `sqlite:${file}`, "--to", "mongodb://127.0.0.1:1/x")).toMatchObject(damaged);
    await writeFile(file, "");
    const unled = { code: 1, stdout: "", stderr: expect.stringContaining("No master has ever led") as string };
    expect(await run("restored", "--data", folder)).toMatchObject(unled);
    await rm(folder, { recursive: true });
  });

  test("a backup that lies beside the write-ahead log of the store before is left as it is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "outlast-restored-"));
    const file = join(folder, "outlast.db");
    const master = new Started(["master", "--port", String(await findFreePort()), "--data", folder]);
    await master.line(/^outlast master ready at /);
    const backup = join(folder, "backup.db");
    const live = new DatabaseSync(file);
    live.exec(`VACUUM INTO '${backup}'`);
    master.child.kill("SIGKILL");
    await master.ended;
    live.close();
    // As a killed master leaves it where nobody else has the file open.
    await writeFile(`${file}-wal`, "the log of the store before");
    await copyFile(backup, file);
    const bytes = await readFile(file);
    expect(await run("restored", "--data", folder)).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining(`remove ${file}-wal and ${file}-shm`) as string,
    });
    expect(await readFile(file)).toEqual(bytes);
    await Promise.all([`${file}-wal`, `${file}-shm`].map((path) => rm(path, { force: true })));
    expect(await run("restored", "--data", folder)).toMatchObject({ code: 0 });
    await rm(folder, { recursive: true });
  });

  test("a master refuses to be seen from elsewhere without a token", async () => {
    expect(await run("master", "--address", "0.0.0.0")).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/token/) as string,
    });
  });

  test("with a token, only who has it is served", async () => {
    const port = await findFreePort();
    const token = "a-token-that-is-long-enough";
    const env = { OUTLAST_TOKEN: token };
    const master = new Started(["master", "--port", String(port), "--store", "memory:"], { env });
    await master.line(/^outlast master ready at /);
    const address = `http://127.0.0.1:${port}`;
    expect(await run("ls", "--masters", address)).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/token/) as string,
    });
    expect(await run("ls", "--masters", address, "--token", "wrong")).toMatchObject({ code: 4 });
    expect(await new Started(["ls", "--masters", address], { env }).ended).toMatchObject({ code: 0 });
    master.child.kill("SIGTERM");
    const { code, stdout, stderr } = await master.ended;
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain(token);
  });

  test("a port that is taken is said in a sentence, by master and up", async () => {
    const port = String(await findFreePort());
    const first = start("master", "--port", port, "--store", "memory:");
    await first.line(/^outlast master ready at /);
    const second = await run("master", "--port", port, "--store", "memory:");
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(port);
    expect(await run("up", "--port", port, "--data", "taken")).toMatchObject({ code: 1 });
    first.child.kill("SIGINT");
    expect((await first.ended).code).toBe(0);
  });

  test("up ends where its task files, or those of services, cannot be loaded, as a worker does", async () => {
    const folder = await mkdtemp(join(tmpdir(), "outlast-tasks-"));
    await writeFile(join(folder, "tasks.ts"), "export const = 1;\n");
    const tasks = ["--tasks", join(folder, "tasks.ts"), "--data", join(folder, "data")];
    const told = expect.stringMatching(/tasks\.ts:1: .*\n.*Nothing was started/) as string;
    expect(await run("worker", ...tasks)).toMatchObject({ code: 2, stderr: told });
    expect(await run("up", "--port", "0", ...tasks)).toMatchObject({ code: 2, stderr: told });
    const service = join(folder, "service.yaml");
    await writeFile(service, "name: half\nstart: { command: [job] }\n");
    expect(await run("up", "--port", "0", "--remote", service, "--data", join(folder, "data"))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('service.yaml: "status" is missing.') as string,
    });
    await rm(folder, { recursive: true });
  }, 60_000);

  test("two workers do not share a name, and unnamed ones get their own", async () => {
    const masters = `http://127.0.0.1:${await findFreePort()}`;
    const shared = ["--masters", masters, "--data", "names"];
    const named = start("worker", "--name", "one", "--log-format", "json", ...shared, "--log-level", "debug");
    await named.line(/./);
    expect(await run("worker", "--name", "one", ...shared)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is using/) as string,
    });
    named.child.kill("SIGTERM");
    expect((await named.ended).code).toBe(0);
  });

  test("up leaves nothing behind, even if it is killed", async () => {
    const port = String(await findFreePort());
    const up = start("up", "--port", port, "--workers", "1", "--data", "orphans", "--json");
    const ready = JSON.parse(await up.line(/"worker-1","event":"ready"/)) as object;
    expect(ready).toEqual({ process: "worker-1", event: "ready" });
    const env = { OUTLAST_MASTERS: `http://127.0.0.1:${port}` };
    const id = (await new Started(["submit", "exec", "--", "sleep", "300"], { env }).ended).stdout.trim();
    await expect
      .poll(async () => (await new Started(["show", id], { env }).ended).stdout, { timeout: 20_000 })
      .toMatch(/running/);
    const { workers } = JSON.parse((await new Started(["workers", "--json"], { env }).ended).stdout) as {
      workers: WorkerView[];
    };
    up.child.kill("SIGKILL");
    await expect.poll(() => isAlive(workers[0]!.pid), { timeout: 20_000 }).toBe(false);
    await expect
      .poll(async () => (await run("ls", "--masters", `http://127.0.0.1:${port}`, "--retry-for", "0")).code, {
        timeout: 20_000,
      })
      .toBe(3);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
