/** What the shell of an election tells its candidate, over time that a test turns by hand. */

import { expect, test } from "vitest";
import { Candidate } from "../../core/election/candidate.ts";
import type { Nonce } from "../../model/ids.ts";
import type { LeaderBeat, Lease } from "../../model/lease.ts";
import { defaults, limits } from "../../model/limits.ts";
import { SystemIds } from "../../node/ids.ts";
import type { PeerHandlers } from "../../ports/peers.ts";
import { StoreUnavailable } from "../../ports/store.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { MemoryStore } from "../../stores/memory/store.ts";
import { CollectionGaps } from "../journal/collectionGaps.ts";
import { Inbox } from "../journal/inbox.ts";
import { LoopStats } from "../journal/loopStats.ts";
import { ReadBarrier } from "../journal/readBarrier.ts";
import { MasterState } from "../masterState.ts";
import { Changes } from "../streams/changes.ts";
import { Streams } from "../streams/streams.ts";
import { Election } from "./election.ts";
import { LeaderBeats } from "./leaderBeats.ts";
import { LeaseGuard } from "./leaseGuard.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function stage(store = new MemoryStore({ ids: new SystemIds() }), nonce = "own") {
  const clock = new FakeClock();
  const stats = new LoopStats();
  const address = "http://own:1";
  const changes = new Changes(store, silent, new CollectionGaps());
  const state = new MasterState({ name: "own", nonce: nonce as Nonce, address, clock, changes });
  const inbox = new Inbox(clock);
  const { leaderIdleMsMax: doubtMs, leaseTtlMs } = defaults;
  const readBarrier = new ReadBarrier(inbox);
  const leaseGuard = new LeaseGuard({ clock, doubtMs, leaseTtlMs, readBarrier, inbox, streams: new Streams(clock) });
  const log = new FakeLog();
  const broken: Error[] = [];
  const candidate = new Candidate(state.nonce, address);
  const watched: PeerHandlers[] = [];
  const peers = {
    watch: (_address: string, handlers: PeerHandlers) => {
      watched.push(handlers);
      return { close: () => undefined };
    },
    probe: async () => "unknown" as const,
  };
  const beats = new LeaderBeats(clock, defaults.tailPollMs);
  const onBroken = (error: Error) => broken.push(error);
  const election = new Election({ candidate, store, clock, log, peers, state, stats, leaseGuard, beats, onBroken });
  return { election, candidate, store, clock, stats, leaseGuard, log, broken, watched, beats };
}

class FakeLog {
  readonly lines: string[] = [];
  debug(): void {}
  info(): void {}
  warn(message: string): void {
    this.lines.push(message);
  }
  error(message: string): void {
    this.lines.push(message);
  }
}

/** A store whose writes of the lease end when the test lets them. */
class SlowStore extends MemoryStore {
  readonly begun: Lease[] = [];
  readonly #ends: (() => void)[] = [];

