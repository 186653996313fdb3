/** What commands say of tasks that nobody can run, and of input with several mistakes. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { folder, type Result, Started, start } from "./commands.ts";

let up: Started;
let env: NodeJS.ProcessEnv;
const outlast = (...commandLine: readonly string[]): Promise<Result> => new Started(commandLine, { env }).ended;

beforeAll(async () => {
  const port = String(await findFreePort());
  env = { OUTLAST_MASTERS: `http://127.0.0.1:${port}` };
  up = start("up", "--port", port, "--workers", "1", "--data", "up-data", "--drain-timeout", "1s");
  await up.line(/^worker-1 is ready/);
}, 60_000);

afterAll(async () => {
  up.child.kill("SIGINT");
  await up.ended;
}, 60_000);

test("whoever waits for a task that no worker can run is told why, and so is the doctor", async () => {
  const waiting = new Started(["submit", "slep", "--id", "typo", "--wait"], { env });
  await waiting.line(/^typo waits: no connected worker of queue default runs kind "slep"/);
  const doctor = await outlast("doctor", "--data", "none");
  expect(doctor.stdout).toMatch(/^note +tasks +Task typo waits: no connected worker/m);
  expect(await outlast("cancel", "typo")).toMatchObject({ code: 0 });
  expect((await waiting.ended).code).toBe(1);
  expect((await outlast("doctor", "--data", "none")).stdout).not.toMatch(/typo/);
});

test("how long a task waits stands before the command that would end it", async () => {
  await outlast("queues", "pause", "later");
  await outlast("submit", "sleep", "1", "--queue", "later", "--id", "held");
  expect((await outlast("show", "held")).stdout).toMatch(
    /^waits +queue later is paused, for [\dms]+; outlast queues resume later$/m,
  );
});

test("each mistake in a graph has a line", async () => {
  const tasks =
    "tasks: { a: { kind: sleep, input: { seconds: x } }, b: { kind: sleep, after: [c], input: { seconds: 1 } } }";
  writeFileSync(join(folder, "bad.yaml"), tasks);
  const { code, stderr } = await outlast("run", "bad.yaml");
  expect(code).toBe(2);
  expect(stderr).toMatch(/^outlast: 2 things are wrong with the graph:\n +- a: .*\n +- "b" waits for "c"/);
});

test("a module without a job is a wrong command line, and no refusal of a master", async () => {
  writeFileSync(join(folder, "none.ts"), "export const x = 1;");
  expect(await outlast("map-reduce", "none.ts")).toMatchObject({ code: 2 });
});

test("a command without a token is told that it has none, and a wrong password is no wrong token", async () => {
  const admin = new Started(["user", "add", "ada", "--role", "admin"], { env, input: "a good password" });
  expect(await admin.ended).toMatchObject({ code: 0 });
  expect((await outlast("doctor", "--data", "none")).stdout).toMatch(
    /wants a token or a session, and this command has none/,
  );
  const login = new Started(["login", "ada"], { env: { ...env, XDG_CONFIG_HOME: folder }, input: "a wrong password" });
  expect((await login.ended).stderr).toMatch(/^outlast: The name or the password is wrong\.\n +An admin gives/);
});

test("instants of users, tokens and the audit record are local, as everywhere", async () => {
  const zone = "America/New_York";
  const own = { ...env, TZ: zone, XDG_CONFIG_HOME: join(folder, "ada") };
  const login = new Started(["login", "ada"], { env: own, input: "a good password" });
  expect(await login.ended).toMatchObject({ code: 0 });
  const table = async (...words: string[]) => (await new Started(words, { env: own }).ended).stdout;
  await table("token", "add", "ci", "--role", "viewer", "--expires", "90d");
  const local = (at = 0) => new Date(at).toLocaleString("sv-SE", { timeZone: zone });
  const { tokens } = JSON.parse(await table("token", "ls", "--json")) as { tokens: { expiresAt: number }[] };
  expect(await table("token", "ls")).toContain(local(tokens[0]?.expiresAt));
  const { users } = JSON.parse(await table("user", "ls", "--json")) as { users: { createdAt: number }[] };
  expect(await table("user", "ls")).toContain(local(users[0]?.createdAt));
  expect(await table("audit", "--action", "add-token")).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d /m);
});
