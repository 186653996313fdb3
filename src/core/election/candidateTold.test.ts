/** What a standby does whose leader tells of its lease, and when it takes over from one that is silent. */
import { describe, expect, test } from "vitest";
import type { Nonce } from "../../model/ids.ts";
import type { LeaderBeat } from "../../model/lease.ts";
import { defaults } from "../../model/limits.ts";
import { lease, other, start } from "../../proof/fakes/candidateStage.ts";
import type { CandidateInput } from "./candidate.ts";

describe("a standby whose leader tells of its lease", () => {
  const told = (beat: number, fields: Partial<LeaderBeat> = {}): CandidateInput => ({
    kind: "leader-beat",
    address: other,
    beat: { epoch: 3, nonce: "other" as Nonce, beat, isResigned: false, ttlMs: defaults.leaseTtlMs, seq: 1, ...fields },
  });
  const silenceMs = defaults.renewalsMissedMax * defaults.leaseRenewMs;

  test("asks the store only once its leader is silent, and then as often as before", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    for (let now = 0, beat = 2; now < 60_000; now += defaults.leaseRenewMs, beat += 1) {
      expect(tell(now, told(beat))).toEqual([]);
      expect(candidate.nextWakeAt()).toBe(now + silenceMs);
    }
    const silentAt = candidate.nextWakeAt() ?? 0;
    expect(tell(silentAt, { kind: "tick" })).toEqual(["read-lease"]);
    expect(candidate.nextWakeAt()).toBe(silentAt + defaults.leaseRenewMs / 2);
  });

  test("takes over no later than one that asks the store", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(100, told(2));
    tell(100 + defaults.leaseTtlMs - 1, { kind: "lease", lease: lease(2) });
    expect(candidate.role).toBe("standby");
    const dueAt = 100 + defaults.leaseTtlMs + defaults.standbyJitterMs;
    expect(tell(dueAt, { kind: "lease", lease: lease(2) })).toEqual(["take-over"]);
  });

  test.each([
    ["was told of the last renewal", 10, 10],
    ["was not told of the last renewal", 9, 10],
    ["was told only long ago", 2, 10],
  ])("takes over in time from a leader that stands still, if it %s", (_case, lastTold, lastWritten) => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    const writtenAt = (beat: number) => (beat - 1) * defaults.leaseRenewMs;
    const stoppedAt = writtenAt(lastWritten);
    let beat = 1;
    for (let now = 1; ; now += 1) {
      if (beat < lastTold && now >= writtenAt(beat + 1)) tell(now, told((beat += 1)));
      if (now < (candidate.nextWakeAt() ?? Infinity)) continue;
      if (!tell(now, { kind: "tick" }).includes("read-lease")) continue;
      const stored = Math.min(lastWritten, 1 + Math.floor(now / defaults.leaseRenewMs));
      if (!tell(now, { kind: "lease", lease: lease(stored) }).includes("take-over")) continue;
      expect(now - stoppedAt).toBeGreaterThanOrEqual(defaults.leaseTtlMs);
      const { leaseTtlMs, standbyJitterMs, leaseRenewMs } = defaults;
      expect(now - stoppedAt).toBeLessThanOrEqual(leaseTtlMs + standbyJitterMs + silenceMs + leaseRenewMs / 2);
      return;
    }
  });

  test("takes over at once when it is told of a resignation", () => {
    const { tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    expect(tell(5, told(1, { isResigned: true }))).toEqual(["take-over"]);
  });

  test("asks the store soon once the connection has closed", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(10, told(2));
    tell(20, { kind: "peer-closed", address: other });
    tell(21, { kind: "peer-probed", address: other, result: "unknown" });
    expect(candidate.nextWakeAt()).toBe(20 + defaults.leaseRenewMs / 2);
  });

  test.each([
    ["a leader whose lease the store has not shown", told(9, { epoch: 4 })],
    ["a leader of the past", told(9, { epoch: 2 })],
    ["the same beat again", told(1)],
    ["another process at the leader's address", told(9, { nonce: "third" as Nonce })],
    ["somebody who is not watched", { ...told(9), address: "http://third:1" } as CandidateInput],
  ])("is not held back by %s", (_who, input) => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    const before = candidate.nextWakeAt();
    tell(defaults.leaseTtlMs - 1, input);
    expect(candidate.nextWakeAt()).toBe(before);
    expect(tell(defaults.leaseTtlMs + defaults.standbyJitterMs, { kind: "lease", lease: lease(1) })).toEqual([
      "take-over",
    ]);
  });
});
