/** Schedules over a whole master, its store and the real calendar, under a clock that the test turns. */
import { afterEach, describe, expect, test } from "vitest";
import type { TaskId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import { limits } from "../model/limits.ts";
import { day, hour, minute, second } from "../model/units.ts";
import { SystemCalendar } from "../node/calendar.ts";
import { SystemIds } from "../node/ids.ts";
import { FakeClock } from "../proof/fakes/fakeClock.ts";
import { MemoryStore } from "../stores/memory/store.ts";
import { Master } from "./master.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const ended: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ended.splice(0)) await end();
});

class World {
  readonly clock = new FakeClock();
  readonly store = new MemoryStore({ ids: new SystemIds() });
  readonly master = new Master({
    ...{ name: "m1", address: "http://m1:1", store: this.store, clock: this.clock, ids: new SystemIds(), log: silent },
    probe: async () => "unknown",
    peers: { watch: () => ({ close: () => undefined }), probe: async () => "unknown" },
    settings: { calendar: new SystemCalendar() },
  });

  get schedules() {
    return this.master.service.schedules;
  }

  async start(at: string): Promise<this> {
    await this.clock.jump(Date.parse(at));
    ended.push(() => this.settle(this.master.stop()));
    await this.settle(this.master.start());
    await this.until(() => this.master.service.status().role === "leader");
    return this;
  }

  /** Turns the clock a little until something has come to be. */
  async until(isDone: () => boolean | Promise<boolean>): Promise<void> {
    for (let count = 0; !(await isDone()); count += 1) {
      if (count > 2000) throw new Error("It never came to be.");
      await this.clock.advance(5);
    }
  }

  /** Turns the clock until a promise has settled. */
  async settle<Value>(promise: Promise<Value>): Promise<Value> {
    let isSettled = false;
    void promise.then(
      () => (isSettled = true),
      () => (isSettled = true),
    );
    await this.until(() => isSettled);
    return promise;
  }

  /** It is `at`, a moment later: what is due by then has happened. */
  async go(at: number): Promise<void> {
    await this.clock.jump(at);
    await this.until(() => this.master.service.status().role === "leader");
    await this.clock.advance(200);
  }

  async tasks(): Promise<TaskId[]> {
    const { tasks } = await this.store.listTasks({ order: "oldest", limit: limits.pageMax, cursor: null });
    return tasks.map(({ id }) => id);
  }
}

const nap = { kind: "sleep", input: { seconds: 1 } };

describe("what a preview shows is what happens", () => {
  const changes = [
    { name: "forward", from: "2026-03-26T12:00:00Z", flagged: "2026-03-29 03:00:00 +02:00", clocks: "go forward" },
    { name: "back", from: "2026-10-22T12:00:00Z", flagged: "2026-10-25 02:00:00 +02:00", clocks: "go back" },
  ];
  for (const { name, from, flagged, clocks } of changes) {
    test(`for 02:00 in Berlin, when the clocks go ${name}`, async () => {
      const world = await new World().start(from);
      const schedule = { when: { cron: "0 2 * * *", timeZone: "Europe/Berlin" }, task: nap };
      const { ticks } = await world.schedules.preview(schedule, { count: 6 });
      expect(ticks.map(({ local }) => local.slice(0, 10))).toEqual([
        ...new Set(ticks.map(({ local }) => local.slice(0, 10))),
      ]);
      expect(ticks.filter((tick) => tick.clocks !== undefined).map(({ local, clocks: says }) => [local, says])).toEqual(
        [[flagged, clocks]],
      );
      await world.settle(world.schedules.put("nightly", schedule));
      const made: string[] = [];
      for (const [index, { at, utc }] of ticks.entries()) {
        await world.go(at - second);
        expect(await world.tasks()).toEqual(made);
        await world.go(at);
        made.push(`nightly@${utc}`);
        expect(await world.tasks(), `tick ${index}`).toEqual(made);
        // The same local time comes again an hour later, when the clocks go back.
        await world.go(at + hour + minute);
        expect(await world.tasks()).toEqual(made);
      }
    });
  }
});

test("a line for a shell is stored as earlier versions write it", async () => {
  const world = await new World().start("2026-01-01T00:00:30Z");
  const task = (command: string | string[]) => ({ kind: "exec", input: { command, shell: true } });
  const content = (command: string | string[]) => ({ when: { cron: "* * * * *" }, task: task(command) });
  await world.settle(world.schedules.put("s", content("echo x")));
  expect(await world.store.readRecord("schedules", "s")).toMatchObject({
    content: content(["echo x"]),
    task: task(["echo x"]),
  });
  expect(await world.settle(world.schedules.put("s", content(["echo x"])))).toMatchObject({ isNew: false });
});

