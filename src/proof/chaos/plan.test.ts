/** Faults depend on their seed only, leave a process to work, and follow their weights. */
import { describe, expect, test } from "vitest";
import { defaults } from "../../model/limits.ts";
import { defaultWeights, type Fault, faultKinds, faultText, parseWeights } from "./faults.ts";
import { type FaultPlan, planFaults } from "./plan.ts";

const minute = 60_000;

function storm(changes: Partial<FaultPlan> = {}): Fault[] {
  const weights = defaultWeights;
  return planFaults({ seed: 7, durationMs: 10 * minute, masters: 3, workers: 5, clients: 2, weights, ...changes });
}

describe("the faults of a run", () => {
  test("is the same again for the same seed, and another for another", () => {
    expect(storm()).toEqual(storm());
    expect(storm({ seed: 8 })).not.toEqual(storm());
  });

  test("brings every kind of fault in ten minutes, in order, with its number", () => {
    const faults = storm();
    expect(new Set(faults.map((fault) => fault.kind))).toEqual(new Set(faultKinds));
    expect(faults.map((fault) => fault.number)).toEqual(faults.map((_, index) => index + 1));
    expect(faults.map((fault) => fault.atMs)).toEqual(faults.map((fault) => fault.atMs).toSorted((a, b) => a - b));
    expect(faults.length).toBeGreaterThan(300);
  });

  test("has troubles of every length up to a minute, and shorter ones in a shorter run", () => {
    const lengths = storm({ durationMs: 60 * minute })
      .filter((fault) => fault.kind === "pause")
      .map((fault) => fault.forMs);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(100);
    expect(lengths.some((ms) => ms < 1000)).toBe(true);
    expect(lengths.some((ms) => ms > 30_000)).toBe(true);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(minute);
    for (const fault of storm({ durationMs: 20_000 })) expect(fault.forMs).toBeLessThanOrEqual(2_100);
  });

  test("never hurts all workers, nor all masters except at once", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const hurt = storm({ seed }).filter(({ kind }) => ["kill", "stop", "pause", "unplug"].includes(kind));
      for (const fault of hurt) {
        const others = hurt.filter((other) => other.atMs <= fault.atMs && other.atMs + other.forMs > fault.atMs);
        const names = new Set([...others, fault].map(({ at }) => at).filter((at) => at.startsWith("worker")));
        expect(names.size).toBeLessThan(5);
        expect(others.filter(({ at }) => !at.startsWith("worker")).length).toBeLessThan(3);
      }
    }
  });

  test("unplugs no master for so long that it would give up workers whom nothing ails", () => {
    const unplugged = storm({ durationMs: 60 * minute, weights: parseWeights("unplug") });
    const lengths = (isMaster: boolean) =>
      unplugged.filter(({ at }) => at.startsWith("worker") !== isMaster).map(({ forMs }) => forMs);
    expect(Math.max(...lengths(true))).toBeLessThan(defaults.lostGraceMs / 2);
    expect(Math.max(...lengths(false))).toBeGreaterThan(defaults.lostGraceMs);
  });

  test("hits a single master too", () => {
    const aims = storm({ masters: 1 }).map((fault) => fault.at);
    expect(aims).toContain("leader");
    expect(aims).not.toContain("standby");
  });

  test("keeps to the kinds that are asked for", () => {
    const kinds = storm({ weights: parseWeights("kill,slow=3") }).map((fault) => fault.kind);
    expect(new Set(kinds)).toEqual(new Set(["kill", "slow"]));
  });
});

describe("weights", () => {
  test("can be a list, or numbers", () => {
    expect(parseWeights("kill, pause")).toMatchObject({
      kill: defaultWeights.kill,
      pause: defaultWeights.pause,
      cut: 0,
    });
    expect(parseWeights("kill=1,pause=2.5")).toMatchObject({ kill: 1, pause: 2.5, disk: 0 });
  });

  test("say what is wrong with them", () => {
    expect(() => parseWeights("kil")).toThrow(/"kil" is no fault; there are kill, stop/);
    expect(() => parseWeights("kill=-1")).toThrow(/0 to 1000/);
    expect(() => parseWeights("kill=0")).toThrow(/At least one/);
  });
});

test("every fault can be told in words", () => {
  for (const fault of storm()) expect(faultText(fault, ["worker-1"])).not.toMatch(/undefined|NaN/);
  expect(faultText({ number: 1, atMs: 0, kind: "kill", at: "leader", to: null, forMs: 0, amount: null }, [])).toBe(
    "SIGKILL leader (nobody was there), and up again at once",
  );
});
