/** Commands about graphs as people use them: a real master, a real worker, and graphs of which a node fails. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import type { Json } from "../../src/model/json.ts";
import { type Result, Started, start } from "./commands.ts";

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
  const { tasks } = JSON.parse((await outlast("ls", "--parent", "hinted", "--json")).stdout);
  const retried = await outlast("retry", tasks[0].id);
  expect(retried.code).not.toBe(0);
  expect(retried.stderr).toMatch(/is a task of the graph hinted\.\n +Retry the graph, .*: outlast retry hinted\n/);
});

test("of several commands, a task says which one has failed", async () => {
  const task = { id: "several", kind: "exec", attemptsMax: 1, input: { commands: [["true"], ["false"], ["true"]] } };
  await new Started(["submit", "--file", "-", "--wait"], { env, input: JSON.stringify(task) }).ended;
  const { stdout } = await outlast("show", "several");
  expect(stdout).toMatch(/^exit +command 2 of 3: code 1$/m);
  expect(stdout).toMatch(/^why +exit: Command 2 of 3 ended with exit code 1\.$/m);
});
