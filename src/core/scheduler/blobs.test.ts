/** Looks at what refers to blobs are old when they arrive: whatever happened meanwhile, no blob goes that a task has been promised. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type BlobPin, type BlobRecord, toBlobReference } from "../../model/blob.ts";
import type { Write } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { toSpec } from "../../model/submission.ts";
import type { SchedulerEffect } from "./effects.ts";
import type { SchedulerInput, SeenBlob } from "./inputs.ts";
import { Scheduler } from "./scheduler.ts";

const hour = 3_600_000;
const hashes = ["a", "b"].map((digit) => digit.repeat(64));

/** A scheduler with what its journal says so far, as a collector reads it. */
class World {
  readonly scheduler = new Scheduler();
  readonly blobs = new Map<string, BlobRecord>();
  readonly pins = new Map<string, BlobPin>();
  /** Tasks that were accepted and are not forgotten, with the blob that each was promised. */
  readonly promised = new Map<
    TaskId,
    { readonly sha256: string; readonly object: string; readonly createdAt: number }
  >();
  readonly objects = new Set<string>();
  now = 1_000_000;
  #seq = 0;
  #count = 0;

  constructor() {
    this.scheduler.activate(this.now, 1, 0);
  }

  upload(sha256: string): void {
    const object = `blobs/${(this.#count += 1)}`;
    this.objects.add(object);
    const effects = this.#step({ kind: "keep-blob", request: 1, upload: { sha256, size: 1, object, missing: null } });
    const [reply] = effects.flatMap((effect) => (effect.kind === "reply" ? [effect.reply] : []));
    if (reply?.kind === "blob" && reply.object !== object) this.objects.delete(object);
  }

  submit(sha256: string): void {
    // The id of a task that was forgotten may be used again.
    const id = (["t1", "t2", "t3"] as TaskId[]).find((each) => !this.promised.has(each));
    if (id === undefined) return;
    const input = { command: ["cat"], files: { f: toBlobReference(sha256) } };
    const spec = toSpec({ kind: "exec", input }, { id, fingerprint: null, now: this.now });
    const effects = this.#step({ kind: "submit", request: 1, specs: [spec], lookup: null });
    const isTaken = effects.some((effect) => effect.kind === "reply" && effect.reply.kind === "submitted");
    expect(isTaken).toBe(this.blobs.has(sha256));
    const object = this.blobs.get(sha256)?.object;
    if (isTaken && object !== undefined) this.promised.set(id, { sha256, object, createdAt: spec.createdAt });
  }

  forget(): void {
    const [id] = this.promised.keys();
    if (id === undefined) return;
    this.promised.delete(id);
    this.#step({ kind: "cancel", request: 1, id });
    this.#step({ kind: "forget", seq: 1_000, tasks: [{ id, queue: "default", state: "cancelled" }] });
  }

  release(sha256: string): void {
    this.#step({ kind: "release-blob", request: 1, sha256 });
  }

  /** What a collector finds at this moment; it may be delivered much later. */
  look(): readonly SeenBlob[] {
    const isDead = (pin: BlobPin) => this.promised.get(pin.task)?.createdAt !== pin.createdAt;
    return [...this.blobs].flatMap(([sha256, record]) => {
      if (record.leasedUntil > this.now) return [];
      const pins = [...this.pins].filter(([id]) => id.startsWith(sha256));
      const deadPins = pins.filter(([, pin]) => isDead(pin)).map(([id]) => id);
      return [{ sha256, record, isNamed: pins.length > deadPins.length, deadPins }];
    });
  }

  /** The wall clock is so far behind from now on. */
  lag(lagMs: number): void {
    this.#step({ kind: "clock-lag", lagMs });
  }

  collect(seen: readonly SeenBlob[]): void {
    this.#step({ kind: "collect-blobs", seen });
  }

  check(): void {
    for (const { sha256, object } of this.promised.values()) {
      expect(this.blobs.get(sha256)?.object).toBe(object);
      expect(this.objects.has(object)).toBe(true);
    }
  }

