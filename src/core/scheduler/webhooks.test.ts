/** Which events become deliveries, in which entry, and what becomes of them. */
import { beforeEach, describe, expect, test } from "vitest";
import type { Write } from "../../model/entry.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { type Submission, toSpec } from "../../model/submission.ts";
import type { DeliveryOutcome, DeliveryRecord } from "../../model/webhooks/delivery.ts";
import type { WebhookContent, WebhookRecord } from "../../model/webhooks/webhook.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import type { Reply, SchedulerEffect } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import { Scheduler } from "./scheduler.ts";

const start = 1_800_000_000_000;
const url = "https://example.com/hook";

class World {
  now = start;
  leader = new Scheduler();
  readonly deliveries = new Map<string, DeliveryRecord>();
  readonly undelivered = new Map<string, unknown>();
  readonly entries: Write[][] = [];
  seq = 0;

  constructor() {
    this.leader.activate(start, 1, 0);
  }

  step(...inputs: SchedulerInput[]): readonly Reply[] {
    this.seq += 1;
    const out = { seq: this.seq, writes: [] as Write[], effects: [] as SchedulerEffect[] };
    for (const input of inputs) this.leader.step(this.now, input, out);
    this.leader.step(this.now, { kind: "tick" }, out);
    this.entries.push(out.writes);
    for (const write of out.writes) {
      if (write.kind !== "record") continue;
      if (write.collection === "deliveries") put(this.deliveries, write.id, write.value);
      if (write.collection === "undelivered") put(this.undelivered, write.id, write.value);
    }
    return out.effects.flatMap((effect) => (effect.kind === "reply" ? [effect.reply] : []));
  }

  /** Another master takes over, from the journal alone. */
  takeOver(): void {
    const next = new Scheduler();
    for (const writes of this.entries)
      for (const write of writes) next.apply(JSON.parse(JSON.stringify(write)), this.now);
    expect(next.digest).toEqual(this.leader.digest);
    next.activate(this.now, 2, this.seq);
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

  hook(name: string, content: Partial<WebhookContent> = {}, more: Partial<Put> = {}): Reply | undefined {
    const whole = { url, ...content };
    const fingerprint = JSON.stringify(whole);
    const asked = { name, content: whole, fingerprint, secret: null, freshSecret: `whsec_${name}`, ...more };
    return this.step({ kind: "put-webhook", request: 1, ...asked })[0];
  }

  submit(id: string, more: Partial<Submission> = {}): void {
    const submission = { kind: "sleep", input: { seconds: 1 }, ...more } as Submission;
    const spec = toSpec(submission, { id: id as TaskId, fingerprint: null, now: this.now });
    this.step({ kind: "submit", request: 2, specs: [spec], lookup: null });
  }

  cancel(id: string): void {
    this.step({ kind: "cancel", request: 3, id: id as TaskId });
  }

  note(result: DeliveryOutcome["result"], id = this.only()): void {
    const delivery = this.deliveries.get(id);
    if (delivery === undefined) throw new Error(`There is no delivery ${id}.`);
    const problem = result === "failed" || result === "lost" ? { problem: "It answered 500." } : {};
    this.step({ kind: "note-deliveries", outcomes: [{ id, delivery, result, ...problem }] });
  }

  only(): string {
    const [id, ...others] = this.deliveries.keys();
    if (id === undefined || others.length > 0) throw new Error(`There are ${this.deliveries.size} deliveries.`);
    return id;
  }

  record(name: string): WebhookRecord {
    const found = [...this.leader.webhookRecords()].find((record) => record.name === name);
    if (found === undefined) throw new Error(`There is no webhook ${name}.`);
    return found;
  }

  /** `webhook type task`, in the order of the ids. */
  get told(): readonly string[] {
    return [...this.deliveries]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { webhook, type, task = "" }]) => `${webhook} ${type} ${task}`.trim());
  }
}

type Put = Extract<SchedulerInput, { kind: "put-webhook" }>;

