/** Event streams with a filter: they carry what was asked for and nothing of others, also over a cut and a long journal. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { backupId, childId, childPrefix, submittedId } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { FakeMasterApi } from "../../proof/fakes/fakeMasterApi.ts";
import { messages, RawConnection } from "../../proof/fakes/rawHttp.ts";
import { type ApiServer, createApi } from "../http/server.ts";

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const json = "content-type: application/json";

let master: FakeMasterApi;
let api: ApiServer;
let url: string;
const connections: RawConnection[] = [];

beforeEach(async () => {
  master = new FakeMasterApi();
  api = createApi({ master, log: silent, token: null });
  url = await api.listen({ address: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const connection of connections.splice(0)) connection.close();
  await api.close();
});

async function get(path: string, ...headers: string[]): Promise<RawConnection> {
  const connection = await RawConnection.get(url, path, ...headers);
  connections.push(connection);
  return connection;
}

async function post(path: string, filter: object): Promise<RawConnection> {
  const connection = await RawConnection.open(url);
  connections.push(connection);
  const body = JSON.stringify(filter);
  const head = [`POST ${path} HTTP/1.1`, "Host: localhost", json, `content-length: ${body.length}`];
  connection.send(`${head.join("\r\n")}\r\n\r\n${body}`);
  await connection.until("\r\n\r\n");
  return connection;
}

async function create(...ids: string[]): Promise<void> {
  await master.submit(
    ids.map((id) => ({ kind: "sleep" as const, input: { seconds: 1 }, id })),
    null,
  );
}

function change(id: string, state: "running" | "success"): void {
  master.change(id as TaskId, { state });
}

function forget(id: string): void {
  master.publish({ kind: "forget-task", id: id as TaskId, queue: "default", state: "success" });
}

function seen(stream: RawConnection): unknown[] {
  return messages(stream).map(({ data, id }) => {
    const { id: task, state = "forgotten" } = data as { id: string; state?: string };
    return [task, state, id];
  });
}

test.each(["GET", "POST"])("only the changes of the named tasks are sent, each once (%s)", async (method) => {
  await create("a", "b", "c");
  const stream = await (method === "GET" ? get("/v1/events?task=a,c") : post("/v1/events", { tasks: ["a", "c"] }));
  change("b", "running");
  change("a", "running");
  change("b", "success");
  change("c", "success");
  forget("b");
  forget("a");
  const last = `id: ${master.state.seq}\n`;
  await stream.until(last);
  expect(seen(stream)).toEqual([
    ["a", "running", "2"],
    ["c", "success", "4"],
    ["a", "forgotten", "6"],
  ]);
});

test("states narrow a filter, and are one by themselves", async () => {
  await create("a", "b");
  const narrow = await post("/v1/events", { tasks: ["a"], states: ["success"] });
  const ends = await get("/v1/events?state=success,failed");
  change("b", "success");
  change("a", "running");
  change("a", "success");
  await narrow.until("id: 3\n");
  await ends.until("id: 3\n");
  expect(seen(narrow)).toEqual([["a", "success", "3"]]);
  expect(seen(ends)).toEqual([
    ["b", "success", "1"],
    ["a", "success", "3"],
  ]);
});

test("a family is followed by any of its members, also over the past, and backups belong to it", async () => {
  const child = childId(childPrefix("a" as TaskId, 0, "maps"), 3);
  const grandchild = childId(childPrefix(child, 0, "parts"), 0);
  const backup = backupId(child);
  // What a handler of kind "a" submits begins like the ids of the family, and is none of it.
  const independent = submittedId("a", { task: "other" as TaskId, assignedAt: 1 }, "key");
  await create("a", "ab", child, grandchild, backup, independent);
  change(child, "running");
  change("ab", "success");
  const streams = [await get(`/v1/events?after=0&family=a`), await post("/v1/events?after=0", { family: grandchild })];
  const ends = await post("/v1/events", { family: "a", states: ["success"] });
  for (const id of [independent, grandchild, backup, "a"]) change(id, "success");
  for (const stream of streams) {
    await stream.until("id: 6\n");
    expect(seen(stream).map((event) => (event as string[]).slice(0, 2))).toEqual([
      [child, "running"],
      [grandchild, "success"],
      [backup, "success"],
      ["a", "success"],
    ]);
  }
  await ends.until("id: 6\n");
  expect(seen(ends)).toHaveLength(3);
});

test("a filtered stream goes on where it was cut, and what is committed meanwhile comes once and in order", async () => {
  await create("a", "b");
  for (const state of ["running", "success"] as const) for (const id of ["a", "b"]) change(id, state);
  const replay = master.changes.bind(master);
  // Something is committed in the middle of the replay.
  vi.spyOn(master, "changes").mockImplementation(async (after, listener, onGap) => {
    const subscription = await replay(after, listener, onGap);
    if (after !== null) change("a", "running");
    return subscription;
  });
  const stream = await post("/v1/events?after=1", { tasks: ["a"] });
  change("a", "success");
  await stream.until("id: 6\n");
  expect(seen(stream)).toEqual([
    ["a", "success", "3"],
    ["a", "running", "5"],
    ["a", "success", "6"],
  ]);
});

test("a filtered stream begins with a reset where the journal does not reach back", async () => {
  master.compactedSeq = 2;
  await create("a");
  for (let count = 0; count < 4; count += 1) change("a", "running");
  const stream = await post("/v1/events?after=1", { tasks: ["a"] });
  await stream.until("event: reset");
  expect(messages(stream)).toMatchObject([{ event: "reset", id: "4" }]);
});

test("a filtered stream ends when changes were missed", async () => {
  await create("a");
  const stream = await post("/v1/events", { tasks: ["a"] });
  master.passOver();
  await stream.closed();
});

test("two hundred waiting clients cost the master one subscription, and are sent nothing of others", async () => {
  await create("busy", ...Array.from({ length: 200 }, (_, index) => `t${index}`));
  const streams = await Promise.all(Array.from({ length: 200 }, (_, index) => get(`/v1/events?task=t${index}`)));
  await vi.waitFor(() => expect(master.listeners.size).toBe(1));
  const before = streams.map((stream) => stream.received.length);
  for (let count = 0; count < 500; count += 1) change("busy", "running");
  change("t7", "success");
  await streams[7]!.until("id: 501\n");
  for (const [index, stream] of streams.entries()) {
    // A ping may have come, with the position to resume at.
    const text = stream.received.slice(before[index]).replace(/(^|\n)id: \d+\n\n/g, "\n");
    if (index !== 7) expect(text.trim()).toBe("");
  }
  for (const stream of streams) stream.close();
  await vi.waitFor(() => expect(master.listeners.size).toBe(0));
});

test("a quiet filtered stream is pinged with the position to resume at", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "performance"] });
  await api.close();
  api = createApi({ master, log: silent, token: null });
  url = await api.listen({ address: "127.0.0.1", port: 0 });
  await create("a", "b");
  const stream = await get("/v1/events?task=a");
  for (let count = 0; count < 3; count += 1) change("b", "running");
  await vi.advanceTimersByTimeAsync(5000);
  expect(await stream.until("id: 3\n\n")).not.toContain("event:");
});

test("positions are announced when something is committed, and not for each entry", async () => {
  await create("a");
  const stream = await get("/v1/events?positions=true");
  for (let count = 0; count < 300; count += 1) change("a", "running");
  await stream.until(`data: {"seq":300,"of":["tasks"]}\nid: 300\n\n`);
  expect(messages(stream).length).toBeLessThan(10);
});

test.each([
  ["/v1/events?task=a,,b", "bad-request"],
  ["/v1/events?task=", "bad-request"],
  ["/v1/events?state=done", "bad-request"],
  ["/v1/events?family=a,b", "bad-request"],
  ["/v1/events?task=a&positions=true", "bad-request"],
  ["/v1/events?state=success&progress=true", "bad-request"],
])("%s is refused", async (path, code) => {
  const answer = await fetch(`${url}${path}`);
  expect(await answer.json()).toMatchObject({ error: { code } });
});

test.each([
  [{ tasks: [] }, "invalid"],
  [{ tasks: ["a b"] }, "invalid"],
  [{ states: ["done"] }, "invalid"],
  [{ queues: ["q"] }, "invalid"],
  [{ tasks: Array.from({ length: limits.eventTasksMax + 1 }, (_, index) => `t${index}`) }, "too-large"],
])("the filter %o is refused", async (filter, code) => {
  const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(filter) };
  const answer = await fetch(`${url}/v1/events`, init);
  expect(await answer.json()).toMatchObject({ error: { code } });
});
