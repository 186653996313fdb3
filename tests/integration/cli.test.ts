/** The command line as people use it: real commands, a real master, real workers. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { limits } from "../../src/model/limits.ts";
import type { TaskDocument } from "../../src/model/task.ts";
import type { WorkerView } from "../../src/model/worker.ts";
import { Outlast } from "../../src/sdk/client.ts";
import { folder, type Result, Started, start } from "./commands.ts";

/** Three processes start, on a machine that may have other things to do. */
const startMsMax = 60_000;

/** A script that says `one`, and `two` once the flag of that name is raised. */
function untilFlag(name: string): string {
  return `echo one; until [ -e '${join(folder, name)}' ]; do sleep 0.05; done; echo two`;
}

function raise(flag: string): void {
  writeFileSync(join(folder, flag), "");
}

describe("with a master and two workers", () => {
  let up: Started;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    const port = String(await findFreePort());
    env = { OUTLAST_MASTERS: `http://127.0.0.1:${port}` };
    writeFileSync(
      join(folder, "tasks.ts"),
      `import { defineTask } from "outlast";
       export const add = defineTask({
         name: "add",
         run([a, b]: [number, number]) { console.log("adding"); return { sum: a + b }; },
       });
       export const sums = defineTask({
         name: "sums",
         async run(count: number, ctx) {
           await ctx.step("counted", () => count);
           const all = await ctx.all("adds", Array.from({ length: count }, (_, i) => add.task([i, 1])));
           await ctx.waitFor("approved");
           return all.length;
         },
       });`,
    );
    const options = ["--workers", "2", "--data", "up-data", "--drain-timeout", "1s", "--tasks", "tasks.ts"];
    up = start("up", "--port", port, ...options);
    await Promise.all([up.line(/^worker-1 is ready/), up.line(/^worker-2 is ready/)]);
  }, startMsMax);

  afterAll(async () => {
    up.child.kill("SIGINT");
    expect((await up.ended).code).toBe(0);
  }, startMsMax);

  const outlast = (commandLine: readonly string[], input?: string): Promise<Result> =>
    new Started(commandLine, { env, ...(input === undefined ? {} : { input }) }).ended;
  const json = async <Document>(...commandLine: string[]): Promise<Document> =>
    JSON.parse((await outlast([...commandLine, "--json"])).stdout) as Document;

  test("a submitted command runs, and everything about it can be asked", async () => {
    const submitted = await outlast([
      "submit",
      "exec",
      "--name",
      "greeting",
      "--wait",
      "--",
      "sh",
      "-c",
      "echo hello; echo world",
    ]);
    expect(submitted).toMatchObject({ code: 0, stderr: expect.stringMatching(/ended as success/) as string });
    expect(submitted.stderr).toContain("  │ hello\n  │ world\nAll of its output: ");
    const id = submitted.stdout.trim();
    expect(await outlast(["logs", id])).toMatchObject({ code: 0, stdout: "hello\nworld\n" });
    expect((await json<TaskDocument>("show", id)).exit).toEqual({ code: 0, signal: null });
    expect((await outlast(["show", id])).stdout).toMatch(/^state +success$/m);
    expect((await outlast(["ls", "--name", "greeting"])).stdout).toMatch(
      new RegExp(`^${id} +greeting +sh .* success `, "m"),
    );
    expect((await outlast(["queues"])).stdout).toMatch(/^default +open +2 /m);
  });

  test("a schedule is put, previewed, backfilled, triggered and removed", async () => {
    writeFileSync(
      join(folder, "nightly.yaml"),
      "name: nightly\nwhen: { cron: '0 2 * * *', timeZone: Europe/Berlin }\nendsAt: 2199-01-31T08:00Z\ntask: { kind: exec, input: { command: ['true'] } }\n",
    );
    expect((await outlast(["schedule", "preview", "nightly.yaml", "--count", "2"])).stdout).toMatch(
      / 02:00:00 \+0[12]:00\n/,
    );
    const change = ["--count", "1", "--from", "2027-03-28T00:00Z"];
    expect((await outlast(["schedule", "preview", "nightly.yaml", ...change])).stdout).toBe(
      "2027-03-28T01:00:00Z  2027-03-28 03:00:00 +02:00  the clocks go forward\n",
    );
    expect((await outlast(["schedule", "put", "nightly.yaml"])).stdout).toMatch(/^nightly next tick: /);
    const from = "2026-01-01T00:00Z";
    const backfill = ["schedule", "backfill", "nightly", "--from", from, "--to", "2026-01-03T12:00Z"];
    const ids = [1, 2, 3].map((day) => `nightly@2026-01-0${day}T01:00:00Z`);
    const made = `${ids.join("\n")}\n`;
    expect(await outlast([...backfill, "--dry-run"])).toMatchObject({
      stdout: made,
      stderr: "3 tasks would be made.\n",
    });
    expect(await outlast(backfill)).toMatchObject({ code: 0, stdout: made });
    expect(await outlast(backfill)).toMatchObject({ code: 0, stdout: "" });
    expect((await outlast(["schedule", "trigger", "nightly"])).stdout).toMatch(/^nightly@trigger-/);
    expect((await outlast(["schedule", "ls"])).stdout).toMatch(/^nightly +0 2 \* \* \* Europe\/Berlin /m);
    expect((await outlast(["schedule", "rm", "nightly"])).code).toBe(0);
    expect((await outlast(["schedule", "show", "nightly"])).code).not.toBe(0);
  });

  test("tasks that match a filter are cancelled, and deleted", async () => {
    const submit = ["submit", "sleep", "600", "--name", "many"];
    const ids = [(await outlast(submit)).stdout.trim(), (await outlast(submit)).stdout.trim()];
    const filter = ["--name", "many"];
    expect((await outlast(["cancel", ...filter, "--dry-run"])).stdout).toBe(
      ids.map((id) => `${id} would be cancelled\n`).join(""),
    );
    expect(await json("cancel", ...filter)).toEqual({ isDryRun: false, tasks: ids.map((id) => ({ id })) });
    expect((await outlast(["cancel"])).code).toBe(2);
    expect((await outlast(["delete", "--state", "running", ...filter])).stderr).toContain("Cancel them first.");
    expect(await outlast(["delete", ...filter])).toMatchObject({ code: 0, stderr: "2 tasks deleted.\n" });
    expect((await outlast(["show", ids[0] ?? ""])).code).not.toBe(0);
  });

  test("tasks that wait for one reason are listed, however many newer ones wait for others", async () => {
    await outlast(["submit", "sleep", "1", "--queue", "unserved", "--id", "unserved"]);
    // One call looks at so many pages of one task; the next one goes on where it stopped.
    const later = { kind: "sleep", input: { seconds: 1 }, name: "later", startAt: Date.now() + 3_600_000 };
    const count = limits.waitingPagesMax + 1;
    await new Outlast({ masters: env["OUTLAST_MASTERS"] ?? "" }).submitAll(Array.from({ length: count }, () => later));
    const listed = (await outlast(["ls", "--waiting", "no-worker", "--limit", "1"])).stdout;
    expect(listed).toMatch(/^unserved /m);
    expect(await json("ls", "--waiting", "no-worker")).toMatchObject({ tasks: [{ id: "unserved" }], cursor: null });
    const all = (await outlast(["ls", "--waiting", "due-later", "--all"])).stdout;
    expect(all.match(/ later /g)).toHaveLength(count);
    expect(await outlast(["ls", "--waiting", "godot"])).toMatchObject({ code: 2 });
    expect(await outlast(["ls", "--waiting", "key", "--watch"])).toMatchObject({ code: 2 });
    await outlast(["cancel", "--name", "later"]);
    await outlast(["cancel", "unserved"]);
  });

  test("the exit code of a waited task says how it ended", async () => {
    const submit = ["submit", "exec", "--attempts-max", "1", "--wait"];
    const command = ["--", "sh", "-c", "echo oops; exit 3"];
    const failed = await outlast([...submit, "--json", ...command]);
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({ state: "failed", exit: { code: 3 } });
    const told = await outlast([...submit, ...command]);
    expect(told.stderr).toMatch(new RegExp(`│ oops\nAll of its output: outlast logs ${told.stdout.trim()}\n$`));
    expect((await outlast([...submit, "--", "true"])).stderr).toMatch(/ ended as success \(took \S+\)\n$/);
  });

  test("a handler's output and result are shown", async () => {
    const { code, stderr } = await outlast(["submit", "add", "--input", "[1,2]", "--wait"]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/ended as success.*\n {2}│ adding\n {2}Result: {"sum":3}\nAll of its output: /);
  });

  test("a family is shown with its steps, its attempts, why it waits, and as a tree", async () => {
    await outlast(["submit", "sums", "--id", "small", "--input", "3"]);
    await outlast(["submit", "sums", "--id", "large", "--input", "30"]);
    const waits = async (id: string) => (await json<TaskDocument>("show", id)).waiting?.reason;
    await expect.poll(() => waits("small"), { timeout: startMsMax }).toBe("signal");
    await expect.poll(() => waits("large"), { timeout: startMsMax }).toBe("signal");

    const shown = (await outlast(["show", "small"])).stdout;
    expect(shown).toMatch(/^waits +for the signal "approved", for /m);
    expect(shown).toMatch(/^family +2 remembered steps, 3 children: 3 success$/m);
    expect(shown).toMatch(/^adds +.* ago +children: 3 success\ncounted +.* ago +3$/m);
    expect(shown).toMatch(/^ +1 +worker-\d .* suspended\n +2 +worker-\d .* suspended$/m);
    expect(await json("show", "small")).toMatchObject({
      childCounts: { success: 3 },
      attempts: [{ attempt: 1, outcome: "suspended" }, { attempt: 2 }],
      steps: [{ key: "adds" }, { key: "counted", step: { value: 3 } }],
    });

    const children = (await outlast(["ls", "--parent", "small", "--state", "success"])).stdout;
    expect(children.match(/^small~\S+ +add +add +success /gm)).toHaveLength(3);
    const roots = (await outlast(["ls", "--roots", "--name", "small"])).stdout;
    expect(roots).toMatch(/^small +sums +waiting /m);
    expect(roots).not.toContain("~");
    expect(await outlast(["ls", "--roots", "--parent", "small"])).toMatchObject({ code: 2 });

    const tree = (await outlast(["tree", "small"])).stdout;
    expect(tree).toMatch(
      /^small {2}waiting {2}attempt 2 {2}waits for the signal "approved"\n├─ small~\S+0 {2}add {2}success\n/,
    );
    expect(tree).toMatch(/\n└─ small~\S+2 {2}add {2}success\n$/);
    expect((await outlast(["tree", "large"])).stdout).toMatch(/^large .*\n└─ 30 success\n$/);
    expect(await json("tree", "large")).toMatchObject({ id: "large", children: [], folded: { success: 30 } });
    expect(await outlast(["tree", "nobody"])).toMatchObject({ code: 4 });
    await outlast(["cancel", "small", "large"]);
  });

  test("the end of a large output is shown, however large it is", async () => {
    // Its last piece often reaches the master after the end of the task is known.
    const script = "seq 1 400000; echo the last line; exit 3";
    const submit = ["submit", "exec", "--attempts-max", "1", "--wait", "--", "sh", "-c", script];
    for (const told of await Promise.all([outlast(submit), outlast(submit), outlast(submit)])) {
      expect(told.stderr).toMatch(/ {2}│ …\n {2}│ \d+\n.* {2}│ 400000\n {2}│ the last line\nAll of its output/s);
    }
  });

  test("one key makes one task, also with every character that the API takes", async () => {
    const key = "order-7/invoice 'nightly'";
    const first = await outlast(["submit", "sleep", "0", "--key", key]);
    const second = await outlast(["submit", "sleep", "0", "--key", key]);
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).toMatch(/existed already/);
    expect(await outlast(["submit", "sleep", "1", "--key", key])).toMatchObject({ code: 4 });
    expect(await outlast(["submit", "sleep", "1", "--key", "é"])).toMatchObject({ code: 2 });
  });

  test("a file of several batches names a conflict by its line, and is submitted again without creating anything twice", async () => {
    expect((await outlast(["submit", "sleep", "9", "--id", "taken", "--queue", "nobody"])).code).toBe(0);
    const lines = Array.from({ length: limits.batchTasksMax }, (_, index) =>
      JSON.stringify({ kind: "sleep", input: { seconds: index }, queue: "nobody", name: "bulk" }),
    );
    const taken = JSON.stringify({ id: "taken", kind: "sleep", input: { seconds: 1 }, queue: "nobody" });
    const file = join(folder, "bulk.jsonl");
    writeFileSync(file, [...lines, "", taken].join("\n"));
    const refused = await outlast(["submit", "--file", file]);
    expect(refused).toMatchObject({ code: 4, stdout: "" });
    expect(refused.stderr).toContain(`${file}, line ${limits.batchTasksMax + 2}: `);
    expect(refused.stderr).toMatch(/taken/);
    expect(refused.stderr).toContain(`The first ${limits.batchTasksMax} tasks of it are submitted.`);
    expect(await countBulk()).toBe(limits.batchTasksMax);

    writeFileSync(file, [...lines, "", taken.replace("taken", "free")].join("\n"));
    const first = await outlast(["submit", "--file", file]);
    expect(first.code).toBe(0);
    expect(first.stderr).toContain(`${limits.batchTasksMax} of ${limits.batchTasksMax + 1} tasks existed already.`);
    const again = await outlast(["submit", "--file", file]);
    expect(again.stdout).toBe(first.stdout);
    expect(again.stderr).toContain(`${limits.batchTasksMax + 1} of ${limits.batchTasksMax + 1} tasks existed already.`);
    expect(await countBulk()).toBe(limits.batchTasksMax);

    async function countBulk(): Promise<number> {
      const { queues } = await json<{ queues: { name: string; tasks: { created?: number } }[] }>("queues");
      return (queues.find(({ name }) => name === "nobody")!.tasks.created ?? 0) - ((await isThere("free")) ? 2 : 1);
    }
    async function isThere(id: string): Promise<boolean> {
      return (await outlast(["show", id])).code === 0;
    }
  });

  test("the same text on stdin twice makes its tasks twice, and a key makes them once", async () => {
    const text = '{"kind":"sleep","input":{"seconds":0}}';
    const submit = async (...more: string[]) => (await outlast(["submit", "--file", "-", ...more], text)).stdout;
    expect(await submit()).not.toBe(await submit());
    const keyed = await submit("--key", "k".repeat(128));
    expect(keyed).not.toBe("");
    expect(await submit("--key", "k".repeat(128))).toBe(keyed);
  });

  test("bytes that are not UTF-8 are refused, in a file and on the command line", async () => {
    const file = join(folder, "latin.jsonl");
    const text = '{"kind":"exec","input":{"command":["touch","caf\u00e9"]},"name":"latin"}';
    writeFileSync(file, Buffer.from(`${text.replace("\u00e9", "")}\n${text}\n`, "latin1"));
    const refused = await outlast(["submit", "--file", file]);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/is not UTF-8: line 2, byte \d+ of the line \(offset \d+ in the file\) is 0xe9/);
    const program = join(import.meta.dirname, "../../bin/outlast.js");
    const shell = `exec '${process.execPath}' '${program}' submit exec --name latin -- touch "$(printf 'caf\\351')"`;
    const line = spawnSync("/bin/sh", ["-c", shell], { encoding: "utf8", env: { ...process.env, ...env } });
    expect(line).toMatchObject({ status: 2, stdout: "" });
    expect(line.stderr).toMatch(/not UTF-8/);
    expect((await json<{ tasks: unknown[] }>("ls", "--name", "latin")).tasks).toEqual([]);
  });

  test("an argument of the task's own is no option of the CLI", async () => {
    const wrong = await outlast(["submit", "exec", "--nmae", "x", "--", "echo", "--json"]);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: unknown option/) as string });
    expect(wrong.stderr).toMatch(/--name/);
    const right = await outlast(["submit", "exec", "--", "echo", "--json"]);
    expect(right).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w.:-]+\n$/) as string });
  });

  test("a file is sent whole or not at all", async () => {
    const good = '{"kind":"sleep","input":{"seconds":0},"name":"from-file"}\n';
    const bad = await outlast(["submit", "--file", "-"], `${good}{"kind":"sleep","input":{}}\n`);
    expect(bad).toMatchObject({ code: 2, stdout: "" });
    expect(bad.stderr).toMatch(/line 2: /);
    expect((await json<{ tasks: unknown[] }>("ls", "--name", "from-file")).tasks).toEqual([]);
    const sent = await outlast(["submit", "--file", "-", "--wait"], good.repeat(3));
    expect(sent.code).toBe(0);
    expect(sent.stdout.trim().split("\n")).toHaveLength(3);
  });

  test("a killed worker's task runs again; its log is followed into the next attempt", async () => {
    const id = (await outlast(["submit", "exec", "--", "sh", "-c", untilFlag("worker-killed")])).stdout.trim();
    const logs = new Started(["logs", "-f", id], { env });
    await logs.line(/^one/);
    const { host } = await json<TaskDocument>("show", id);
    const { workers } = await json<{ workers: WorkerView[] }>("workers");
    process.kill(workers.find((worker) => worker.id === host)!.pid, "SIGKILL");
    await logs.line(/attempt 2/);
    raise("worker-killed");
    expect(await logs.ended).toMatchObject({ code: 0, stdout: "one\none\ntwo\n" });
    expect(await json<TaskDocument>("show", id)).toMatchObject({ state: "success", attempt: 2, kills: 1, failures: 0 });
    await up.line(new RegExp(`^${host} has ended \\(SIGKILL\\); starting it again`));
  });

  test("a killed master is started again, and costs the running task nothing", async () => {
    const id = (await outlast(["submit", "exec", "--", "sh", "-c", untilFlag("master-killed")])).stdout.trim();
    const logs = new Started(["logs", "-f", id], { env });
    await logs.line(/^one/);
    const death = up.line(/^master has ended \(SIGKILL\)/);
    process.kill(await masterPid(), "SIGKILL");
    await death;
    raise("master-killed");
    expect(await logs.ended).toMatchObject({ code: 0, stdout: "one\ntwo\n" });
    expect(await json<TaskDocument>("show", id)).toMatchObject({ state: "success", attempt: 1, kills: 0 });

    /** The child of `up` whose command is `master`. */
    async function masterPid(): Promise<number> {
      const { readdirSync, readFileSync } = await import("node:fs");
      const children = readdirSync("/proc").filter((name) => {
        if (!/^\d+$/.test(name)) return false;
        try {
          if (!readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes("master")) return false;
          const stat = readFileSync(`/proc/${name}/stat`, "utf8");
          return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === up.child.pid;
        } catch {
          return false;
        }
      });
      expect(children).toHaveLength(1);
      return Number(children[0]);
    }
  });

  test("changes are told as lines where there is no terminal, until Ctrl-C", async () => {
    const watch = new Started(["ls", "--watch", "--name", "watched"], { env });
    // The watch is open once it tells of anything at all; tasks are put in until then.
    const seen = watch.line(/watched success attempt 1/);
    let isSeen = false;
    void seen.then(() => (isSeen = true));
    while (!isSeen) await outlast(["submit", "sleep", "0", "--name", "watched", "--wait"]);
    watch.child.kill("SIGINT");
    expect((await watch.ended).code).toBe(130);
  });

  test("Ctrl-C ends the waiting, not the task", async () => {
    const waiting = new Started(["submit", "sleep", "60", "--wait"], { env });
    const id = await waiting.line(/^[\w.:-]+$/);
    waiting.child.kill("SIGINT");
    expect(await waiting.ended).toMatchObject({
      code: 130,
      stderr: expect.stringMatching(/the tasks continue/) as string,
    });
    expect(await outlast(["cancel", id])).toMatchObject({ code: 0 });
    expect(await json<TaskDocument>("show", id)).toMatchObject({ state: "cancelled" });
    expect(await outlast(["cancel", id, "nobody"])).toMatchObject({ code: 4 });
  });

  test("a paused queue starts nothing until it is resumed", async () => {
    expect((await outlast(["queues", "pause", "default"])).stderr).toBe("");
    expect((await outlast(["queues", "pause", "defualt"])).stderr).toMatch(/has no tasks yet. It is paused now/);
    const id = (await outlast(["submit", "sleep", "0"])).stdout.trim();
    expect(await json<TaskDocument>("show", id)).toMatchObject({ state: "created" });
    const advice = "queue default is paused; outlast queues resume default";
    const waits = /^waits +queue default is paused, for [\w. ]+; outlast queues resume default$/m;
    expect((await outlast(["show", id])).stdout).toMatch(waits);
    expect((await outlast(["ls", "--state", "created"])).stderr).toContain(`waits: ${advice}\n`);
    const doctor = await outlast(["doctor", "--data", "up-data"]);
    expect(doctor.stdout).toMatch(/1 task waits in queue default, and it is paused/);
    expect((await outlast(["queues", "resume", "default"])).code).toBe(0);
    const limits = ["queues", "limit", "default"];
    expect(await outlast([...limits, "--rate", "1000/1s", "--concurrency", "50"])).toMatchObject({ code: 0 });
    expect((await outlast(["queues"])).stdout).toMatch(/^default +open +50 at a time, 1000 tasks in 1s /m);
    const { stdout } = await outlast([...limits, "--rate", "none", "--concurrency", "none"]);
    expect(stdout).toBe("default runs any number of tasks\ndefault starts tasks at any rate\n");
    expect((await outlast(["queues"])).stdout).toMatch(/^default +open +2 /m);
    await expect.poll(async () => (await json<TaskDocument>("show", id)).state).toBe("success");
  });

  test("a second one in the same directory is refused before it has done anything", async () => {
    const second = await outlast(["up", "--port", String(await findFreePort()), "--data", "up-data"]);
    expect(second).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/Process \d+ is using up-data.up\./) as string,
    });
    expect(second.stderr).toMatch(/its own --data/);
    expect((await json<{ masters: unknown[] }>("masters")).masters).toHaveLength(1);
  });

  test("the doctor finds everything well", async () => {
    const examined = await outlast(["doctor", "--data", "up-data"]);
    expect(examined).toMatchObject({ code: 0 });
    expect(examined.stdout).toMatch(/^ok +store .* whole/m);
    expect(examined.stdout).toMatch(/^ok +workers +2 attached/m);
  });
});