function put<Value>(map: Map<string, Value>, id: string, value: Value | null): void {
  if (value === null) map.delete(id);
  else map.set(id, value);
}

let world = new World();
beforeEach(() => {
  world = new World();
});

describe("an end", () => {
  test("is told in the entry in which it happens, with how many wait", () => {
    world.hook("a");
    world.submit("t");
    world.cancel("t");
    const writes = world.entries.at(-1) ?? [];
    const kinds = writes.map((write) => (write.kind === "record" ? write.collection : write.kind));
    expect(kinds).toEqual(["status", "deliveries", "webhooks"]);
    expect(world.record("a")).toMatchObject({ pending: 1 });
    expect([...world.deliveries.values()]).toEqual([
      {
        webhook: "a",
        madeIn: 1,
        type: "task.cancelled",
        at: start,
        task: "t",
        queue: "default",
        state: "cancelled",
        attempt: 0,
      },
    ]);
  });

  test("is told to those whose queues and states let it through, and to nobody else", () => {
    world.hook("all");
    world.hook("reports", { queues: ["rep*"] });
    world.hook("success", { states: ["success"] });
    world.hook("failure", { on: ["failure"] });
    world.hook("bound", {}, { rights: { owner: "user:ada", queues: ["reports"] } });
    world.submit("t", { queue: "reports" });
    world.submit("u");
    world.cancel("t");
    world.cancel("u");
    expect(world.told).toEqual([
      "all task.cancelled t",
      "all task.cancelled u",
      "bound task.cancelled t",
      "reports task.cancelled t",
    ]);
  });

  test("as a failure is told to those who wait for failures", () => {
    world.hook("failure", { on: ["failure"] });
    world.hook("success", { states: ["success"] });
    world.hook("both", { on: ["failure", "end"], states: ["cancelled"] });
    world.submit("t", { expiresAt: start + 1000 });
    world.advance(2000);
    expect(world.told).toEqual(["both task.failed t", "failure task.failed t"]);
  });

  test("costs no record without a webhook", () => {
    world.submit("t");
    world.cancel("t");
    expect(world.entries.at(-1)?.map(({ kind }) => kind)).toEqual(["status"]);
  });

  test("is counted as dropped where there is no room", () => {
    world.hook("a");
    const submissions = Array.from({ length: limits.deliveriesPerEntryMax + 3 }, (_, index) => `t${index}`);
    for (const id of submissions) world.submit(id);
    world.step({ kind: "cancel-many", request: 3, ids: submissions as TaskId[] });
    expect(world.record("a")).toMatchObject({ pending: limits.deliveriesPerEntryMax, dropped: 3 });
    expect(world.deliveries.size).toBe(limits.deliveriesPerEntryMax);
  });
});

describe("a task that is late", () => {
  test("is told of once, however often another master takes over", () => {
    world.hook("a", { on: ["late"], lateMs: 5000 });
    world.submit("t", { startAt: start + 10_000 });
    world.advance(14_999);
    expect(world.told).toEqual([]);
    world.takeOver();
    world.advance(1);
    expect(world.told).toEqual(["a task.late t"]);
    expect([...world.deliveries.values()][0]).toMatchObject({ dueAt: start + 10_000, state: "created" });
    world.takeOver();
    world.advance(60_000);
    expect(world.told).toHaveLength(1);
  });

  test("is not told of if it starts in time, has no time to start, or is gone", () => {
    world.hook("a", { on: ["late"], lateMs: 5000 });
    const attach = attachRequest({ capacity: 1 });
    const [reply] = world.step({ kind: "attach", request: 8, worker: "w" as WorkerId, host: "h", attach });
    const session = reply?.kind === "attached" ? reply.session : ("" as SessionId);
    world.submit("starts", { startAt: start + 1000 });
    world.submit("gone", { startAt: start + 1000, queue: "other" });
    world.submit("whenever", { queue: "other" });
    world.step({ kind: "opened", worker: "w" as WorkerId, session });
    world.cancel("gone");
    world.advance(2000);
    world.takeOver();
    world.advance(3000);
    expect(world.told).toEqual([]);
  });

  test("is not told of if it was late before the webhook was made", () => {
    world.submit("t", { startAt: start });
    world.advance(60_000);
    world.hook("a", { on: ["late"], lateMs: 5000 });
    world.advance(60_000);
    expect(world.told).toEqual([]);
  });

  test("that is new to a webhook counts from when it was made", () => {
    world.submit("t", { startAt: start + 10_000 });
    world.hook("a", { on: ["late"], lateMs: 5000 });
    world.hook("b", { on: ["late"], lateMs: 7000 });
    world.advance(15_000);
    expect(world.told).toEqual(["a task.late t"]);
    world.advance(2000);
    expect(world.told).toEqual(["a task.late t", "b task.late t"]);
  });
});

