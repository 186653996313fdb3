/** Secret variables of tasks reach the command, and nobody who may only read: not by the API, not by events, not by the master's log. */
import { randomUUID } from "node:crypto";
import { describe, expect, test } from "vitest";
import { findFreePort } from "../../src/cli/freePort.ts";
import { createClient } from "../../src/sdk/client.ts";
import { type Call, GuardedApi, rootToken } from "./api/guardedApi.ts";
import { Started } from "./commands.ts";

const name = "DATABASE_PASSWORD";

describe("a secret variable", () => {
  test("is hidden from those who may only read, wherever it stands", async () => {
    const secret = randomUUID();
    const guarded = new GuardedApi(rootToken);
    await guarded.start();
    const input = { command: ["true"], secretEnv: { [name]: secret } };
    const task = { kind: "exec", input };
    const put = async (method: string, path: string, body: unknown) =>
      expect((await guarded.root(method, path, body)).status).toBeLessThan(300);
    await put("POST", "/v1/tasks", { ...task, id: "plain" });
    const call = { url: "https://example.com", secretHeaders: { Authorization: secret } };
    await put("POST", "/v1/tasks", { id: "call", kind: "http", input: call, startAt: 7_000_000_000_000 });
    await put("POST", "/v1/tasks", { id: "g", kind: "graph", input: { tasks: { node: task } } });
    await put("PUT", "/v1/templates/t", { task: { kind: "exec", input } });
    await put("PUT", "/v1/schedules/s", { when: { everyMs: 86_400_000 }, task });
    const paths = [
      "/v1/tasks/plain",
      "/v1/tasks/call",
      "/v1/tasks",
      "/v1/tasks/g",
      "/v1/tasks/g/graph",
      "/v1/tasks/g/children",
      "/v1/tasks/plain/attempts",
      "/v1/templates/t",
      "/v1/templates",
      "/v1/templates/t/versions",
      "/v1/schedules/s",
      "/v1/schedules",
    ];
    const readers = [
      await guarded.token({ name: "v", role: "viewer" }),
      // Also what it has submitted itself: it knows the value, and needs no answer with it.
      await guarded.token({ name: "s", role: "submitter" }),
    ];
    const texts = async (call: Call) =>
      Promise.all(
        paths.map(async (path) => {
          const { status, body } = await call("GET", path);
          expect([path, status]).toEqual([path, 200]);
          return JSON.stringify(body);
        }),
      );
    for (const reader of readers) {
      const seen = await texts(reader);
      expect(seen.filter((text) => text.includes(secret))).toEqual([]);
      expect(seen[1]).toContain('"secretHeaders":{"Authorization":{"isHidden":true}}');
      expect(seen[0]).toContain(`"secretEnv":{"${name}":{"isHidden":true}}`);
    }
    const all = await texts(await guarded.token({ name: "o", role: "operator" }));
    expect(all.filter((text) => text.includes(secret)).length).toBeGreaterThanOrEqual(6);

    // What was copied with a hidden value does not run with a wrong one.
    const copied = (await readers[1]!("GET", "/v1/tasks/plain")).body.input as unknown;
    const again = await readers[1]!("POST", "/v1/tasks", { kind: "exec", input: copied });
    expect(again).toMatchObject({ status: 422, body: { error: { path: `/input/secretEnv/${name}` } } });
    await guarded.stop();
  });

  test("is checked like the others", async () => {
    const guarded = new GuardedApi(rootToken);
    await guarded.start();
    const submit = async (more: object) =>
      (await guarded.root("POST", "/v1/tasks", { kind: "exec", input: { command: ["true"], ...more } })).body.error;
    expect(await submit({ secretEnv: { LD_PRELOAD: "x" } })).toMatchObject({ path: "/input/secretEnv/LD_PRELOAD" });
    expect(await submit({ secretEnv: { "a b": "x" } })).toMatchObject({ path: "/input/secretEnv/a b" });
    expect(await submit({ env: { A: "1" }, secretEnv: { A: "2" } })).toMatchObject({ path: "/input/secretEnv/A" });
    await guarded.stop();
  });

  test("comes from the environment of `outlast submit`, reaches the command, and is in no log and no event", async () => {
    const secret = randomUUID();
    const port = String(await findFreePort());
    const masters = `127.0.0.1:${port}`;
    const options = ["--port", port, "--workers", "1", "--data", "secret", "--log-level", "debug"];
    const up = new Started(["up", ...options]);
    await up.line(/worker-1 is ready/);
    const line = `test "$${name}" = ${secret.slice(0, -1)}"${secret.slice(-1)}" && echo it is`;
    const submit = ["submit", "exec", "--masters", masters, "--secret-env", name, "--id", "a", "--wait", "--shell"];
    const submitted = new Started([...submit, "--", line], { env: { [name]: secret } });
    expect(await submitted.ended).toMatchObject({ code: 0, stderr: expect.stringContaining("it is") as string });
    const missing = await new Started([...submit, "--", "true"]).ended;
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining(`no variable ${name}`) as string });
    const events = [];
    for await (const event of createClient({ masters }).events({ after: 0 })) {
      events.push(JSON.stringify(event));
      if (event.kind === "task" && event.task.state === "success") break;
    }
    expect(events.join("\n")).toContain('"a"');
    up.child.kill("SIGTERM");
    const { stdout, stderr } = await up.ended;
    expect(stderr).toContain("attempt ended");
    expect([...events, stdout, stderr].filter((text) => text.includes(secret))).toEqual([]);
  });
});
