/** Tests of calls against a master with faults: lost answers, wrong masters, refusals. */
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { OutlastError } from "../model/errors.ts";
import type { Submission } from "../model/submission.ts";
import { type Answer, FakeMasters } from "../proof/fakes/fakeMaster.ts";
import { createClient, type WaitAllOptions } from "./client.ts";
import { defineTask } from "./handler/definition.ts";

const fakes = new FakeMasters();
const fake = (answer: Answer) => fakes.start(answer);
afterEach(() => fakes.stop());

const sleep: Submission = { kind: "sleep", input: { seconds: 1 } };

/** Creates tasks as a master does: one for each key, however often it is asked. */
function taskTable() {
  const byKey = new Map<string, string>();
  return {
    byKey,
    submit(key: string): { id: string; isNew: boolean } {
      const known = byKey.get(key);
      if (known !== undefined) return { id: known, isNew: false };
      const id = `task-${byKey.size}`;
      byKey.set(key, id);
      return { id, isNew: true };
    },
  };
}

describe("submit", () => {
  test("creates one task even if the answer is lost after the commit", async () => {
    const table = taskTable();
    const master = await fake((request, response) => {
      const result = table.submit(String(request.headers["idempotency-key"]));
      if (master.requests.length === 1) response.cut();
      else response.json(200, result);
    });
    const submitted = await createClient({ masters: master.url }).submit(sleep);
    expect(submitted).toEqual({ id: "task-0", isNew: true });
    expect(table.byKey.size).toBe(1);
    expect(master.requests).toHaveLength(2);
  });

  test("draws a fresh key for each call, and takes the caller's", async () => {
    const master = await fake((_request, response) => response.json(201, { id: "a", isNew: true }));
    const client = createClient({ masters: master.url });
    await client.submit(sleep);
    await client.submit(sleep);
    await client.submit(sleep, { key: "mine" });
    const keys = master.requests.map((request) => request.headers["idempotency-key"]);
    expect(new Set(keys).size).toBe(3);
    expect(keys[2]).toBe("mine");
  });

  test("follows a standby's hint to the leader, and stays there", async () => {
    const leader = await fake((_request, response) => response.json(201, { id: "a", isNew: true }));
    const standby = await fake((_request, response) => {
      response.json(503, { error: { code: "not-leader", message: "I only follow.", leader: leader.url } });
    });
    const client = createClient({ masters: [standby.url] });
    await client.submit(sleep);
    await client.submit(sleep);
    expect(standby.requests).toHaveLength(1);
    expect(leader.requests).toHaveLength(2);
  });

  test("asks again where a master's name for the leader leads to somebody else", async () => {
    const stranger = await fake((_request, response) => {
      response.json(404, "page not found");
    });
    const entry = await fake((_request, response) => {
      if (entry.requests.length > 1) response.json(201, { id: "a", isNew: true });
      else response.json(503, { error: { code: "not-leader", message: "I only follow.", leader: stranger.url } });
    });
    const client = createClient({ masters: entry.url });
    await expect(client.submit(sleep)).resolves.toEqual({ id: "a", isNew: true });
    expect(stranger.requests).toHaveLength(1);
    await expect(createClient({ masters: stranger.url }).submit(sleep)).rejects.toThrow("not from a master");
  });

  test("goes to the next master if one cannot be reached", async () => {
    const dead = await fake(() => {});
    const deadUrl = dead.url;
    await dead.stop();
    const alive = await fake((_request, response) => response.json(201, { id: "a", isNew: true }));
    const retries: string[] = [];
    const client = createClient({
      masters: `${deadUrl},${alive.url}`,
      onRetry: ({ error }) => retries.push(error.code),
    });
    await expect(client.submit(sleep)).resolves.toEqual({ id: "a", isNew: true });
    expect(retries).toEqual([]);
  });

  test("tries again while no master can commit", async () => {
    const master = await fake((_request, response) => {
      if (master.requests.length < 3)
        response.json(503, { error: { code: "unavailable", message: "The disk is full." } });
      else response.json(201, { id: "a", isNew: true });
    });
    const retries: string[] = [];
    const client = createClient({ masters: master.url, onRetry: ({ error }) => retries.push(error.message) });
    await client.submit(sleep);
    expect(retries).toEqual(["The disk is full.", "The disk is full."]);
  });

  test("tries again where a master has not heard all of it in time: the way there was broken", async () => {
    const master = await fake((_request, response) => {
      if (master.requests.length === 1) response.json(408, { error: { code: "too-slow", message: "Too slow." } });
      else response.json(201, { id: "a", isNew: true });
    });
    expect(await createClient({ masters: master.url }).submit(sleep)).toEqual({ id: "a", isNew: true });
    expect(new Set(master.requests.map((request) => request.headers["idempotency-key"])).size).toBe(1);
  });

  test("asks for another token once it was refused, and goes on with it", async () => {
    let token = "one";
    const master = await fake((request, response) => {
      if (request.headers["authorization"] === "Bearer two") response.json(201, { id: "a", isNew: true });
      else response.json(401, { error: { code: "unauthorized", message: "The token is wrong." } });
    });
    const client = createClient({ masters: master.url, token: () => token });
    await expect(client.submit(sleep)).rejects.toMatchObject({ code: "unauthorized" });
    expect(master.requests).toHaveLength(1);
    token = "two";
    expect(await client.submit(sleep)).toEqual({ id: "a", isNew: true });
    expect(master.requests.map(({ headers }) => headers["authorization"])).toEqual([
      "Bearer one",
      "Bearer one",
      "Bearer two",
    ]);
  });

  test("does not repeat what was refused, and passes on why", async () => {
    const master = await fake((_request, response) => {
      response.json(422, {
        error: { code: "invalid", message: "Too long.", path: "/input/seconds", limit: "durationMsMax" },
      });
    });
    const error = await createClient({ masters: master.url })
      .submit(sleep)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OutlastError);
    expect(error).toMatchObject({
      code: "invalid",
      message: "Too long.",
      details: { path: "/input/seconds", limit: "durationMsMax" },
    });
    expect(master.requests).toHaveLength(1);
  });
});

