/** The simulator's own parts: chance hangs on the seed alone, time on the events alone, and the real world is shut out. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SimulatedClock, worldBeganAt } from "../../src/proof/simulation/clock.ts";
import { sealWorld } from "../../src/proof/simulation/forbidden.ts";
import { drawKnobs } from "../../src/proof/simulation/knobs.ts";
import { Process } from "../../src/proof/simulation/process.ts";
import { Random } from "../../src/proof/simulation/random.ts";
import { Timeline } from "../../src/proof/simulation/timeline.ts";

test("one seed gives one stream, and every name a stream of its own", () => {
  const draw = (seed: string): number[] =>
    Array.from(
      { length: 5 },
      (
        (random) => () =>
          random.next()
      )(new Random(seed)),
    );
  expect(draw("1")).toEqual(draw("1"));
  expect(draw("1")).not.toEqual(draw("2"));
  expect(new Random("1").fork("a").next()).not.toBe(new Random("1").fork("b").next());
  expect(drawKnobs(42)).toEqual(drawKnobs(42));
});

test("events run in the order of their time, then of their planning, each with its promises settled", async () => {
  const timeline = new Timeline();
  const seen: string[] = [];
  timeline.after(5, () => seen.push("late"));
  timeline.after(
    1,
    () =>
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => seen.push("promise")),
  );
  timeline.after(1, () => seen.push("second"));
  timeline.after(2, () => seen.push("cancelled")).cancel();
  await timeline.run(10, () => false);
  expect(seen).toEqual(["promise", "second", "late"]);
  expect(timeline.now).toBe(10);
});

test("a rejection that nobody handles is told before the next event, also of the same instant", async () => {
  const timeline = new Timeline();
  const seen: string[] = [];
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason) => seen.push(`told: ${String(reason)}`));
  try {
    timeline.after(1, () => void Promise.resolve().then(() => Promise.reject(new Error("broken"))));
    timeline.after(1, () => seen.push("second"));
    timeline.after(2, () => seen.push("third"));
    await timeline.run(10, () => false);
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const listener of others) process.on("unhandledRejection", listener);
  }
  expect(seen).toEqual(["told: Error: broken", "second", "third"]);
});

test("a paused process is told everything when it goes on, a dead one nothing", async () => {
  const timeline = new Timeline();
  const process = new Process("p", timeline);
  const seen: string[] = [];
  process.after(1, () => seen.push("before"));
  timeline.after(2, () => process.pause());
  process.after(3, () => seen.push("while paused"));
  timeline.after(9, () => process.resume());
  process.after(10, () => seen.push("after"));
  timeline.after(11, () => process.die());
  process.after(12, () => seen.push("never"));
  await timeline.run(20, () => false);
  expect(seen).toEqual(["before", "while paused", "after"]);
});

test("a clock tells of a pause before it tells the time after it", async () => {
  const timeline = new Timeline();
  const process = new Process("p", timeline);
  const clock = new SimulatedClock(timeline, process, { offsetMs: 100, drift: 0 }, new Random("clock"), 1000);
  const seen: string[] = [];
  clock.onJump((byMs) => seen.push(byMs >= 5000 ? "jump" : "too short"));
  clock.at(worldBeganAt + 100 + 2000, () => seen.push(`timer at ${clock.now() - worldBeganAt}`));
  timeline.after(1000, () => process.pause());
  timeline.after(6000, () => process.resume());
  await timeline.run(10_000, () => false);
  expect(seen).toEqual(["jump", "timer at 6100"]);
});

test("a clock that is read from outside while its process is paused wakes nothing inside", async () => {
  const timeline = new Timeline();
  const process = new Process("p", timeline);
  const clock = new SimulatedClock(timeline, process, { offsetMs: 0, drift: 0 }, new Random("clock"), 1000);
  const seen: string[] = [];
  clock.onJump(() => seen.push(process.isPaused ? "jump in the pause" : "jump"));
  timeline.after(1000, () => clock.now());
  timeline.after(1001, () => process.pause());
  timeline.after(5000, () => seen.push(`${clock.now() - worldBeganAt} and ${clock.lagMs()}`));
  timeline.after(6000, () => process.resume());
  await timeline.run(10_000, () => false);
  expect(seen).toEqual(["1000 and 0", "jump"]);
});

test("real time, chance and files are out of reach while a simulation runs", () => {
  const attempts = {
    now: () => Date.now(),
    date: () => new Date(),
    chance: () => Math.random(),
    uuid: () => randomUUID(),
    webUuid: () => crypto.randomUUID(),
    immediate: () => setImmediate(() => {}),
    performance: () => performance.now(),
    file: () => readFileSync(import.meta.filename),
  };
  const reached: string[] = [];
  // Nothing but the attempts may run in between: the test runner itself lives in the real world.
  const unseal = sealWorld();
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      attempt();
      reached.push(name);
    } catch {
      // Shut out, as it should be.
    }
  }
  unseal();
  expect(reached).toEqual([]);
  expect(Date.now()).toBeGreaterThan(0);
  expect(readFileSync(import.meta.filename, "utf8")).toContain("shut out");
});