  override async writeLease(lease: Lease): Promise<"written" | "superseded"> {
    this.begun.push(lease);
    await new Promise<void>((resolve) => this.#ends.push(resolve));
    return super.writeLease(lease);
  }

  /** Ends the write that began last, as a pooled connection may that was begun later. */
  endNewest(): boolean {
    const end = this.#ends.pop();
    end?.();
    return end !== undefined;
  }
}

test("a resignation is the last lease that reaches the store, however slowly renewals are written", async () => {
  const store = new SlowStore({ ids: new SystemIds() });
  await store.open();
  const { election, clock } = stage(store);
  election.tell({ kind: "elected", epoch: 1 });
  await clock.advance(10 * defaults.leaseRenewMs);
  const resigned = election.resign();
  let isDone = false;
  void resigned.then(() => {
    isDone = true;
  });
  while (!isDone) {
    store.endNewest();
    await clock.advance(0);
  }
  // Whatever else was on its way lands now.
  while (store.endNewest()) await clock.advance(0);
  expect(store.begun.at(-1)?.isResigned).toBe(true);
  expect(await store.readLease()).toMatchObject({ epoch: 1, isResigned: true });
});

test("a bug in the candidate ends the master and is not taken for a store that cannot be read", async () => {
  const { election, candidate, store, clock, broken, log } = stage();
  await store.open();
  const step = candidate.step.bind(candidate);
  candidate.step = (now, input, effects) => {
    if (input.kind === "lease") throw new Error("a bug");
    step(now, input, effects);
  };
  election.tell({ kind: "tick" });
  await clock.advance(defaults.leaseRenewMs);
  expect(broken.map(({ message }) => message)).toEqual(["a bug"]);
  expect(log.lines).toEqual([expect.stringContaining("the election failed")]);
});

test("a living leader with this master's own address is left alone and reported once", async () => {
  const { election, candidate, store, clock, log } = stage();
  await store.open();
  const lease = { epoch: 1, nonce: "other" as Nonce, address: "http://own:1", isResigned: false, ttlMs: 2000 };
  for (let beat = 1; beat <= 50; beat += 1) {
    await store.writeLease({ ...lease, beat });
    if (beat === 1) election.tell({ kind: "tick" });
    await clock.advance(defaults.leaseRenewMs);
  }
  expect(candidate.role).toBe("standby");
  expect(log.lines).toEqual([expect.stringContaining("advertises the address of this master")]);
  await election.resign();
});

test("a leader whose commits are slow asks for more time before it is given up, once it has seen enough of them", async () => {
  const { election, store, clock, stats, leaseGuard } = stage();
  await store.open();
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

/** A store that counts how often its lease is read and written. */
class CountingStore extends MemoryStore {
  reads = 0;
  writes = 0;

  override async readLease(): Promise<Lease | null> {
    this.reads += 1;
    return super.readLease();
  }

  override async writeLease(lease: Lease): Promise<"written" | "superseded"> {
    this.writes += 1;
    return super.writeLease(lease);
  }
}

const elsewhere = { epoch: 1, nonce: "other" as Nonce, address: "http://other:1", isResigned: false, ttlMs: 2000 };

test("a leader renews its lease with one request, and tells those who watch it once the store has it", async () => {
  const store = new CountingStore({ ids: new SystemIds() });
  await store.open();
  const { election, clock, beats } = stage(store);
  const told: LeaderBeat[] = [];
  beats.listen((beat) => told.push(beat));
  beats.begin(2, 0);
  election.tell({ kind: "elected", epoch: 2 });
  await clock.advance(5 * defaults.leaseRenewMs);
  expect({ reads: store.reads, writes: store.writes }).toEqual({ reads: 0, writes: 6 });
  expect(told.map(({ epoch, beat }) => [epoch, beat])).toEqual([1, 2, 3, 4, 5, 6].map((beat) => [2, beat]));
  // Another master has won meanwhile.
  await store.writeLease({ ...elsewhere, epoch: 3, beat: 1 });
  await clock.advance(defaults.leaseRenewMs);
  expect(told).toHaveLength(6);
  await election.resign();
});

/** A store out of reach for its leader, which may have taken what it was sent: nobody can know. */
class CutOffStore extends MemoryStore {
  isCutOff = false;

  override async writeLease(lease: Lease): Promise<"written" | "superseded"> {
    const end = await super.writeLease(lease);
    if (this.isCutOff) throw new StoreUnavailable("timeout", "The store does not answer.");
    return end;
  }
}

test("a leader that cannot reach its store tells of no lease, also not when it resigns", async () => {
  const store = new CutOffStore({ ids: new SystemIds() });
  await store.open();
  const { election, clock, beats } = stage(store);
  const told: number[] = [];
  beats.listen(({ beat }) => told.push(beat));
  beats.begin(2, 0);
  election.tell({ kind: "elected", epoch: 2 });
  await clock.advance(2 * defaults.leaseRenewMs);
  expect(told).toEqual([1, 2, 3]);
  store.isCutOff = true;
  await clock.advance(10 * defaults.leaseRenewMs);
  expect(told).toEqual([1, 2, 3]);
  store.isCutOff = false;
  await clock.advance(defaults.leaseRenewMs);
  expect(told).toEqual([1, 2, 3, 14]);
  store.isCutOff = true;
  await election.resign();
  expect(told).toHaveLength(4);
});

test("a standby does not read a lease whose leader tells of it, and reads it again once that leader is silent", async () => {
  const store = new CountingStore({ ids: new SystemIds() });
  await store.open();
  await store.writeLease({ ...elsewhere, beat: 1 });
  const { election, candidate, clock, watched } = stage(store);
  election.tell({ kind: "tick" });
  await clock.advance(0);
  const { reads } = store;
  for (let beat = 2; beat <= 50; beat += 1) {
    watched[0]?.onBeat({ epoch: 1, nonce: elsewhere.nonce, beat, ttlMs: 2000, isResigned: false, seq: 7 });
    await clock.advance(defaults.leaseRenewMs);
  }
  expect(store.reads).toBe(reads);
  await store.writeLease({ ...elsewhere, beat: 50 });
  await clock.advance(defaults.leaseTtlMs - defaults.leaseRenewMs - 1);
  expect(store.reads).toBeGreaterThan(reads);
  expect(candidate.role).toBe("standby");
  await clock.advance(defaults.standbyJitterMs + defaults.leaseRenewMs / 2 + 1);
  expect(candidate.role).toBe("electing");
  await election.resign();
});
