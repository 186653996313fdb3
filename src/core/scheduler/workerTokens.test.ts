/** Workers that masters cut off because their token is worth nothing any more. */
import { beforeEach, expect, test } from "vitest";
import type { Write } from "../../model/entry.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { toSpec } from "../../model/submission.ts";
import type { WorkerView } from "../../model/worker.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import type { SchedulerEffect } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import { Scheduler } from "./scheduler.ts";

const worker = "w1" as WorkerId;

class World {
  now = 1_800_000_000_000;
  readonly leader = new Scheduler();
  /** What the entries of tasks say of an attempt that was given up. */
  readonly why: string[] = [];
  #seq = 0;

  constructor() {
    this.leader.activate(this.now, 1, 0);
  }

  step(input: SchedulerInput): readonly SchedulerEffect[] {
    const out = { seq: (this.#seq += 1), writes: [] as Write[], effects: [] as SchedulerEffect[] };
    this.leader.step(this.now, input, out);
    for (const line of JSON.stringify(out.writes).match(/Worker w1 was given up: [^"]*/g) ?? []) this.why.push(line);
    return out.effects;
  }

  advance(ms: number): void {
    this.now += ms;
    this.step({ kind: "tick" });
  }

  token(name: string, more: { readonly expiresAt?: number } = {}): void {
    this.step({ kind: "add-token", request: 1, token: { name, role: "worker", hash: `hash ${this.now}`, ...more } });
  }

  removeToken(name: string): void {
    this.step({ kind: "remove-token", request: 1, name });
  }

  /** With a task that runs there, and a stream that is closed again. */
  attachAndClose(by: string, meanwhile: () => void): void {
    const attach = attachRequest({ boot: "b1" as BootId });
    const effects = this.step({ kind: "attach", request: 2, worker, host: "h", attach, by: { name: by } });
    const session = effects.flatMap((effect) =>
      effect.kind === "reply" && effect.reply.kind === "attached" ? [effect.reply.session] : [],
    )[0] as SessionId;
    this.step({ kind: "opened", worker, session });
    const submission = { kind: "sleep", input: { seconds: 60 } } as const;
    const spec = toSpec(submission, { id: "t" as TaskId, fingerprint: null, now: this.now });
    this.step({ kind: "submit", request: 3, specs: [spec], lookup: null });
    this.step({ kind: "tick" });
    this.now += 1;
    meanwhile();
    this.step({ kind: "closed", worker, session });
  }

  get view(): WorkerView {
    const effects = this.step({ kind: "inspect-workers", request: 4 });
    const views = effects.flatMap((effect) =>
      effect.kind === "reply" && effect.reply.kind === "workers" ? effect.reply.workers : [],
    );
    return views[0] as WorkerView;
  }
}

let world: World;

beforeEach(() => {
  world = new World();
});

test.each([
  ["removed", () => world.removeToken("one"), /^its token one was removed, so it is refused/],
  [
    "replaced by another of its name",
    () => {
      world.removeToken("one");
      world.token("one");
    },
    /^its token one was replaced by another/,
  ],
])(
  "one whose token is %s keeps what it runs for as long as one that is silent, and that is told",
  (_, change, told) => {
    world.token("one");
    world.now += 1;
    world.attachAndClose("token:one", change);
    expect(world.view).toMatchObject({ state: "suspect", running: 1, trouble: expect.stringMatching(told) as string });
    world.advance(defaults.lostGraceMs - 1);
    expect(world.why).toEqual([]);
    world.advance(1);
    expect(world.view).toMatchObject({ state: "lost", trouble: expect.stringMatching(told) as string });
    expect(world.why).toEqual([
      expect.stringMatching(/^Worker w1 was given up: nothing was heard .*: its token one was/),
    ]);
  },
);

test("one whose token has expired is told of", () => {
  world.token("one", { expiresAt: world.now + 1000 });
  world.attachAndClose("token:one", () => (world.now += 1000));
  expect(world.view.trouble).toMatch(/^its token one has expired/);
});

test("one without a token is told of once there is a token", () => {
  world.attachAndClose("anybody", () => world.token("one"));
  expect(world.view.trouble).toMatch(/^it has no token, and masters ask for one/);
});

test("one whose token is right is lost as soon as ever, and nothing is told of its token", () => {
  world.token("one");
  world.attachAndClose("token:one", () => {});
  expect(world.view).toMatchObject({ state: "suspect", trouble: null });
  world.advance(defaults.abruptGraceMs);
  expect(world.view).toMatchObject({ state: "lost", trouble: null });
  expect(world.why).toEqual([expect.not.stringContaining("token")]);
});