test("an alarm is told to those who may hear of the whole cluster", () => {
  world.hook("a", { on: ["alarm"] });
  world.hook("bound", { on: ["alarm"] }, { rights: { owner: "user:ada", queues: ["reports"] } });
  const workers = Array.from({ length: 5 }, (_, index) => `w${index}` as WorkerId);
  const sessions = workers.map((worker) => {
    const attach = attachRequest({ boot: `boot-${worker}` as BootId });
    const [reply] = world.step({ kind: "attach", request: 8, worker, host: "h", attach });
    return reply?.kind === "attached" ? reply.session : ("" as SessionId);
  });
  world.step(
    ...workers.map((worker, index) => ({ kind: "opened", worker, session: sessions[index] ?? "" }) as SchedulerInput),
  );
  world.step(
    ...workers.map((worker, index) => ({ kind: "closed", worker, session: sessions[index] ?? "" }) as SchedulerInput),
  );
  expect(world.told).toEqual(["a alarm"]);
  expect([...world.deliveries.values()][0]?.alarm?.fields).toMatchObject({ graceMs: defaults.lostGraceMs });
});

describe("an outcome", () => {
  beforeEach(() => {
    world.hook("a");
    world.submit("t");
    world.cancel("t");
  });

  test("of success takes the delivery away", () => {
    world.note("delivered");
    expect(world.deliveries.size).toBe(0);
    expect(world.record("a")).toMatchObject({
      pending: 0,
      delivered: 1,
      givenUp: 0,
      last: { at: start, problem: null },
    });
  });

  test("of failure lets it wait longer and longer", () => {
    const waits = [1, 2, 3].map(() => {
      world.note("failed");
      return ([...world.deliveries.values()][0]?.nextAt ?? 0) - world.now;
    });
    expect(waits[0]).toBeGreaterThan(3000);
    expect(waits[1]).toBeGreaterThan(2 * (waits[0] ?? 0));
    expect(waits[2]).toBeGreaterThan(2 * (waits[1] ?? 0));
    expect([...world.deliveries.values()][0]).toMatchObject({ tries: 3, problem: "It answered 500." });
    expect(world.record("a")).toMatchObject({ pending: 1, delivered: 0 });
  });

  test("of failure after three days gives it up, where that can be seen", () => {
    world.now += defaults.deliveryGiveUpMs;
    const id = world.only();
    world.note("failed");
    expect(world.deliveries.size).toBe(0);
    expect(world.record("a")).toMatchObject({ pending: 0, delivered: 0, givenUp: 1 });
    expect([...world.undelivered]).toEqual([
      ["a@00000", expect.objectContaining({ id, task: "t", problem: "It answered 500." })],
    ]);
  });

  test("for an event that nobody wants counts as nothing", () => {
    world.note("skipped");
    expect(world.record("a")).toMatchObject({ pending: 0, delivered: 0, givenUp: 0 });
  });

  test("says the same to the next leader", () => {
    world.note("failed");
    world.takeOver();
    world.note("delivered");
    expect(world.record("a")).toMatchObject({ pending: 0, delivered: 1 });
  });
});

