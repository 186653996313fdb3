/** A standby beside its leader: what it answers itself, what it passes on, and what it says when the leader is gone. */
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { StoreUnavailable } from "../../../src/ports/store.ts";
import { RawConnection } from "../../../src/proof/fakes/rawHttp.ts";
import { createClient, type Outlast } from "../../../src/sdk/client.ts";
import { Stage, type StagedMaster, until } from "./stage.ts";

const nap = { kind: "sleep" as const, input: { seconds: 1 } };

let stage: Stage;
let leader: StagedMaster;
let standby: StagedMaster;
/** Knows the standby only. */
let client: Outlast;
const connections: RawConnection[] = [];

beforeEach(async () => {
  stage = new Stage();
  leader = await stage.startMaster("m1");
  standby = await stage.startMaster("m2");
  client = createClient({ masters: standby.url });
});
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await stage.close();
});

async function post(path: string, body: unknown = {}, headers: Record<string, string> = {}) {
  const response = await fetch(standby.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

describe("a standby", () => {
  test("passes on what changes something, and what only the leader knows", async () => {
    expect(await client.submit({ ...nap, id: "a" })).toEqual({ id: "a", isNew: true });
    expect(await client.submit({ ...nap, id: "a" })).toEqual({ id: "a", isNew: false });
    await client.pause("default");
    expect(await client.queues()).toMatchObject([{ name: "default", isPaused: true, tasks: { created: 1 } }]);
    expect(await client.workers()).toEqual([]);
    await client.cancel("a");
    await expect(client.cancel("a")).rejects.toMatchObject({ code: "already-final" });
    await expect(client.drain("nobody")).rejects.toMatchObject({ code: "not-found" });
    expect(standby.master.service.status().role).toBe("standby");
    expect(leader.master.service.stats().commits).toBeGreaterThan(2);
  });

  test("passes on a large batch, whole or not at all", async () => {
    const many = Array.from({ length: 5000 }, (_, index) => ({ ...nap, id: `t${index}`, name: "x".repeat(150) }));
    expect(await client.submitAll(many)).toHaveLength(5000);
    const bad = await post("/v1/tasks/batch", {
      tasks: [
        { ...nap, id: "good" },
        { ...nap, input: { seconds: -1 } },
      ],
    });
    expect([bad.status, bad.body["error"]]).toMatchObject([422, { code: "invalid", path: "/tasks/1/input/seconds" }]);
    await expect(client.get("good", { consistent: true })).rejects.toMatchObject({ code: "not-found" });
    const huge = await post("/v1/tasks", { ...nap, name: "x".repeat(2_000_000) });
    expect([huge.status, huge.body["error"]]).toMatchObject([413, { code: "too-large" }]);
  });

  test("answers reads itself, and says how much it has seen", async () => {
    await client.submit({ ...nap, id: "a" });
    await until(() => standby.master.service.status().seq === leader.master.service.status().seq);
    const response = await fetch(`${standby.url}/v1/tasks/a`);
    expect(await response.json()).toMatchObject({ id: "a", state: "created" });
    expect(response.headers.get("x-outlast-epoch")).toBe("1");
    expect(response.headers.get("x-outlast-seq")).toBe(String(standby.master.service.status().seq));
    expect(await client.status()).toMatchObject({ name: "m2", role: "standby", leader: leader.url });
    const metrics = await (await fetch(`${standby.url}/metrics`)).text();
    for (const line of ["outlast_is_leader 0", "outlast_epoch 1", 'outlast_role{role="standby"} 1']) {
      expect(metrics).toContain(line);
    }
    expect(metrics).toMatch(/^outlast_relays_answered_total [1-9]/m);
  });

  test("does not pass on what another standby has passed on to it", async () => {
    const { status, body } = await post("/v1/tasks", nap, { "x-outlast-relayed": "1" });
    expect([status, body["error"]]).toMatchObject([503, { code: "not-leader", leader: leader.url }]);
    expect((await client.list()).tasks).toEqual([]);
  });

  test("waits, where it is asked to, until it has seen what was committed before", async () => {
    for (let index = 0; index < 20; index += 1) {
      // Straight to the leader: the standby has not heard of it yet.
      await leader.master.service.submit([{ ...nap, id: `t${index}` }], null);
      const task = await client.get(`t${index}`, { consistent: true });
      expect(task.id).toBe(`t${index}`);
    }
    const committed = leader.master.service.status().seq;
    const response = await fetch(`${standby.url}/v1/tasks?consistent=true&limit=1`);
    expect(Number(response.headers.get("x-outlast-seq"))).toBeGreaterThan(committed);
    expect((await post("/v1/barrier")).body["seq"]).toBeGreaterThan(committed);
  });

  test("follows logs and events of what happens at the leader", async () => {
    const worker = await stage.startWorker("w", [leader.url]);
    await client.submit({ ...nap, id: "a" });
    await until(() => worker.executor.started.includes("a"));
    const log = await RawConnection.get(standby.url, "/v1/tasks/a/logs?follow=true");
    const events = await RawConnection.get(standby.url, "/v1/events?after=0");
    connections.push(log, events);
    worker.spool.write({ task: "a" as never, attempt: 1 }, Date.now(), Buffer.from("hello\n"));
    await log.until("hello");
    worker.executor.end("a");
    expect(await log.closed()).toContain('"state":"success"');
    await events.until('"success"');
  });

  test("holds what its leader can no longer be told until there is another one: here, itself", async () => {
    await leader.api.close();
    const { status, body } = await post("/v1/tasks", { ...nap, id: "b" });
    expect([status, body]).toEqual([201, { id: "b", isNew: true }]);
    // Told once.
    expect(await client.submit({ ...nap, id: "b" })).toEqual({ id: "b", isNew: false });
    expect(standby.master.service.status()).toMatchObject({ role: "leader", epoch: 2 });
    expect(standby.master.service.stats()).toMatchObject({ elections: 1 });
  });

  test("tells who the masters are, as each of them does", async () => {
    await until(async () => (await client.masters()).every(({ role }) => role !== "silent"));
    await until(() => standby.master.service.members().length === 2);
    const seen = await client.masters();
    expect(seen.map(({ name, role, address, epoch }) => [name, role, address, epoch])).toEqual([
      ["m1", "leader", leader.url, 1],
      ["m2", "standby", standby.url, 1],
    ]);
  });

  test("takes its leader's word for the lease while the store shows an old one, and its own look once there is no word", async () => {
    const settings = { leaseTtlMs: 500, leaseRenewMs: 50, standbyJitterMs: 50 };
    const own = new Stage();
    try {
      const first = await own.startMaster("m1", settings);
      const second = await own.startMaster("m2", settings);
      const old = await own.store.readLease();
      vi.spyOn(own.store, "readLease").mockImplementation(async () => old);
      const write = vi.spyOn(own.store, "writeLease");
      await until(() => write.mock.calls.length >= 30);
      expect(second.master.service.status()).toMatchObject({ role: "standby", epoch: 1, leader: first.url });
      // From now on it is told of nothing that the store has taken.
      write.mockRejectedValue(new StoreUnavailable("timeout", "The store does not answer."));
      await until(() => second.master.service.status().epoch > 1);
    } finally {
      await own.close();
    }
  });

  test("that leaves in good order is known to nobody any more", async () => {
    await until(() => leader.master.service.members().length === 2);
    await stage.stopMaster(standby);
    await until(() => leader.master.service.members().length === 1);
  });
});
