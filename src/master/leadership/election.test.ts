/** What the shell of an election tells its candidate, over time that a test turns by hand. */
import { expect, test } from "vitest";
import { Candidate } from "../../core/election/candidate.ts";
import type { Nonce } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { SystemIds } from "../../node/ids.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { MemoryStore } from "../../stores/memory/store.ts";
import { Inbox } from "../journal/inbox.ts";
import { LoopStats } from "../journal/loopStats.ts";
import { ReadBarrier } from "../journal/readBarrier.ts";
import { MasterState } from "../masterState.ts";
import { Changes } from "../streams/changes.ts";
import { Streams } from "../streams/streams.ts";
import { Election } from "./election.ts";
import { LeaseGuard } from "./leaseGuard.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

test("a leader whose commits are slow asks for more time before it is given up, once it has seen enough of them", async () => {
  const clock = new FakeClock();
  const store = new MemoryStore({ ids: new SystemIds() });
  await store.open();
  const stats = new LoopStats();
  const state = new MasterState({
    name: "own",
    nonce: "own" as Nonce,
    address: "http://own:1",
    clock,
    changes: new Changes(store, silent),
  });
  const inbox = new Inbox(clock);
  const leaseGuard = new LeaseGuard({
    clock,
    doubtMs: defaults.leaderIdleMsMax,
    leaseTtlMs: defaults.leaseTtlMs,
    readBarrier: new ReadBarrier(inbox),
    inbox,
    streams: new Streams(clock),
  });
  const election = new Election({
    candidate: new Candidate("own" as Nonce, "http://own:1"),
    store,
    clock,
    log: silent,
    peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
    state,
    stats,
    leaseGuard,
  });
  election.tell({ kind: "elected", epoch: 1 });
  const ttlMs = async (): Promise<number | undefined> => {
    // What is learnt at one renewal is told with the next.
    await clock.advance(2 * defaults.leaseRenewMs);
    return (await store.readLease())?.ttlMs;
  };
  const commit = (count: number, tookMs: number): void => {
    for (let index = 0; index < count; index += 1) stats.noteCommit(clock.now(), tookMs);
  };
  commit(limits.slowCommitSamplesMin - 1, 300);
  expect(await ttlMs()).toBe(defaults.leaseTtlMs);
  commit(1, 300);
  expect(await ttlMs()).toBe(300 * defaults.leasePerCommit);
  expect(leaseGuard.ttlMs).toBe(300 * defaults.leasePerCommit);
  commit(limits.commitSamplesMax, 3);
  expect(await ttlMs()).toBe(defaults.leaseTtlMs);

  commit(limits.slowCommitSamplesMin, 400);
  expect(await ttlMs()).toBe(400 * defaults.leasePerCommit);
  await clock.advance(limits.slowCommitAgeMsMax);
  expect(await ttlMs()).toBe(defaults.leaseTtlMs);
  await election.resign();
});