  #step(input: SchedulerInput): readonly SchedulerEffect[] {
    this.now += 1;
    const writes: Write[] = [];
    const effects: SchedulerEffect[] = [];
    const out = { seq: (this.#seq += 1), writes, effects };
    this.scheduler.step(this.now, input, out);
    this.scheduler.step(this.now, { kind: "tick" }, out);
    for (const write of writes) this.#apply(write);
    for (const effect of effects) if (effect.kind === "delete-object") this.objects.delete(effect.object);
    this.check();
    return effects;
  }

  #apply(write: Write): void {
    if (write.kind !== "record") return;
    if (write.collection === "blobs") {
      if (write.value === null) this.blobs.delete(write.id);
      else this.blobs.set(write.id, write.value);
    }
    if (write.collection === "blobPins") {
      if (write.value === null) this.pins.delete(write.id);
      else this.pins.set(write.id, write.value);
    }
  }
}

type Act =
  | { readonly do: "upload" | "submit" | "release"; readonly blob: number }
  | { readonly do: "forget" | "look" }
  | { readonly do: "collect"; readonly index: number }
  | { readonly do: "wait"; readonly hours: number };

const blob = fc.nat({ max: hashes.length - 1 });
const act: fc.Arbitrary<Act> = fc.oneof(
  fc.record({ do: fc.constantFrom("upload", "submit", "release"), blob }),
  fc.record({ do: fc.constantFrom("forget", "look", "look") }),
  fc.record({ do: fc.constant("collect"), index: fc.nat({ max: 2 }) }),
  fc.record({ do: fc.constant("collect"), index: fc.constant(0) }),
  fc.record({ do: fc.constant("wait"), hours: fc.constantFrom(0.1, 2, 13, 25) }),
) as fc.Arbitrary<Act>;

test("no blob goes that an accepted task names, whatever old looks arrive", () => {
  let removals = 0;
  fc.assert(
    fc.property(fc.array(act, { minLength: 10, maxLength: 60 }), (acts) => {
      const world = new World();
      // Looks stay around: the same one may even arrive twice.
      const looks: (readonly SeenBlob[])[] = [];
      for (const each of acts) {
        const before = world.blobs.size;
        if (each.do === "upload") world.upload(hashes[each.blob] ?? "");
        else if (each.do === "submit") world.submit(hashes[each.blob] ?? "");
        else if (each.do === "release") world.release(hashes[each.blob] ?? "");
        else if (each.do === "forget") world.forget();
        else if (each.do === "look") looks.unshift(world.look());
        else if (each.do === "collect") world.collect(looks[each.index] ?? world.look());
        else if (each.do === "wait") world.now += each.hours * hour;
        if (world.blobs.size < before) removals += 1;
      }
    }),
    { numRuns: 3000, seed: 7 },
  );
  // The property says nothing where nothing is ever removed.
  expect(removals).toBeGreaterThan(100);
});

test("a marked blob is removed after its wait, by the name of its object; a name in between keeps it", () => {
  const world = new World();
  const [sha256 = ""] = hashes;
  world.upload(sha256);
  world.now += 25 * hour;
  world.collect(world.look());
  expect(world.blobs.get(sha256)?.removeAt).toBeGreaterThan(world.now);
  world.submit(sha256);
  expect(world.blobs.get(sha256)?.removeAt).toBeUndefined();
  world.forget();
  world.now += 25 * hour;
  world.collect(world.look());
  world.collect(world.look());
  expect(world.blobs.has(sha256)).toBe(true);
  world.now += 2 * hour;
  const last = world.look();
  world.collect(last);
  expect(world.blobs.has(sha256)).toBe(false);
  expect(world.objects.size).toBe(0);
  // Uploaded again it is another object, which the late look does not touch.
  world.upload(sha256);
  world.collect(last);
  expect(world.blobs.get(sha256)?.object).toBe("blobs/2");
});

