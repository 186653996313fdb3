/** Several masters as a client sees them: which answers count, who is passed over, and how all of them are shown. */
import { afterEach, describe, expect, test } from "vitest";
import { defaults } from "../model/limits.ts";
import { type Answer, FakeMasters } from "../proof/fakes/fakeMaster.ts";
import { createClient } from "./client.ts";

const fakes = new FakeMasters();
const fake = (answer: Answer) => fakes.start(answer);
afterEach(() => fakes.stop());

/** Answers everything with the task in this state, as a master of this epoch. */
function ofEpoch(epoch: number, state: string): Answer {
  return (_request, response) => response.json(200, { id: "a", state }, { "x-outlast-epoch": String(epoch) });
}

describe("a client of several masters", () => {
  test("stays with the highest epoch: a leader of the past does not get to tell older news", async () => {
    const old = await fake(ofEpoch(1, "running"));
    const young = await fake(ofEpoch(2, "success"));
    const third = await fake(ofEpoch(2, "success"));
    const client = createClient({ masters: [young.url, old.url, third.url] });
    await client.get("a");
    await young.stop();
    expect(await client.get("a")).toMatchObject({ state: "success" });
    expect([old.requests.length, third.requests.length]).toEqual([1, 1]);
  });

  test("takes what a lower epoch says where nobody knows better, as after a change of the store", async () => {
    const old = await fake(ofEpoch(1, "running"));
    const young = await fake(ofEpoch(2, "success"));
    const client = createClient({ masters: [young.url, old.url], retryForMs: 0 });
    await client.get("a");
    await young.stop();
    expect(await client.get("a")).toMatchObject({ state: "running" });
    expect(await client.get("a")).toMatchObject({ state: "running" });
  });

  test("believes a change that was made, whoever tells of it", async () => {
    const young = await fake(ofEpoch(2, "success"));
    const old = await fake((_request, response) =>
      response.json(201, { id: "a", isNew: true }, { "x-outlast-epoch": "1" }),
    );
    const client = createClient({ masters: [young.url, old.url], retryForMs: 0 });
    await client.get("a");
    await young.stop();
    expect(await client.submit({ kind: "sleep", input: { seconds: 1 } })).toEqual({ id: "a", isNew: true });
  });

  test("passes over one that hangs, and asks it last from then on", async () => {
    const hanging = await fake(() => {});
    const alive = await fake(ofEpoch(2, "success"));
    const client = createClient({ masters: [hanging.url, alive.url] });
    const startedAt = performance.now();
    await client.get("a");
    expect(performance.now() - startedAt).toBeLessThan(2 * defaults.clientPatienceMs);
    await client.get("a");
    expect(hanging.requests).toHaveLength(1);
  });

  test("does not wait a second for an election that takes less", async () => {
    const standby = await fake((_request, response) => {
      if (standby.requests.length < 4)
        response.json(503, { error: { code: "not-leader", message: "An election." } }, { "retry-after": "1" });
      else response.json(200, { workers: [] });
    });
    const waits: number[] = [];
    await createClient({ masters: standby.url, onRetry: ({ waitMs }) => waits.push(waitMs) }).workers();
    expect(waits).toHaveLength(3);
    expect(Math.max(...waits)).toBeLessThan(1000);
  });
});

describe("the list of masters", () => {
  const report = (name: string, url: string, more: object = {}) => ({
    name,
    nonce: `nonce of ${name}`,
    address: url,
    role: "standby",
    epoch: 2,
    seq: 90,
    leader: null,
    store: "sqlite x",
    durability: "",
    trouble: null,
    startedAt: 1,
    roleSince: 5,
    stats: {},
    ...more,
  });
  const note = (name: string, address: string) => ({
    name,
    nonce: `nonce of ${name}`,
    address,
    epoch: 1,
    seq: 7,
    unchangedMs: 9,
  });

  test("asks every one that is known anywhere, and tells of each once, the leader first", async () => {
    const gone = await fake(() => {});
    const goneUrl = gone.url;
    await gone.stop();
    const leader = await fake((_request, response) =>
      response.json(200, report("m2", leader.url, { role: "leader", seq: 100 })),
    );
    const old = await fake((_request, response) =>
      response.json(200, report("m3", old.url, { role: "leader", epoch: 1, seq: 80 })),
    );
    const standby = await fake((request, response) => {
      if (request.path === "/v1/status") return response.json(200, report("m1", standby.url));
      const notes = [
        note("m1", standby.url),
        note("m2", leader.url),
        note("m3", `${old.url}/`),
        note("m4", goneUrl),
        note("m0", standby.url),
      ];
      response.json(200, { masters: notes });
    });
    // One of them by two names.
    const client = createClient({ masters: [standby.url, standby.url.replace("127.0.0.1", "localhost")] });
    const told = await client.masters();
    expect(told.map(({ name, role, epoch, seq, lag }) => [name, role, epoch, seq, lag])).toEqual([
      ["m2", "leader", 2, 100, 0],
      ["m1", "standby", 2, 90, 10],
      ["m3", "outdated", 1, 80, 20],
      ["m4", "silent", 1, 7, null],
    ]);
  });

  test("does not wait long for one that is silent, and shows who was elected meanwhile", async () => {
    const hanging = await fake(() => {});
    const standby = await fake((request, response) => {
      if (request.path === "/v1/masters") return response.json(200, { masters: [note("m1", hanging.url)] });
      const isElected = hanging.requests.length > 0 && standby.requests.length > 2;
      response.json(200, report("m2", standby.url, isElected ? { role: "leader", epoch: 3 } : {}));
    });
    const client = createClient({ masters: [hanging.url, standby.url] });
    const startedAt = performance.now();
    const told = await client.masters();
    expect(performance.now() - startedAt).toBeLessThan(2 * defaults.masterPatienceMs);
    expect(told.map(({ name, role }) => [name, role])).toEqual([
      ["m2", "leader"],
      ["m1", "silent"],
    ]);
  });

  test("fails as any call does where none answers, or where the token is refused", async () => {
    const guarded = await fake((_request, response) =>
      response.json(401, { error: { code: "unauthorized", message: "No." } }),
    );
    await expect(createClient({ masters: guarded.url }).masters()).rejects.toMatchObject({
      code: "unauthorized",
      message: `${guarded.url}: No.`,
    });
    const { url } = guarded;
    await guarded.stop();
    await expect(createClient({ masters: url, retryForMs: 0 }).masters()).rejects.toMatchObject({
      code: "unavailable",
    });
  });
});