describe("tasks of a definition", () => {
  const double = defineTask({ name: "double", queue: "sums", run: (n: number) => 2 * n });

  test("are submitted with its defaults, one or many", async () => {
    const bodies: unknown[] = [];
    const master = await fake((request, response) => {
      bodies.push(JSON.parse(request.body));
      response.json(201, request.path.endsWith("batch") ? { tasks: [{ id: "b" }, { id: "c" }] } : { id: "a" });
    });
    const client = createClient({ masters: master.url });
    await client.submit(double.task(1));
    await client.submitAll([2, 3].map((n) => double.task(n, { priority: n })));
    const task = { kind: "double", queue: "sums" };
    expect(bodies).toEqual([{ ...task, input: 1 }, { tasks: [2, 3].map((n) => ({ ...task, input: n, priority: n })) }]);
  });
});

test("a large graph goes where large bodies may go, by its bytes and not by its letters", async () => {
  const master = await fake((_request, response) => response.json(201, { tasks: [{ id: "a", isNew: true }] }));
  const tasks = Object.fromEntries(
    Array.from({ length: 12 }, (_, index) => [
      `n${index}`,
      { kind: "exec", input: { command: ["echo", "я".repeat(60_000)] } },
    ]),
  );
  await createClient({ masters: master.url }).submit({ kind: "graph", input: { tasks } });
  expect(master.requests.map(({ path }) => path)).toEqual(["/v1/tasks/batch"]);
});

describe("submitAll", () => {
  test("tells after an error how many were created, so that the same call can be repeated", async () => {
    const table = taskTable();
    let isBroken = true;
    const master = await fake((request, response) => {
      const { tasks } = JSON.parse(request.body) as { tasks: Submission[] };
      if (isBroken && master.requests.length > 1)
        return response.json(422, { error: { code: "invalid", message: "No." } });
      const key = String(request.headers["idempotency-key"]);
      response.json(201, { tasks: tasks.map((_, index) => table.submit(`${key}/${index}`)) });
    });
    // Two batches: one request holds 10 000 tasks.
    const all = Array.from({ length: 10_001 }, () => sleep);
    const client = createClient({ masters: master.url });
    const error = await client.submitAll(all, { key: "load" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "invalid", details: { submitted: 10_000, key: "load" } });
    isBroken = false;
    const submitted = await client.submitAll(all, { key: "load" });
    expect(submitted).toHaveLength(10_001);
    expect(table.byKey.size).toBe(10_001);
  });
});

describe("every call", () => {
  test("ends as unavailable when no master answers for long enough", async () => {
    const dead = await fake(() => {});
    const { url } = dead;
    await dead.stop();
    const error = await createClient({ masters: url, retryForMs: 0 })
      .workers()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "unavailable", details: { reason: "unreachable" } });
  });

  test("can be broken off", async () => {
    const controller = new AbortController();
    const master = await fake(() => controller.abort(new Error("enough")));
    const client = createClient({ masters: master.url });
    await expect(client.get("a", { signal: controller.signal })).rejects.toThrow("enough");
  });

  test("sends the token and nothing else of it", async () => {
    const master = await fake((_request, response) => response.json(200, { queues: [] }));
    await createClient({ masters: master.url, token: "secret" }).queues();
    expect(master.requests[0]!.headers.authorization).toBe("Bearer secret");
    expect(master.requests[0]!.path).toBe("/v1/queues");
  });

  test("says at once which value no request can carry, and not that no master answers", async () => {
    const master = await fake((_request, response) => response.json(201, { id: "a", isNew: true }));
    const client = createClient({ masters: master.url });
    await expect(client.submit(sleep, { key: "заказ-7" })).rejects.toMatchObject({
      code: "bad-request",
      message: expect.stringContaining("A key") as string,
    });
    const other = createClient({ masters: master.url, token: "se\ncret" });
    await expect(other.status()).rejects.toMatchObject({
      code: "bad-request",
      message: expect.stringContaining("The token") as string,
    });
    expect(master.requests).toEqual([]);
  });

  test("says so if something else listens at the address", async () => {
    const master = await fake((_request, response) => response.text(404, "<html>nothing here</html>"));
    const error = await createClient({ masters: master.url })
      .get("a")
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "not-found" });
    expect((error as OutlastError).message).toMatch(/not from a master/);
  });

  test("refuses an address that is none", () => {
    expect(() => createClient({ masters: "http://a b" })).toThrow(OutlastError);
    expect(() => createClient({ masters: [] })).toThrow(OutlastError);
  });
});