test("an old look drops no pin of a new task that has the id of a forgotten one", () => {
  const world = new World();
  const [sha256 = ""] = hashes;
  world.upload(sha256);
  world.submit(sha256);
  world.forget();
  world.now += 25 * hour;
  const late = world.look();
  expect(late.flatMap(({ deadPins }) => deadPins)).toHaveLength(1);
  world.submit(sha256);
  world.collect(late);
  expect(world.pins.size).toBe(1);
  world.now += 25 * hour;
  expect(world.look()).toMatchObject([{ isNamed: true, deadPins: [] }]);
});

const file = toBlobReference(hashes[0] ?? "");
const needy = { kind: "exec", input: { command: ["cat"], files: { f: file } } };
/** Down in a graph of a graph, beside a node that needs nothing. */
const nested = {
  kind: "graph",
  input: { tasks: { inner: { kind: "graph", input: { tasks: { needy, other: { kind: "x", input: file } } } } } },
};

test.each([
  ["graph", nested],
  ["task of its own", needy],
])(
  "a submission and a schedule whose %s needs a blob that is not there are refused, and nothing is written",
  (_what, task) => {
    const scheduler = new Scheduler();
    scheduler.activate(1_000_000, 1, 0);
    const step = (input: SchedulerInput) => {
      const out = { seq: 1, writes: [] as Write[], effects: [] as SchedulerEffect[] };
      scheduler.step(1_000_001, input, out);
      return { ...out, replies: out.effects.flatMap((effect) => (effect.kind === "reply" ? [effect.reply] : [])) };
    };
    const spec = toSpec(task, { id: "t1" as TaskId, fingerprint: null, now: 1_000_000 });
    const submit: SchedulerInput = { kind: "submit", request: 1, specs: [spec], lookup: null };
    const content = { when: { everyMs: hour } };
    const put: SchedulerInput = {
      kind: "put-schedule",
      request: 2,
      schedule: { name: "s", content, fingerprint: "f", task },
    };
    for (const input of [submit, put]) {
      const { writes, replies } = step(input);
      expect(replies).toMatchObject([{ kind: "refused", code: "invalid", details: { blob: hashes[0] } }]);
      expect(writes).toEqual([]);
    }
    step({
      kind: "keep-blob",
      request: 3,
      upload: { sha256: hashes[0] ?? "", size: 1, object: "blobs/1", missing: null },
    });
    expect(step(submit).replies).toMatchObject([{ kind: "submitted" }]);
    expect(step(put).replies).toMatchObject([{ kind: "schedule", isNew: true }]);
  },
);

test("a digest that no command needs as a file refuses nothing", () => {
  const scheduler = new Scheduler();
  scheduler.activate(1_000_000, 1, 0);
  const out = { seq: 1, writes: [] as Write[], effects: [] as SchedulerEffect[] };
  const task = { kind: "graph", input: { tasks: { pull: { kind: "x", input: { image: file } } } } };
  const spec = toSpec(task, { id: "t1" as TaskId, fingerprint: null, now: 1_000_000 });
  scheduler.step(1_000_001, { kind: "submit", request: 1, specs: [spec], lookup: null }, out);
  expect(out.effects).toMatchObject([{ kind: "reply", reply: { kind: "submitted" } }]);
});

test("a leader that was started while its clock was days ahead takes no lease of the one before for over", () => {
  const world = new World();
  const [sha256 = ""] = hashes;
  world.upload(sha256);
  const { now } = world;
  world.now += 48 * hour;
  const seen = world.look();
  expect(seen).toHaveLength(1);
  world.lag(48 * hour - 1);
  world.collect(seen);
  expect(world.blobs.get(sha256)).toEqual(seen[0]?.record);
  world.release(sha256);
  expect(world.blobs.get(sha256)?.leasedUntil).toBeLessThan(now + hour);
  for (let looks = 0; looks < 3; looks += 1) {
    world.collect(world.look());
    world.now += 2 * hour;
  }
  expect(world.blobs.size).toBe(0);
});
