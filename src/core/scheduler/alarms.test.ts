/** What people are told of the cluster as a whole, and when. */
import { beforeEach, expect, test } from "vitest";
import type { Write } from "../../model/entry.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { type Submission, toSpec } from "../../model/submission.ts";
import { hour, minute, second } from "../../model/units.ts";
import type { DeliveryRecord } from "../../model/webhooks/delivery.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { Alarms } from "./alarms.ts";
import type { SchedulerEffect } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import { Scheduler } from "./scheduler.ts";

const start = 1_800_000_000_000;

class World {
  now = start;
  leader = new Scheduler();
  readonly entries: Write[][] = [];
  /** Alarms in the journal: what they are about, and their fields. */
  readonly told: string[] = [];
  #boots = 0;

  constructor() {
    this.leader.activate(start, 1, 0);
  }

  step(...inputs: SchedulerInput[]): readonly SchedulerEffect[] {
    const out = { seq: this.entries.length + 1, writes: [] as Write[], effects: [] as SchedulerEffect[] };
    for (const input of inputs) this.leader.step(this.now, input, out);
    this.leader.step(this.now, { kind: "tick" }, out);
    this.entries.push(out.writes);
    for (const write of out.writes) {
      if (write.kind !== "record" || write.collection !== "deliveries" || write.value === null) continue;
      const { alarm }: DeliveryRecord = write.value;
      this.told.push(`${alarm?.kind} ${JSON.stringify(alarm?.fields)}`);
    }
    return out.effects;
  }

  /** Another master takes over, from the journal alone. */
  takeOver(): void {
    const next = new Scheduler();
    for (const writes of this.entries) for (const write of writes) next.apply(write, this.now);
    next.activate(this.now, 2, this.entries.length);
    this.leader = next;
  }

  advance(ms: number): void {
    const until = this.now + ms;
    for (let at = this.leader.nextWakeAt(); at !== null && at <= until; at = this.leader.nextWakeAt()) {
      this.now = Math.max(this.now, at);
      this.step();
    }
    this.now = until;
    this.step();
  }

  hook(): void {
    const content = { url: "https://example.com/hook", on: ["alarm"] as const };
    const asked = { name: "a", content, fingerprint: "f", secret: null, freshSecret: "whsec_a" };
    this.step({ kind: "put-webhook", request: 1, ...asked });
  }

  submit(id: string, more: Partial<Submission> = {}): void {
    const submission = { kind: "sleep", input: { seconds: 1 }, ...more } as Submission;
    const spec = toSpec(submission, { id: id as TaskId, fingerprint: null, now: this.now });
    this.step({ kind: "submit", request: 2, specs: [spec], lookup: null });
  }

  /** A new process of the worker attaches. */
  attach(
    worker: string,
    more: { readonly trouble?: string } = {},
  ): { readonly boot: BootId; readonly session: SessionId } {
    const boot = `boot-${(this.#boots += 1)}` as BootId;
    const attach = { ...attachRequest({ boot }), ...more };
    const id = worker as WorkerId;
    const effects = this.step({ kind: "attach", request: 8, worker: id, host: "h", attach });
    const reply = effects.find((effect) => effect.kind === "reply");
    const answer = reply?.kind === "reply" ? reply.reply : undefined;
    const session = answer?.kind === "attached" ? answer.session : ("" as SessionId);
    this.step({ kind: "opened", worker: id, session });
    return { boot, session };
  }
}

let world: World;

beforeEach(() => {
  world = new World();
});

test("tasks that no worker can run are told of once they have waited for a minute, and once as long as they wait", () => {
  world.hook();
  world.submit("t", { queue: "reports" });
  world.submit("u", { queue: "reports", requires: ["gpu"] });
  world.submit("v", { queue: "mail" });
  world.submit("later", { queue: "quiet", startAt: start + 10 * hour });
  world.advance(defaults.alarmAfterMs - second);
  expect(world.told).toEqual([]);
  world.advance(defaults.alarmLookMs + second);
  expect(world.told).toHaveLength(1);
  expect(world.told[0]).toMatch(
    /^no-worker \{"queues":"reports, mail","count":2,"detail":"no connected worker serves queue reports/,
  );
  world.advance(3 * hour);
  expect(world.told).toHaveLength(1);
  world.takeOver();
  world.advance(2 * minute);
  expect(world.told).toHaveLength(2);
});

test("a worker whose machine cannot run tasks is told of", () => {
  world.hook();
  const { session } = world.attach("w1", { trouble: "its disk is full" });
  const beat: SchedulerInput = { kind: "report", request: 4, worker: "w1" as WorkerId, session, items: [] };
  for (let n = 0; n < 59; n += 1) {
    world.step(beat);
    world.advance(second);
  }
  expect(world.told).toEqual([]);
  for (let n = 0; n < 100; n += 1) {
    world.step(beat);
    world.advance(second);
  }
  expect(world.told).toEqual(['worker-trouble {"workers":"w1","count":1,"detail":"w1: its disk is full"}']);
});

test("a task that loses its worker again and again is told of at the loss from which on it runs alone", () => {
  world.hook();
  world.submit("bad", { queue: "default" });
  for (let loss = 1; loss <= defaults.lossesBeforeAlone + 1; loss += 1) {
    const { boot } = world.attach("w1");
    world.advance(minute / 2);
    world.step({ kind: "report-exit", request: 3, worker: "w1" as WorkerId, boot });
  }
  expect(world.told).toEqual(['suspect-task {"task":"bad","queue":"default","losses":3}']);
});

test("a store that was away and a clock that was set are told of, and short waits are not", () => {
  world.hook();
  world.step({ kind: "clock-gap", forMs: defaults.alarmOutageMs - 1, cause: "store" });
  world.step(
    { kind: "clock-gap", forMs: defaults.alarmClockMs - 1, cause: "clock" },
    { kind: "clock-lag", lagMs: second },
  );
  world.step({ kind: "clock-gap", forMs: hour });
  expect(world.told).toEqual([]);
  world.step({ kind: "clock-gap", forMs: 12_400, cause: "store" });
  world.step({ kind: "clock-gap", forMs: 90_000, cause: "clock" });
  world.step({ kind: "clock-lag", lagMs: hour });
  // It comes back: that is no news.
  world.step({ kind: "clock-lag", lagMs: 0 });
  expect(world.told).toEqual(['store {"seconds":12}', 'clock {"seconds":90}', 'clock {"seconds":3599}']);
});

test("without a webhook that hears of alarms nothing is looked for", () => {
  world.submit("t", { queue: "reports" });
  expect(world.leader.nextWakeAt()).toBeNull();
  world.advance(hour);
  world.hook();
  world.advance(defaults.alarmAfterMs - second);
  expect(world.told).toHaveLength(0);
  world.advance(defaults.alarmLookMs);
  expect(world.told).toHaveLength(1);
});

test("what comes back soon after it was told is not told again, and what comes back later is", () => {
  const alarms = new Alarms();
  const bounds = { afterMs: 10, quietMs: 100 };
  const look = (now: number, ...present: string[]) => [...alarms.look(present, now, bounds)];
  expect(look(0, "a")).toEqual([]);
  expect(look(9)).toEqual([]);
  // It has begun anew.
  expect(look(10, "a", "b")).toEqual([]);
  expect(look(20, "a", "b")).toEqual(["a", "b"]);
  expect(look(30)).toEqual([]);
  expect(look(40, "a")).toEqual([]);
  expect(look(60, "a")).toEqual([]);
  expect(look(121)).toEqual([]);
  expect(look(122, "a")).toEqual([]);
  expect(look(132, "a")).toEqual(["a"]);
});
