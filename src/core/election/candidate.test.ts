/** When a master tries to lead, and when it leaves the leader alone. */
import { describe, expect, test } from "vitest";
import type { Nonce } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { lease, other, own, start } from "../../proof/fakes/candidateStage.ts";
import type { CandidateEffect } from "./candidate.ts";

describe("a standby", () => {
  test("takes over at once where nobody has led", () => {
    expect(start().tell(0, { kind: "lease", lease: null })).toEqual(["take-over"]);
  });

  test("takes over at once from a leader that has resigned", () => {
    expect(start().tell(0, { kind: "lease", lease: lease(1, { isResigned: true }) })).toEqual(["take-over"]);
  });

  test("takes over at once from an earlier process that listened where it listens now", () => {
    const { tell } = start("place.2");
    expect(tell(0, { kind: "lease", lease: lease(1, { nonce: "place.1" as Nonce }) })).toEqual(["take-over"]);
  });

  test.each(["other", "elsewhere.1"])("leaves a living leader that advertises the same address (nonce %s)", (nonce) => {
    const { candidate, tell } = start("place.2");
    for (let now = 0, beat = 0; now < 60_000; now += defaults.leaseRenewMs, beat += 1) {
      const effects = tell(now, { kind: "lease", lease: lease(beat, { address: own, nonce: nonce as Nonce }) });
      expect(effects).toEqual([]);
    }
    expect(candidate.role).toBe("standby");
  });

  test("leaves alone a lease that changes, however long", () => {
    const { candidate, tell } = start();
    for (let now = 0, beat = 0; now < 60_000; now += defaults.leaseRenewMs, beat += 1) {
      tell(now, { kind: "lease", lease: lease(beat) });
    }
    expect(candidate.role).toBe("standby");
  });

  test("takes over when the lease has stood still for its whole time, and not before", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(defaults.leaseTtlMs - 1, { kind: "lease", lease: lease(1) });
    expect(candidate.role).toBe("standby");
    expect(tell(defaults.leaseTtlMs + defaults.standbyJitterMs, { kind: "lease", lease: lease(1) })).toEqual([
      "take-over",
    ]);
  });

  test("gives a lease the time that its holder needs", () => {
    const { candidate, tell } = start();
    const ttlMs = defaults.leaseTtlMs * 3;
    tell(0, { kind: "lease", lease: lease(1, { ttlMs }) });
    tell(ttlMs - 1, { kind: "lease", lease: lease(1, { ttlMs }) });
    expect(candidate.role).toBe("standby");
    expect(tell(ttlMs + defaults.standbyJitterMs, { kind: "lease", lease: lease(1, { ttlMs }) })).toEqual([
      "take-over",
    ]);
  });

  test("does not count the time in which it could not look", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(60_000, { kind: "clock-gap", forMs: 60_000 });
    tell(60_000, { kind: "lease", lease: lease(1) });
    expect(candidate.role).toBe("standby");
  });

  test("takes over when the leader's address has refused twice", () => {
    const { tell } = start();
    expect(tell(0, { kind: "lease", lease: lease(1) })).toEqual(["watch-peer"]);
    expect(tell(5, { kind: "peer-closed", address: other })).toEqual(["probe-peer"]);
    expect(tell(6, { kind: "peer-probed", address: other, result: "refused" })).toEqual([]);
    expect(tell(6 + defaults.refusalGapMs, { kind: "tick" })).toContain("probe-peer");
    expect(tell(60, { kind: "peer-probed", address: other, result: "refused" })).toEqual(["take-over"]);
  });

  test("is not misled by a dying process that loses its connections before it stops to listen", () => {
    const { tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(5, { kind: "peer-closed", address: other });
    expect(tell(6, { kind: "peer-probed", address: other, result: "connected" })).toEqual([]);
    expect(tell(56, { kind: "tick" })).toContain("probe-peer");
    expect(tell(57, { kind: "peer-probed", address: other, result: "refused" })).toEqual([]);
    expect(tell(107, { kind: "tick" })).toContain("probe-peer");
    expect(tell(108, { kind: "peer-probed", address: other, result: "refused" })).toEqual(["take-over"]);
  });

  test("leaves it to the lease when the leader's address goes on answering", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(5, { kind: "peer-closed", address: other });
    for (let probes = 1, now = 6; probes <= defaults.probesMax; probes += 1, now += defaults.refusalGapMs) {
      expect(tell(now, { kind: "peer-probed", address: other, result: "connected" })).toEqual([]);
      const isLast = probes === defaults.probesMax;
      expect(tell(now + defaults.refusalGapMs, { kind: "tick" }).includes("probe-peer")).toBe(!isLast);
    }
    expect(candidate.role).toBe("standby");
    expect(tell(300, { kind: "lease", lease: lease(2) })).toEqual(["watch-peer"]);
  });

  test("watches again although the lease stands still: the leader may have died while nobody watched", () => {
    const { tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(5, { kind: "peer-closed", address: other });
    for (let probes = 1; probes <= defaults.probesMax; probes += 1)
      tell(5 + probes, { kind: "peer-probed", address: other, result: "connected" });
    expect(tell(200, { kind: "lease", lease: lease(1) })).toEqual(["watch-peer"]);
    expect(tell(201, { kind: "peer-closed", address: other })).toEqual(["probe-peer"]);
    tell(202, { kind: "peer-probed", address: other, result: "refused" });
    expect(tell(252, { kind: "peer-probed", address: other, result: "refused" })).toEqual(["take-over"]);
  });

  test("leaves it to the lease when nothing is known of the leader's address", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(5, { kind: "peer-closed", address: other });
    expect(tell(6, { kind: "peer-probed", address: other, result: "unknown" })).toEqual([]);
    expect(candidate.role).toBe("standby");
    expect(tell(7, { kind: "lease", lease: lease(2) })).toEqual(["watch-peer"]);
  });

  test("gives a leader whose connection has closed two renewals of its lease, where nothing answers at its address", () => {
    const { candidate, tell } = start();
    const lostMs = defaults.leaseTtlMs * defaults.leaseShareClosed;
    tell(0, { kind: "lease", lease: lease(1) });
    tell(5, { kind: "peer-closed", address: other });
    // This beat was written before the leader died.
    tell(100, { kind: "lease", lease: lease(2) });
    tell(100 + lostMs - 1, { kind: "lease", lease: lease(2) });
    expect(candidate.role).toBe("standby");
    const jitterMs = defaults.standbyJitterMs * defaults.leaseShareClosed;
    expect(tell(100 + lostMs + jitterMs, { kind: "lease", lease: lease(2) })).toEqual(["take-over"]);
  });

  test("takes no beat from the past for a sign of life", () => {
    const { candidate, tell } = start();
    const stepMs = defaults.leaseRenewMs / 2;
    // Every other read is answered with the lease before.
    const look = (now: number): CandidateEffect["kind"][] =>
      tell(now, { kind: "lease", lease: lease((now / stepMs) % 2 === 0 ? 7 : 6) });
    for (let now = 0; now < defaults.leaseTtlMs; now += stepMs) look(now);
    expect(candidate.role).toBe("standby");
    expect(look(defaults.leaseTtlMs + 2 * stepMs)).toEqual(["take-over"]);
  });

  test("takes no beat from the past for a sign of life once the leader's connection has closed", () => {
    const { tell } = start();
    const stepMs = defaults.leaseRenewMs / 2;
    const lostMs = (defaults.leaseTtlMs + defaults.standbyJitterMs) * defaults.leaseShareClosed;
    tell(0, { kind: "lease", lease: lease(7) });
    tell(5, { kind: "peer-closed", address: other });
    tell(6, { kind: "peer-probed", address: other, result: "unknown" });
    const effects: CandidateEffect["kind"][] = [];
    for (let now = stepMs, beat = 6; now < lostMs + stepMs; now += stepMs, beat = 13 - beat) {
      effects.push(...tell(now, { kind: "lease", lease: lease(beat) }));
      tell(now + 1, { kind: "peer-closed", address: other });
    }
    expect(effects).toContain("take-over");
  });

  test("gives its whole lease to a leader that has renewed it since its connection closed, and to one that takes connections", () => {
    const lostMs = (defaults.leaseTtlMs + defaults.standbyJitterMs) * defaults.leaseShareClosed;
    const renewed = start();
    renewed.tell(0, { kind: "lease", lease: lease(1) });
    renewed.tell(5, { kind: "peer-closed", address: other });
    renewed.tell(100, { kind: "lease", lease: lease(2) });
    renewed.tell(500, { kind: "lease", lease: lease(3) });
    renewed.tell(500 + lostMs, { kind: "lease", lease: lease(3) });
    expect(renewed.candidate.role).toBe("standby");

    const listening = start();
    listening.tell(0, { kind: "lease", lease: lease(1) });
    listening.tell(5, { kind: "peer-closed", address: other });
    for (let probes = 1; probes <= defaults.probesMax; probes += 1)
      listening.tell(5 + probes, { kind: "peer-probed", address: other, result: "connected" });
    listening.tell(lostMs, { kind: "lease", lease: lease(1) });
    expect(listening.candidate.role).toBe("standby");
  });

  test("does not hold a closed connection to one leader against the next", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(5, { kind: "peer-closed", address: other });
    tell(10, { kind: "led", epoch: 4, address: "http://third:1" });
    tell(defaults.leaseTtlMs - 1, { kind: "lease", lease: lease(1) });
    expect(candidate.role).toBe("standby");
  });

  test("watches whoever has just won, and hears nothing of the lease of the one before", () => {
    const { candidate, tell } = start();
    const third = "http://third:1";
    tell(0, { kind: "lease", lease: lease(1) });
    expect(tell(10, { kind: "led", epoch: 4, address: third })).toEqual(["watch-peer"]);
    expect(tell(11, { kind: "peer-closed", address: other })).toEqual([]);
    expect(tell(12, { kind: "lease", lease: lease(1, { isResigned: true }) })).toEqual([]);
    expect(tell(13, { kind: "peer-closed", address: third })).toEqual(["probe-peer"]);
    expect(candidate.role).toBe("standby");
  });

  test("does not hold the death of the one before against whoever has won", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "lease", lease: lease(1) });
    tell(5, { kind: "peer-closed", address: other });
    tell(6, { kind: "peer-probed", address: other, result: "refused" });
    tell(7, { kind: "led", epoch: 4, address: null });
    expect(tell(40, { kind: "tick" })).not.toContain("probe-peer");
    expect(tell(41, { kind: "peer-probed", address: other, result: "refused" })).toEqual([]);
    expect(candidate.role).toBe("standby");
  });

  test("wants to end the newest term that it knows of, although its leader never wrote a lease", () => {
    const { candidate } = start();
    const effects: CandidateEffect[] = [];
    candidate.step(0, { kind: "lease", lease: lease(1) }, effects);
    candidate.step(10, { kind: "led", epoch: 4, address: null }, effects);
    candidate.step(10 + defaults.leaseTtlMs - 1, { kind: "lease", lease: lease(1) }, effects);
    expect(candidate.role).toBe("standby");
    const dueAt = 10 + defaults.leaseTtlMs + defaults.standbyJitterMs;
    candidate.step(dueAt, { kind: "lease", lease: lease(1) }, effects);
    expect(effects.at(-1)).toEqual({ kind: "take-over", reason: "the lease has run out", epoch: 4 });
  });

  test("tries again for the newer term when its own try came too late", () => {
    const { candidate } = start();
    const effects: CandidateEffect[] = [];
    candidate.step(0, { kind: "lease", lease: lease(1, { isResigned: true }) }, effects);
    expect(effects.at(-1)).toMatchObject({ kind: "take-over", epoch: 3 });
    candidate.step(5, { kind: "led", epoch: 4, address: other }, effects);
    candidate.step(6, { kind: "deposed" }, effects);
    candidate.step(7, { kind: "lease", lease: lease(1, { epoch: 4, isResigned: true }) }, effects);
    expect(effects.at(-1)).toMatchObject({ kind: "take-over", epoch: 4 });
  });
});