test("a preview warns when past tasks took longer than from tick to tick", async () => {
  const world = await new World().start("2026-01-01T00:00:30Z");
  const schedule = { when: { cron: "* * * * *" }, task: nap };
  await world.settle(world.schedules.put("s", schedule));
  for (let count = 1; count <= 2; count += 1) await world.go(Date.parse("2026-01-01T00:00:00Z") + count * minute);
  const [first, second_] = await world.tasks();
  await world.settle(world.master.service.cancel(second_!));
  await world.go(Date.parse("2026-01-01T00:05:30Z"));
  await world.settle(world.master.service.cancel(first!));
  const warningsOf = async (content: Json, name?: string) =>
    (await world.schedules.preview(content, { count: 3, ...(name !== undefined && { name }) })).warnings;
  expect(await warningsOf(schedule, "s")).toEqual([
    expect.stringMatching(/^1 of its last 2 tasks took longer than 1m.*\(up to 4m30s\)\. They will run beside/),
  ]);
  expect(await warningsOf({ ...schedule, overlap: "skip" }, "s")).toEqual([
    expect.stringContaining("Ticks in between will be skipped."),
  ]);
  expect(await warningsOf({ ...schedule, when: { cron: "0 * * * *" } }, "s")).toEqual([]);
  expect(await warningsOf(schedule, "other")).toEqual([]);
  expect(await warningsOf(schedule)).toEqual([]);
});

test("a backfill makes tasks of the past with the ids of their ticks, once", async () => {
  const world = await new World().start("2026-01-05T12:00:00Z");
  const schedule = { when: { cron: "0 2 * * *" }, task: nap };
  await world.settle(world.schedules.put("nightly", schedule));
  const span = { from: Date.parse("2026-01-01T00:00:00Z"), to: Date.parse("2026-01-03T23:00:00Z"), isDryRun: false };
  const wanted = [1, 2, 3].map((date) => `nightly@2026-01-0${date}T02:00:00Z`);
  const dry = await world.settle(world.schedules.backfill("nightly", { ...span, isDryRun: true }));
  expect({ ids: dry.ticks.map(({ id }) => id), tasks: await world.tasks() }).toEqual({ ids: wanted, tasks: [] });
  const made = await world.settle(world.schedules.backfill("nightly", span));
  expect(made).toMatchObject({ nextFrom: null });
  expect(await world.tasks()).toEqual(wanted);
  const again = await world.settle(world.schedules.backfill("nightly", { ...span, to: world.clock.now() + day }));
  expect(again.ticks.map(({ id }) => id)).toEqual(["nightly@2026-01-04T02:00:00Z", "nightly@2026-01-05T02:00:00Z"]);
  const task = await world.store.readTask(wanted[0] as TaskId);
  expect(task?.schedule).toEqual({ name: "nightly", tickAt: Date.parse("2026-01-01T02:00:00Z"), isBackfilled: true });
  await expect(world.schedules.backfill("nightly", { ...span, to: 0 })).rejects.toMatchObject({ code: "invalid" });
});

test("a cron expression or a time zone that cannot be read, and one that never comes, are refused", async () => {
  const world = await new World().start("2026-01-01T00:00:00Z");
  const put = (when: Json) => world.settle(world.schedules.put("s", { when, task: nap }));
  await expect(put({ cron: "61 * * * *" })).rejects.toMatchObject({ code: "invalid", details: { path: "/when/cron" } });
  await expect(put({ cron: "* * * *" })).rejects.toMatchObject({ code: "invalid" });
  await expect(put({ cron: "0 0 30 2 *" })).rejects.toMatchObject({ code: "invalid" });
  await expect(put({ cron: "0 0 * * *", timeZone: "Mars/Base" })).rejects.toMatchObject({
    code: "invalid",
    details: { path: "/when/timeZone" },
  });
  expect(await put({ cron: "0 0 29 2 *" })).toMatchObject({ nextAt: Date.parse("2028-02-29T00:00:00Z") });
});

test.each(["of its own", "of a template"])("a task %s that is not one for ticks is refused", async (from) => {
  const world = await new World().start("2026-03-01T00:00:00Z");
  const { templates } = world.master.service;
  const put = async (more: { [name: string]: Json }, when: Json) => {
    const task = { ...nap, ...more };
    if (from === "of its own") return world.schedules.put("s", { when, task });
    await templates.put("t", { task });
    return world.schedules.put("s", { when, template: "t" });
  };
  const hourly = { cron: "0 * * * *" };
  const wrong = {
    after: ["x"],
    uniqueKey: "k",
    startAt: world.clock.now() + hour,
    expiresAt: world.clock.now() + hour,
  };
  for (const [name, value] of Object.entries(wrong)) {
    const error = await world.settle(put({ [name]: value }, hourly)).catch((thrown: unknown) => thrown);
    expect({ name, error }).toMatchObject({ error: { code: "invalid" } });
  }
  // A schedule of one instant has one task, which may expire.
  const { expiresAt } = wrong;
  expect(await world.settle(put({ expiresAt }, { at: world.clock.now() + minute }))).toMatchObject({ isNew: true });
});