describe("cancel", () => {
  test("has worked if an earlier try of it had, though the answer was lost", async () => {
    const master = await fake((_request, response) => {
      if (master.requests.length === 1) return response.cut();
      response.json(409, { error: { code: "already-final", message: "It is cancelled.", state: "cancelled" } });
    });
    await expect(createClient({ masters: master.url }).cancel("a")).resolves.toBeUndefined();
  });

  test("is refused for a task that had been cancelled before", async () => {
    const master = await fake((_request, response) => {
      response.json(409, { error: { code: "already-final", message: "It is cancelled.", state: "cancelled" } });
    });
    await expect(createClient({ masters: master.url }).cancel("a")).rejects.toMatchObject({ code: "already-final" });
  });
});

describe("iterate", () => {
  test("reads page after page", async () => {
    const pages = [
      { tasks: [{ id: "a" }, { id: "b" }], cursor: "next" },
      { tasks: [{ id: "c" }], cursor: null },
    ];
    const master = await fake((_request, response) => response.json(200, pages[master.requests.length - 1]));
    const ids: string[] = [];
    const client = createClient({ masters: master.url });
    for await (const task of client.iterate({ states: ["created", "running"], queue: "q" })) ids.push(task.id);
    expect(ids).toEqual(["a", "b", "c"]);
    expect(master.requests.map(({ query }) => [query.get("state"), query.get("queue"), query.get("cursor")])).toEqual([
      ["created,running", "q", null],
      ["created,running", "q", "next"],
    ]);
  });
});

test("a list is asked for by what its tasks wait for", async () => {
  const master = await fake((_request, response) => response.json(200, { tasks: [], cursor: null }));
  await createClient({ masters: master.url }).list({ waiting: "queue-full", states: ["created", "killed"] });
  const [asked] = master.requests;
  expect([asked?.query.get("waiting"), asked?.query.get("state")]).toEqual(["queue-full", "created,killed"]);
});

test("reads are consistent where that is asked for, and only there", async () => {
  const master = await fake((_request, response) =>
    response.json(200, { workers: [], queues: [], tasks: [], cursor: null }),
  );
  const client = createClient({ masters: master.url });
  for (const options of [{}, { consistent: true }]) {
    await Promise.all([
      client.get("a", options),
      client.list(options),
      client.workers(options),
      client.queues(options),
    ]);
  }
  const asked = master.requests.map(({ path, query }) => `${path} ${query.get("consistent")}`).sort();
  expect(asked).toEqual(
    ["/v1/queues", "/v1/tasks", "/v1/tasks/a", "/v1/workers"].flatMap((path) => [`${path} null`, `${path} true`]),
  );
});

test("a wait for several tasks goes on past one that was forgotten, where the caller wants to hear of it", async () => {
  const master = await fake(({ path }, response) => {
    // No stream can be opened here, so the client polls.
    if (path === "/v1/events") response.json(415, { error: { code: "unsupported-media", message: "No streams." } });
    else if (path === "/v1/tasks/gone") response.json(404, { error: { code: "not-found", message: "No such task." } });
    else response.json(200, { id: path.split("/").at(-1), state: "success" });
  });
  const client = createClient({ masters: master.url });
  const waitFor = async (options: WaitAllOptions) => {
    const ended: string[] = [];
    for await (const task of client.waitAll(["a", "gone", "b"], options)) ended.push(task.id);
    return ended;
  };
  const forgotten: string[] = [];
  expect(await waitFor({ onForgotten: (id) => forgotten.push(id) })).toEqual(["a", "b"]);
  expect(forgotten).toEqual(["gone"]);
  await expect(waitFor({})).rejects.toMatchObject({ code: "not-found" });
});

test("the environment says where the masters are and which token they want, unless the caller does", async () => {
  const master = await fake((_request, response) => response.json(200, { queues: [] }));
  vi.stubEnv("OUTLAST_MASTERS", `http://127.0.0.1:1, ${master.url}`);
  vi.stubEnv("OUTLAST_TOKEN", "from-the-environment");
  onTestFinished(() => void vi.unstubAllEnvs());
  await createClient().queues();
  await createClient({ masters: master.url, token: "own" }).queues();
  await createClient({ masters: master.url, token: null }).queues();
  expect(master.requests.map((request) => request.headers.authorization)).toEqual([
    "Bearer from-the-environment",
    "Bearer own",
    undefined,
  ]);
});
