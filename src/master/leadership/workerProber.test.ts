/** What a standby finds out about workers on its own, before it leads. */
import { expect, test } from "vitest";
import { Scheduler } from "../../core/scheduler/scheduler.ts";
import { defaults } from "../../model/limits.ts";
import { workerRecord, workerWrite } from "../../proof/contracts/storeJournal.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { WorkerProber } from "./workerProber.ts";

function standby(result: "refused" | "connected" | "unknown") {
  const clock = new FakeClock();
  const scheduler = new Scheduler();
  const asked: string[] = [];
  const scout = new WorkerProber(async (host, port, boot) => {
    asked.push(`${boot} at ${host}:${port}`);
    return result;
  }, clock);
  const learn = (change: Parameters<typeof workerRecord>[1]): void =>
    scheduler.apply(workerWrite(workerRecord("w1", change)), clock.now());
  const look = async (): Promise<string[]> => {
    await clock.advance(defaults.workerProbeMs);
    scout.look(scheduler);
    await Promise.resolve();
    return asked.splice(0);
  };
  return { scheduler, scout, learn, look, probes: () => scheduler.activate(clock.now(), 1, 1) };
}

const probe = { host: "127.0.0.1", port: 7001 };

test("knocks until it is answered, and asks that worker first of all once it leads", async () => {
  const { learn, look, probes } = standby("connected");
  learn({ probe });
  expect(await look()).toEqual(["w1-boot at 127.0.0.1:7001"]);
  expect(await look()).toEqual([]);
  expect(probes()).toEqual([{ kind: "probe", worker: "w1", boot: "w1-boot", ...probe }]);
});

test.each(["refused", "unknown"] as const)("%s is no answer: it knocks again, and trusts nothing", async (result) => {
  const { learn, look, probes } = standby(result);
  learn({ probe });
  expect(await look()).toHaveLength(1);
  expect(await look()).toHaveLength(1);
  expect(probes()).toEqual([]);
});

test("a new boot, and a new address of the same one, are to be found anew", async () => {
  const { learn, look, probes } = standby("connected");
  learn({ probe });
  await look();
  learn({ probe: { ...probe, port: 7002 } });
  expect(await look()).toEqual(["w1-boot at 127.0.0.1:7002"]);
  learn({ probe: { ...probe, port: 7002 }, state: "connected", changedAt: 5 });
  expect(await look()).toEqual([]);
  learn({ probe });
  expect(probes()).toEqual([]);
});

test("workers without a port, and those that are given up, are left alone", async () => {
  const { learn, look } = standby("connected");
  learn({});
  expect(await look()).toEqual([]);
  learn({ probe, state: "lost" });
  expect(await look()).toEqual([]);
});

test("an answer that comes when this master leads already changes nothing behind its back", async () => {
  const { scheduler, scout, learn, look } = standby("connected");
  learn({ probe });
  scout.stop();
  await look();
  expect([...scheduler.unproven()]).toHaveLength(1);
});