describe("a webhook", () => {
  test("keeps its secret and its deliveries when it is changed", () => {
    expect(world.hook("a")).toEqual({ kind: "webhook", isNew: true, hasFreshSecret: true });
    world.submit("t");
    world.cancel("t");
    const changed = world.hook("a", { queues: ["x"] }, { freshSecret: "whsec_other" });
    expect(changed).toEqual({ kind: "webhook", isNew: false, hasFreshSecret: false });
    expect(world.record("a")).toMatchObject({ secret: "whsec_a", pending: 1, madeIn: 1 });
    world.hook("a", { queues: ["x"] }, { secret: "whsec_mine" });
    expect(world.record("a").secret).toBe("whsec_mine");
  });

  test("that was removed hears of nothing, and is gone with its last delivery", () => {
    world.hook("a");
    world.submit("t");
    world.submit("u");
    world.cancel("t");
    world.step({ kind: "remove-webhook", request: 4, name: "a" });
    world.cancel("u");
    expect(world.told).toEqual(["a task.cancelled t"]);
    expect(world.record("a")).toMatchObject({ isRemoved: true, pending: 1 });
    world.takeOver();
    world.note("skipped");
    expect([...world.leader.webhookRecords()]).toEqual([]);
    expect(world.entries.at(-1)).toContainEqual({ kind: "record", collection: "webhooks", id: "a", value: null });
  });

  test("that takes the name of a removed one is not told what that one was told", () => {
    world.hook("a");
    world.submit("t");
    world.cancel("t");
    world.step({ kind: "remove-webhook", request: 4, name: "a" });
    world.hook("a");
    const before = world.only();
    world.note("delivered", before);
    expect(world.record("a")).toMatchObject({ pending: 0, delivered: 0 });
    expect(world.record("a").isRemoved).toBeUndefined();
  });

  test("is refused beyond their number, and where the caller may not reach its queues", () => {
    for (let count = 0; count < limits.webhooksMax; count += 1) world.hook(`h${count}`);
    expect(world.hook("more")).toMatchObject({ kind: "refused", code: "too-many", details: { limit: "webhooksMax" } });
    const by = { name: "user:ada", queues: ["mine"] };
    const removal = { kind: "remove-webhook", request: 4, name: "h0", by } as const;
    expect(world.step(removal)[0]).toMatchObject({ kind: "refused", code: "not-found" });
    const content = { url, queues: ["theirs"] };
    const foreign = { name: "h1", content, fingerprint: "x", secret: null, freshSecret: "s", by };
    const answer = world.step({ kind: "put-webhook", request: 5, ...foreign })[0];
    expect(answer).toMatchObject({ kind: "refused", code: "not-found" });
  });

  test("hears of no other queues once somebody has changed it who is bound to its own", () => {
    const queues = ["reports"];
    const rights = { owner: "user:ada", queues };
    world.hook("a", { queues }, { rights: { owner: "root" } });
    const answer = world.hook("a", { on: ["end", "late"], lateMs: 1000 }, { rights, by: { name: "user:ada", queues } });
    expect(answer).toMatchObject({ kind: "webhook", isNew: false });
    for (const [id, queue] of [
      ["t", "reports"],
      ["u", "default"],
    ] as const)
      world.submit(id, { queue, startAt: world.now + 1 });
    world.advance(5000);
    expect(world.told).toEqual(["a task.late t"]);
    world.cancel("t");
    world.cancel("u");
    expect(world.told).toEqual(["a task.late t", "a task.cancelled t"]);
    world.takeOver();
    expect(world.record("a").rights).toEqual(rights);
  });

  test("is tested like with any other event", () => {
    world.hook("a");
    const [reply] = world.step({ kind: "test-webhook", request: 6, name: "a" });
    expect(reply).toEqual({ kind: "tested", id: world.only() });
    expect(world.told).toEqual(["a test"]);
  });
});
