/** What a leader tells the masters that watch it, over time that a test turns by hand. */
import { expect, test } from "vitest";
import type { Nonce } from "../../model/ids.ts";
import type { LeaderBeat } from "../../model/lease.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { LeaderBeats } from "./leaderBeats.ts";

const everyMs = 50;
const lease = { epoch: 2, nonce: "own" as Nonce, beat: 1, address: "http://own:1", isResigned: false, ttlMs: 2000 };

function start() {
  const clock = new FakeClock();
  const beats = new LeaderBeats(clock, everyMs);
  const told: LeaderBeat[] = [];
  const stop = beats.listen((beat) => told.push(beat));
  beats.begin(2, 0);
  return { clock, beats, told, stop, seqs: () => told.map(({ seq }) => seq) };
}

test("tells of each lease and of the last commit before it, and of nothing before it has a lease", async () => {
  const { clock, beats, told } = start();
  beats.noteCommitted(7);
  await clock.advance(10 * everyMs);
  expect(told).toEqual([]);
  beats.noteLease(lease);
  beats.noteLease({ ...lease, beat: 2, isResigned: true });
  expect(told).toEqual([
    { epoch: 2, nonce: "own", beat: 1, isResigned: false, ttlMs: 2000, seq: 7 },
    { epoch: 2, nonce: "own", beat: 2, isResigned: true, ttlMs: 2000, seq: 7 },
  ]);
});

test("tells of commits soon, of many at once, and of the last one for certain", async () => {
  const { clock, beats, seqs } = start();
  beats.noteLease(lease);
  await clock.advance(everyMs);
  for (let seq = 1; seq <= 100; seq += 1) beats.noteCommitted(seq);
  expect(seqs()).toEqual([0, 1]);
  await clock.advance(everyMs);
  expect(seqs()).toEqual([0, 1, 100]);
  await clock.advance(10 * everyMs);
  expect(seqs()).toEqual([0, 1, 100]);
});

test("tells nothing once it was deposed, and nobody who has stopped listening", async () => {
  const { clock, beats, told, stop } = start();
  beats.noteLease(lease);
  beats.noteCommitted(1);
  beats.end();
  await clock.advance(10 * everyMs);
  expect(told).toHaveLength(1);
  beats.begin(3, 4);
  // A renewal of the term before, which the store has answered late.
  beats.noteLease(lease);
  beats.noteCommitted(5);
  await clock.advance(10 * everyMs);
  expect(told).toHaveLength(1);
  stop();
  beats.noteLease({ ...lease, epoch: 3 });
  expect(told).toHaveLength(1);
});
