/** Commands about graphs as people use them: a real master, a real worker, and graphs of which a node fails. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import type { Json } from "../../src/model/json.ts";
import { folder, type Result, Started, start } from "./commands.ts";

const startMsMax = 60_000;

let up: Started;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const port = String(await findFreePort());
  env = { OUTLAST_MASTERS: `http://127.0.0.1:${port}` };
  up = start("up", "--port", port, "--workers", "1", "--data", "graphs-data", "--drain-timeout", "1s");
  await up.line(/^worker-1 is ready/);
}, startMsMax);

afterAll(async () => {
  up.child.kill("SIGINT");
  await up.ended;
}, startMsMax);

const outlast = (...commandLine: readonly string[]): Promise<Result> => new Started(commandLine, { env }).ended;

/** Submits a graph and waits for its end. */
async function ended(id: string, tasks: Json): Promise<void> {
  const task = JSON.stringify({ id, kind: "graph", input: { tasks } });
  const submitted = new Started(["submit", "--file", "-", "--wait"], { env, input: task });
  expect((await submitted.ended).stdout).toContain(id);
}

test("retrying a node says how its graph is retried", async () => {
  await ended("hinted", { a: { kind: "exec", input: { command: ["false"] }, attemptsMax: 1 } });
  expect((await outlast("graph", "hinted")).stdout).toMatch(/^hinted: failed, 1 node$/m);
  expect((await outlast("show", "hinted")).stdout).toContain("1 of 1 task did not succeed: a (exit code 1).");
  const { tasks } = JSON.parse((await outlast("ls", "--parent", "hinted", "--json")).stdout);
  const retried = await outlast("retry", tasks[0].id);
  expect(retried.code).not.toBe(0);
  expect(retried.stderr).toMatch(/is a task of the graph hinted\.\n +Retry the graph, .*: outlast retry hinted\n/);
});

test("the log of a broadcast says where there is one, and an attempt that there was not is told", async () => {
  await outlast("submit", "exec", "--broadcast", "--id", "everywhere", "--wait", "--", "echo", "here");
  const { code, stderr } = await outlast("logs", "everywhere");
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: "everywhere runs on every worker, and has no log of its own; its children have: outlast tree everywhere\n",
  });
  expect((await outlast("logs", "everywhere", "--attempt", "2")).stderr).toContain("Task everywhere has no attempts.");
});

test("of several commands, a task says which one has failed", async () => {
  const task = { id: "several", kind: "exec", attemptsMax: 1, input: { commands: [["true"], ["false"], ["true"]] } };
  await new Started(["submit", "--file", "-", "--wait"], { env, input: JSON.stringify(task) }).ended;
  const { stdout } = await outlast("show", "several");
  expect(stdout).toMatch(/^exit +command 2 of 3: code 1$/m);
  expect(stdout).toMatch(/^why +exit: Command 2 of 3 ended with exit code 1\.$/m);
});

test("a node is found by its name, and why another one did not run is said with it", async () => {
  const exec = (program: string, more = {}) => ({
    kind: "exec",
    attemptsMax: 1,
    input: { command: ["sh", "-c", program] },
    ...more,
  });
  const inner = { kind: "graph", input: { tasks: { deep: exec("echo from below") } } };
  await ended("named", { load: exec("echo loading; exit 3"), clean: exec("true", { after: ["load"] }), inner });
  expect(await outlast("logs", "named/load")).toMatchObject({ code: 0, stdout: "loading\n" });
  expect((await outlast("logs", "named/inner/deep")).stdout).toBe("from below\n");
  const { stdout, stderr } = await outlast("logs", "named");
  expect({ stdout, stderr }).toEqual({
    stdout: "",
    stderr:
      "named is a graph, and has no log of its own; its nodes have: load, inner, clean.\nPrint one with: outlast logs named/load\n",
  });
  expect((await outlast("show", "named/clean")).stdout).toMatch(
    /^why +skipped: It did not run: load did not succeed\.$/m,
  );
  const walked = await outlast("graph", "named");
  expect(walked.stdout).toContain("It did not run: load did not succeed.");
  expect(walked.stderr).toContain("outlast logs named/NODE");
  const wrong = await outlast("logs", "named/clen");
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("Did you mean named/clean?") as string });
});

test("a graph in a file takes an id and a name from the command line, and several tasks take none", async () => {
  const graph = join(folder, "given.yaml");
  writeFileSync(graph, "tasks:\n  a: { kind: sleep, input: { seconds: 0 } }\n");
  const given = ["--id", "given", "--name", "nightly"];
  expect(await outlast("submit", "--file", graph, ...given, "--wait")).toMatchObject({ code: 0, stdout: "given\n" });
  const { stdout } = await outlast("show", "given");
  expect(stdout).toMatch(/^name +nightly$/m);
  // No worker runs it.
  expect(stdout).not.toMatch(/^attempt/m);
  const several = join(folder, "several.jsonl");
  writeFileSync(several, '{"kind":"sleep","input":{"seconds":0}}\n'.repeat(2));
  const refused = await outlast("submit", "--file", several, "--id", "given");
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/--id is for a single task, and .* holds 2\.\n +Give each of them its own "id"/);
});

test("a node is cancelled, signalled and looked at by its name, and wrong ids are told in words", async () => {
  const graph = join(folder, "nodes.yaml");
  writeFileSync(
    graph,
    "tasks:\n  a: { kind: no-such-handler, input: {} }\n  sub: { kind: graph, input: { tasks: { b: { kind: sleep, input: { seconds: 0 } } } } }\n",
  );
  await outlast("submit", "--file", graph, "--id", "nodes");
  expect(await outlast("signal", "nodes/a", "go")).toMatchObject({ code: 0 });
  expect((await outlast("tree", "nodes/a")).stdout).toMatch(/^nodes~\S+ {2}a {2}created/);
  expect((await outlast("graph", "nodes/sub")).stdout).toMatch(/^sub nodes~\S+: \w+, 1 node$/m);
  // All are found before anything is done to one of them.
  expect(await outlast("cancel", "nodes/a", "nodes/c")).toMatchObject({ code: 2, stdout: "" });
  expect((await outlast("cancel", "nodes/a")).stdout).toMatch(/^nodes~\S+ cancelled\n$/);
  expect((await outlast("show", "nodes/a")).stdout).toMatch(/^state +cancelled$/m);
  expect((await outlast("retry", "nodes/a")).stderr).toContain("Retry the graph");
  for (const command of [["cancel"], ["retry"], ["signal"], ["tree"], ["graph"]]) {
    const { code, stderr } = await outlast(...command, "a b", ...(command[0] === "signal" ? ["go"] : []));
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("not the id of a task") as string });
  }
});
