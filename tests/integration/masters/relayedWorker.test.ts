/** Workers and the masters they can reach: sent to the leader, relayed by a standby, and obeying nobody of the past. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createApi } from "../../../src/api/http/server.ts";
import { limits } from "../../../src/model/limits.ts";
import { FakeMasterApi } from "../../../src/proof/fakes/fakeMasterApi.ts";
import { Stage, type StagedMaster, silent, until } from "./stage.ts";

const nap = { kind: "sleep" as const, input: { seconds: 1 } };

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

async function two(): Promise<{ leader: StagedMaster; standby: StagedMaster }> {
  const leader = await stage.startMaster("m1");
  return { leader, standby: await stage.startMaster("m2") };
}

describe("a worker that finds a standby", () => {
  test("goes to the leader that it names, known before or not", async () => {
    const { leader, standby } = await two();
    const worker = await stage.startWorker("w", [standby.url]);
    await until(() => worker.attachedTo !== null);
    expect(worker.attachedTo).toBe(leader.url);
  });

  test("is relayed by it if it cannot reach the leader: attach, stream, reports and output", async () => {
    const { leader, standby } = await two();
    const worker = await stage.startWorker("w", [leader.url, standby.url], [leader.url]);
    await until(() => worker.attachedTo === standby.url);
    await leader.master.service.submit([{ ...nap, id: "a" }], null);
    await until(() => worker.executor.started.includes("a"));
    worker.spool.write({ task: "a" as never, attempt: 1 }, Date.now(), Buffer.from("over the standby\n"));
    await until(async () => (await leader.master.service.readLogs("a" as never, 1, 0, 1000)).length === 1);
    worker.executor.end("a");
    await until(async () => (await leader.master.service.readTask("a" as never))?.state === "success");
    await until(() => worker.outbox.kept.size === 0);
    const [view] = await leader.master.service.workers();
    expect(view).toMatchObject({ id: "w", state: "connected" });
  });

  test("that relays it loses it at once when the worker goes, and the leader knows", async () => {
    const { leader, standby } = await two();
    const worker = await stage.startWorker("w", [leader.url, standby.url], [leader.url]);
    await until(() => worker.attachedTo === standby.url);
    await until(async () => (await leader.master.service.workers())[0]?.state === "connected");
    await worker.worker.stop();
    await until(async () => (await leader.master.service.workers())[0]?.state !== "connected");
  });

  test("goes to that one itself once it leads", async () => {
    const { leader, standby } = await two();
    const worker = await stage.startWorker("w", [leader.url, standby.url], [leader.url]);
    await until(() => worker.attachedTo === standby.url);
    await leader.master.service.submit([{ ...nap, id: "a" }], null);
    await until(() => worker.executor.started.includes("a"));
    await stage.stopMaster(leader);
    await until(() => standby.master.service.status().role === "leader");
    await until(async () => (await standby.master.service.workers())[0]?.state === "connected");
    expect(worker.attachedTo).toBe(standby.url);
    worker.executor.end("a");
    await until(async () => (await standby.master.service.readTask("a" as never))?.state === "success");
    expect(await standby.master.service.readTask("a" as never)).toMatchObject({ attempt: 1, kills: 0 });
  });

  test("finds the leader itself once the way there is open again and the relay has gone", async () => {
    const { leader, standby } = await two();
    const worker = await stage.startWorker("w", [leader.url, standby.url], [leader.url]);
    await until(() => worker.attachedTo === standby.url);
    worker.unreachable.clear();
    await stage.stopMaster(standby);
    await until(() => worker.attachedTo === leader.url);
  });
});

describe("two leaders at once, the older of which does not know", () => {
  /** A leader's face that never changes its mind, over the real HTTP path. */
  async function face(epoch: number) {
    const master = new FakeMasterApi();
    master.state = { ...master.state, epoch };
    const api = createApi({ master, log: silent, token: null });
    const url = await api.listen({ address: "127.0.0.1", port: 0 });
    return { master, api, url };
  }

  test("the worker that has seen the younger one refuses the older, and keeps what it runs", async () => {
    const young = await face(5);
    const old = await face(4);
    const worker = await stage.startWorker("w", [young.url, old.url]);
    try {
      await until(() => worker.attachedTo === young.url);
      await until(() => young.master.sinks.size === 1);
      const assignment = { task: "a" as never, attempt: 1, assignedAt: 1, name: "a", ...nap, timeoutMs: null };
      [...young.master.sinks.values()][0]!.send({ kind: "assign", epoch: 5, assignments: [assignment] });
      await until(() => worker.executor.started.includes("a"));
      await young.api.close();
      // It asks the old one, shows it what it has seen, and takes nothing from it.
      await until(() => old.master.calls.some(({ name }) => name === "attach"));
      const [asked] = old.master.calls;
      expect(asked!.with[1]).toMatchObject({ epochMax: 5, running: [{ task: "a", attempt: 1 }] });
      await until(() => old.master.calls.filter(({ name }) => name === "attach").length >= 3);
      expect(old.master.calls.filter(({ name }) => name !== "attach")).toEqual([]);
      expect(worker.attachedTo).toBeNull();
      expect(worker.executor.running.size).toBe(1);
    } finally {
      await worker.worker.stop();
      await Promise.all([young.api.close(), old.api.close()]);
    }
  });

  test("a message of the older one in a session of its own ends that session and is not obeyed", async () => {
    const old = await face(4);
    const worker = await stage.startWorker("w", [old.url]);
    try {
      await until(() => old.master.sinks.size === 1);
      const assignment = { task: "a" as never, attempt: 1, assignedAt: 1, name: "a", ...nap, timeoutMs: null };
      [...old.master.sinks.values()][0]!.send({ kind: "assign", epoch: 3, assignments: [assignment] });
      await until(() => old.master.closedSessions.length === 1);
      expect(worker.executor.started).toEqual([]);
    } finally {
      await worker.worker.stop();
      await old.api.close();
    }
  });
});

test("a master that stops does not wait for the streams that it relays", async () => {
  const { leader, standby } = await two();
  const worker = await stage.startWorker("w", [leader.url, standby.url], [leader.url]);
  await until(() => worker.attachedTo === standby.url);
  const startedAt = performance.now();
  await standby.api.close();
  expect(performance.now() - startedAt).toBeLessThan(limits.closeWaitMsMax);
});
