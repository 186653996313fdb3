/** The plan of a run: repeatable, endless, and of all sorts of faults. */
import { describe, expect, test } from "vitest";
import { type Fault, masterNames, planCapacity, planFaults, planTasks } from "./plan.ts";

function firstFaults(seed: number, count: number, masters: readonly string[] = masterNames(1)): Fault[] {
  return planFaults({ seed, everyMs: 500, masters, workers: 3, workersMax: 6 }).take(count).toArray();
}

describe("tasks", () => {
  test("a seed gives the same tasks, another seed others", () => {
    expect(planTasks(1, 50, 2000)).toEqual(planTasks(1, 50, 2000));
    expect(planTasks(1, 50, 2000)).not.toEqual(planTasks(2, 50, 2000));
  });

  test("sleep times keep within the bound", () => {
    const tasks = planTasks(7, 1000, 200);
    expect(Math.min(...tasks.map((task) => task.sleepMs))).toBeGreaterThanOrEqual(1);
    expect(Math.max(...tasks.map((task) => task.sleepMs))).toBeLessThanOrEqual(200);
    expect(new Set(tasks.map((task) => task.id)).size).toBe(1000);
  });

  test("some sleep for nearly as long as any may", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const long = planTasks(seed, 100, 2000).filter((task) => task.sleepMs >= 1900);
      expect(long.length).toBeGreaterThan(5);
    }
  });

  test("the capacity follows the work, and is never zero", () => {
    expect(planCapacity(planTasks(1, 100, 2000), 3, 10_000)).toBeGreaterThanOrEqual(3);
    expect(planCapacity(planTasks(1, 1, 10), 3, 10_000)).toBe(1);
  });
});

describe("faults", () => {
  test("a seed gives the same schedule of faults, another seed another", () => {
    expect(firstFaults(1, 200)).toEqual(firstFaults(1, 200));
    expect(firstFaults(1, 200)).not.toEqual(firstFaults(2, 200));
  });

  test("one fault falls in every interval", () => {
    expect(firstFaults(3, 20).map((fault) => fault.atMs)).toEqual(
      Array.from({ length: 20 }, (_, index) => (index + 1) * 500),
    );
  });

  test("what is killed was up, what is started was down, and one worker is always left", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const up = new Set(["master", "worker-1", "worker-2", "worker-3"]);
      const known = new Set(up);
      for (const fault of firstFaults(seed, 400)) {
        if (fault.kind === "add") expect(known.has(fault.process)).toBe(false);
        else expect(up.has(fault.process)).toBe(fault.kind !== "start");
        known.add(fault.process);
        if (fault.kind === "kill") up.delete(fault.process);
        else up.add(fault.process);
        expect([...up].some((process) => process.startsWith("worker-"))).toBe(true);
      }
      expect(known.size).toBeLessThanOrEqual(7);
    }
  });

  test("the master is never down for long", () => {
    for (let seed = 1; seed <= 50; seed++) {
      let downAtMs: number | null = null;
      for (const fault of firstFaults(seed, 400)) {
        if (fault.process === "master" && fault.kind !== "bounce") downAtMs = fault.kind === "kill" ? fault.atMs : null;
        if (downAtMs !== null) expect(fault.atMs - downAtMs).toBeLessThanOrEqual(2000);
      }
    }
  });

  test("every seed brings every sort of fault, to the master too", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const faults = firstFaults(seed, 120);
      for (const kind of ["kill", "start", "bounce", "add"])
        expect(faults.some((fault) => fault.kind === kind)).toBe(true);
      expect(faults.filter((fault) => fault.process === "master" && fault.kind === "kill").length).toBeGreaterThan(2);
    }
  });

  test("of several masters each is hit, each comes back, and now and then all are down at once", () => {
    const masters = masterNames(3);
    expect(masters).toEqual(["master-1", "master-2", "master-3"]);
    let wereAllDown = false;
    for (let seed = 1; seed <= 50; seed++) {
      const up = new Set(masters);
      const killed = new Map<string, number>();
      for (const fault of firstFaults(seed, 400, masters)) {
        if (!masters.includes(fault.process)) continue;
        expect(up.has(fault.process)).toBe(fault.kind !== "start");
        if (fault.kind === "kill") {
          up.delete(fault.process);
          killed.set(fault.process, (killed.get(fault.process) ?? 0) + 1);
        } else up.add(fault.process);
        wereAllDown ||= up.size === 0;
      }
      expect([...killed.keys()].sort()).toEqual(masters);
    }
    expect(wereAllDown).toBe(true);
  });
});