test("a probe that comes back late does not leave one planned that is never made", () => {
  const { candidate, tell } = start();
  tell(0, { kind: "lease", lease: lease(1) });
  tell(1, { kind: "peer-closed", address: other });
  tell(2, { kind: "peer-probed", address: other, result: "connected" });
  // Of a watch before this one.
  tell(3, { kind: "peer-probed", address: other, result: "unknown" });
  tell(100, { kind: "tick" });
  tell(defaults.leaseRenewMs, { kind: "tick" });
  expect(candidate.nextWakeAt()).toBeGreaterThan(defaults.leaseRenewMs);
});

describe("a leader", () => {
  test("renews its lease with a growing count", () => {
    const { candidate } = start();
    const effects: CandidateEffect[] = [];
    candidate.step(0, { kind: "elected", epoch: 4 }, effects);
    candidate.step(candidate.nextWakeAt() ?? Number.NaN, { kind: "tick" }, effects);
    const leases = effects.map((effect) => effect.kind === "write-lease" && effect.lease);
    expect(leases).toEqual(
      [1, 2].map((beat) => ({
        epoch: 4,
        nonce: "own",
        beat,
        address: own,
        isResigned: false,
        ttlMs: defaults.leaseTtlMs,
      })),
    );
  });

  test("asks for more time where commits are slow, but not for ever, and not where they are quick", () => {
    const { candidate } = start();
    const askedFor = (commitMs: number | null): number | undefined => {
      const effects: CandidateEffect[] = [];
      candidate.step(candidate.nextWakeAt() ?? 0, { kind: "commit-time", commitMs }, effects);
      candidate.step(candidate.nextWakeAt() ?? 0, { kind: "tick" }, effects);
      return effects.map((effect) => (effect.kind === "write-lease" ? effect.lease.ttlMs : undefined)).at(-1);
    };
    candidate.step(0, { kind: "elected", epoch: 4 }, []);
    expect(askedFor(null)).toBe(defaults.leaseTtlMs);
    expect(askedFor(1)).toBe(defaults.leaseTtlMs);
    expect(askedFor(450.5)).toBe(4505);
    expect(askedFor(60_000)).toBe(limits.leaseTtlMsMax);
    expect(askedFor(1)).toBe(defaults.leaseTtlMs);
  });

  test("leaves a resignation behind, and then wants nothing any more", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "elected", epoch: 4 });
    expect(tell(1, { kind: "resign" })).toEqual(["write-lease"]);
    expect(candidate.nextWakeAt()).toBeNull();
    expect(tell(2, { kind: "lease", lease: null })).toEqual([]);
  });

  test("is a standby again once it is deposed, and looks at the lease at once", () => {
    const { candidate, tell } = start();
    tell(0, { kind: "elected", epoch: 4 });
    tell(10, { kind: "deposed" });
    expect(candidate.role).toBe("standby");
    expect(tell(10, { kind: "tick" })).toEqual(["read-lease"]);
  });
});
