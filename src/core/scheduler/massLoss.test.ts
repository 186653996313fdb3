/** Many closings at once are the network's; explained ones are not, and none costs more than another. */
import { describe, expect, test, vi } from "vitest";
import type { BootId, SessionId, WorkerId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { Heap } from "../heap.ts";
import type { SchedulerOutput } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import { MassLoss } from "./massLoss.ts";
import { Scheduler } from "./scheduler.ts";
import { Workers } from "./workers.ts";

const bounds = { windowMs: 1000, share: 0.3, min: 3 };
const id = (number: number) => `w${number}` as WorkerId;

function connected(count: number): MassLoss {
  const massLoss = new MassLoss();
  for (let number = 1; number <= count; number++) massLoss.noteOpening(id(number));
  return massLoss;
}

describe("the mass loss", () => {
  test("spares all that closed within the window once they are too many, each of them once", () => {
    const massLoss = connected(5);
    expect(massLoss.noteClosing(id(1), 0, bounds)).toEqual([]);
    expect(massLoss.noteClosing(id(2), 500, bounds)).toEqual([]);
    expect(massLoss.noteClosing(id(3), 1000, bounds)).toEqual([id(1), id(2), id(3)]);
    expect(massLoss.noteClosing(id(4), 1000, bounds)).toEqual([id(4)]);
  });

  test("spares none of a few among many", () => {
    const massLoss = connected(11);
    for (const number of [1, 2, 3]) expect(massLoss.noteClosing(id(number), 0, bounds)).toEqual([]);
    expect(massLoss.noteClosing(id(4), 0, bounds)).toHaveLength(4);
  });

  test("does not count what is older than the window, or explained", () => {
    const massLoss = connected(6);
    massLoss.noteClosing(id(1), 0, bounds);
    massLoss.noteClosing(id(2), 600, bounds);
    expect(massLoss.noteClosing(id(3), 1100, bounds)).toEqual([]);
    massLoss.explain(id(2));
    massLoss.explain(id(3));
    expect(massLoss.noteClosing(id(4), 1200, bounds)).toEqual([]);
  });
});

/** Workers on a leader of their own, with probe ports that answer. */
class Fleet {
  readonly #scheduler = new Scheduler();
  #now = 1_000_000;
  #seq = 1;
  readonly sessions = new Map<WorkerId, SessionId>();
  readonly killed: string[] = [];

  constructor() {
    this.#scheduler.activate(this.#now, 1, 1);
  }

  pass(ms: number): void {
    this.#now += ms;
    this.tell();
  }

  tell(...inputs: SchedulerInput[]): SchedulerOutput {
    this.#seq += 1;
    const out: SchedulerOutput = { seq: this.#seq, writes: [], effects: [] };
    for (const input of [...inputs, { kind: "tick" } as const]) this.#scheduler.step(this.#now, input, out);
    for (const effect of out.effects) {
      if (effect.kind !== "reply" || effect.reply.kind !== "attached") continue;
      this.sessions.set(id(effect.request), effect.reply.session);
    }
    for (const write of out.writes) {
      if (write.kind !== "record" || write.collection !== "workers") continue;
      if (write.value?.state === "lost") this.killed.push(write.id);
    }
    return out;
  }

  /** @returns the probes that the leader sends */
  start(number: number, boot = 1): SchedulerInput[] {
    const attach = attachRequest({ boot: `b${number}.${boot}` as BootId, probePort: 7000 + number });
    const out = this.tell({ kind: "attach", request: number, worker: id(number), attach, host: "h" });
    const session = this.sessions.get(id(number)) as SessionId;
    this.tell({ kind: "opened", worker: id(number), session });
    return out.effects.flatMap((effect) =>
      effect.kind === "probe" ? [{ ...effect, kind: "probed", result: "connected" } as const] : [],
    );
  }

  closing(number: number): SchedulerInput {
    return { kind: "closed", worker: id(number), session: this.sessions.get(id(number)) as SessionId };
  }

  refused(number: number, boot = 1): SchedulerInput {
    const where = { worker: id(number), boot: `b${number}.${boot}` as BootId, host: "h", port: 7000 + number };
    return { kind: "probed", ...where, result: "refused" };
  }
}

describe("workers that die in quick turns", () => {
  test("are lost at once where their ports refuse, however many they are", () => {
    const fleet = new Fleet();
    for (const number of [1, 2, 3]) fleet.tell(...fleet.start(number));
    for (let turn = 1; turn <= 9; turn++) {
      const number = (turn % 3) + 1;
      const boot = Math.floor((turn + 2) / 3);
      fleet.tell(fleet.closing(number));
      fleet.tell(fleet.refused(number, boot));
      expect(fleet.killed).toHaveLength(turn);
      fleet.pass(100);
      fleet.tell(...fleet.start(number, boot + 1));
    }
  });

  test("and cannot be probed are given up after the short grace, if each is back before the next one dies", () => {
    const fleet = new Fleet();
    for (const number of [1, 2, 3]) fleet.start(number);
    for (let boot = 2; boot <= 5; boot++) {
      for (const number of [1, 2, 3]) {
        fleet.tell(fleet.closing(number));
        fleet.pass(100);
        fleet.start(number, boot);
      }
    }
    fleet.tell(fleet.closing(1));
    fleet.pass(defaults.abruptGraceMs);
    expect(fleet.killed).toEqual([id(1)]);
  });

  test("a cut network is not taken for deaths, not even right after deaths that are explained", () => {
    const fleet = new Fleet();
    for (const number of [1, 2, 3, 4, 5]) fleet.tell(...fleet.start(number));
    fleet.tell(fleet.closing(1));
    fleet.tell(fleet.refused(1));
    for (const number of [2, 3, 4, 5]) fleet.tell(fleet.closing(number));
    fleet.pass(defaults.lostGraceMs - 1);
    expect(fleet.killed).toEqual([id(1)]);
    fleet.pass(1);
    expect(fleet.killed).toHaveLength(5);
  });
});

test("workers that attach anew before their streams are seen to close count as cut off, and so spare others", () => {
  for (const order of [
    [1, 2, 3, 4],
    [3, 4, 1, 2],
  ]) {
    const fleet = new Fleet();
    for (const number of [1, 2, 3, 4]) fleet.start(number);
    for (const number of order) {
      if (number <= 2) fleet.start(number);
      else fleet.tell(fleet.closing(number));
    }
    fleet.pass(defaults.lostGraceMs - 1);
    expect(fleet.killed).toEqual([]);
  }
});

describe("a worker that has just started", () => {
  test("is probed before it can be given anything", () => {
    const fleet = new Fleet();
    expect(fleet.start(1)).toMatchObject([{ kind: "probed", worker: id(1) }]);
  });

  test("is found dead at once if its stream closed before its first probe came back", () => {
    const fleet = new Fleet();
    const answers = fleet.start(1);
    fleet.tell(fleet.closing(1));
    const { effects } = fleet.tell(...answers);
    expect(effects).toMatchObject([{ kind: "probe", worker: id(1) }]);
    fleet.tell(fleet.refused(1));
    expect(fleet.killed).toEqual([id(1)]);
  });
});

test("10 000 closings at once cost a bounded number of steps each", () => {
  const count = 10_000;
  const fleet = new Fleet();
  for (let number = 1; number <= count; number++) fleet.start(number);
  const walks = vi.spyOn(Workers.prototype, Symbol.iterator);
  const timers = vi.spyOn(Workers.prototype, "wakeAt");
  const pushes = vi.spyOn(Heap.prototype, "push");
  const closings = Array.from({ length: count }, (_, index) => fleet.closing(index + 1));
  const { effects } = fleet.tell(...closings);
  expect(effects.filter(({ kind }) => kind === "alarm")).toHaveLength(1);
  expect(walks.mock.calls.length).toBeLessThan(10);
  expect(timers.mock.calls.length).toBeLessThanOrEqual(2 * count);
  expect(pushes.mock.calls.length).toBeLessThanOrEqual(2 * count);
  vi.restoreAllMocks();
  expect(fleet.killed).toEqual([]);
});
