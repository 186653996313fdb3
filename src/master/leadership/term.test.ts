/** The loop of a term: what it lets the scheduler know, and in which order, while the store is away. */
import { expect, test } from "vitest";
import type { SchedulerOutput } from "../../core/scheduler/effects.ts";
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import type { Scheduler } from "../../core/scheduler/scheduler.ts";
import type { Nonce, WorkerId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { Store } from "../../ports/store.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { turns } from "../../proof/fakes/scriptedLeader.ts";
import { Inbox } from "../journal/inbox.ts";
import { LoopStats } from "../journal/loopStats.ts";
import { ReadBarrier } from "../journal/readBarrier.ts";
import type { MasterState } from "../masterState.ts";
import { Term } from "./term.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function beat(worker: string): SchedulerInput {
  return { kind: "beat", worker: worker as WorkerId, session: "s" } as SchedulerInput;
}

/** A term over a scheduler that writes down what it is told, and a store whose appends the test ends. */
function begin() {
  const clock = new FakeClock();
  const inbox = new Inbox(clock);
  const told: string[] = [];
  const appends: (() => void)[] = [];
  const scheduler = {
    countSteps: () => undefined,
    takeSteps: () => [],
    nextWakeAt: () => null,
    step(_now: number, input: SchedulerInput, out: SchedulerOutput) {
      told.push(input.kind === "beat" ? input.worker : input.kind);
      if (input.kind === "beat") out.writes.push({ kind: "forget-task", id: input.worker } as never);
    },
  } as unknown as Scheduler;
  const store = {
    migrate: async () => "migrated",
    append: () => new Promise((resolve) => appends.push(() => resolve("committed"))),
  } as unknown as Store;
  const term = new Term({
    ...{ epoch: 1, scheduler, position: { seq: 1, epoch: 1, crc: 0 }, store, clock, log, inbox },
    ...{ stats: new LoopStats(), readBarrier: new ReadBarrier(inbox), unconfirmedMsMax: 1_000, aheadRecordsMin: 1 },
    state: { nonce: "n" as Nonce, trouble: null } as unknown as MasterState,
    isWanted: () => true,
    ...{ onCommitted: () => undefined, onSteps: () => undefined, release: () => undefined },
    ...{ onTrouble: () => undefined, onAnswered: () => undefined },
  });
  const ended = term.run();
  const stop = () => {
    term.stop();
    appends.at(-1)?.();
    return ended;
  };
  return { clock, inbox, told, appends, stop };
}

test("the next batch is decided while the last one is committed", async () => {
  const { inbox, told, appends, stop } = begin();
  await turns();
  inbox.push(beat("a"));
  await turns();
  inbox.push(beat("b"));
  await turns();
  expect(told).toEqual(["a", "tick", "b", "tick"]);
  appends[0]?.();
  await turns();
  await stop();
});

test("after the store was away for long, the scheduler hears of the gap before anything else", async () => {
  const { clock, inbox, told, appends, stop } = begin();
  await turns();
  inbox.push(beat("a"));
  await turns();
  await clock.jump(clock.now() + 2 * defaults.clockGapCommitMs);
  inbox.push(beat("b"));
  await turns();
  expect(told).toEqual(["a", "tick"]);
  appends[0]?.();
  await turns();
  expect(told).toEqual(["a", "tick", "clock-gap", "b", "tick"]);
  await stop();
});
