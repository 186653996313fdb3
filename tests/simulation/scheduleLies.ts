/** Lies about schedules, for the checkers that must see each one. */
import type { Write } from "../../src/model/entry.ts";
import { type ScheduleContent, type ScheduleRecord, tickId } from "../../src/model/schedules/schedule.ts";
import { workerWrite } from "../../src/proof/contracts/storeJournal.ts";
import { MadeHistory, spec, status, worker, workerRecord } from "./madeHistory.ts";

const began = 1_700_000_000_000;
const at = (tick: number): number => began + tick * 10_000;
const content: ScheduleContent = { when: { everyMs: 10_000, from: began } };

/** Put at the beginning; up to `tick` all have fired. */
function record(tick: number, change: Partial<ScheduleRecord> = {}): Write {
  const value: ScheduleRecord = {
    ...{
      name: "s",
      content,
      fingerprint: "f",
      task: { kind: "sleep", input: { seconds: 1 } },
      changedAt: began,
      isPaused: false,
    },
    ...{ sinceAt: began, settledAt: at(tick), nextAt: at(tick + 1), queued: [], open: [], fired: tick },
    ...{ skipped: [], backfilled: [], ...change },
  };
  return { kind: "record", collection: "schedules", id: "s", value };
}

function tick(number: number, more: { readonly isBackfilled?: true } = {}): Write[] {
  const id = tickId("s", at(number));
  return [
    { kind: "spec", spec: spec({ id, schedule: { name: "s", tickAt: at(number), ...more } }) },
    { kind: "status", status: status({ id }) },
  ];
}

function ends(number: number): Write {
  return { kind: "status", status: status({ id: tickId("s", at(number)), state: "cancelled" }) };
}

/** At each tick the leader's clock shows the tick's instant. */
class Scheduled extends MadeHistory {
  constructor(first: Write = record(0)) {
    super();
    this.now = began;
    this.conditions = { ...this.conditions, clockSettleMs: 500, isCalm: false };
    this.entry(first);
  }

  at(tick: number, ...writes: Write[]): this {
    this.now = at(tick);
    return this.entry(...writes);
  }
}

const fired = (): Scheduled => new Scheduled().at(1, ...tick(1), record(1));
const row = (tick: number, reason: "missed" | "overlap" | "paused" | "refused" | "edited" | "removed") => ({
  ...{ from: at(tick), to: at(tick), reason },
});
const apart = (overlap: "skip" | "queue") => ({ content: { ...content, overlap } });

type Lies = { readonly [name: string]: () => MadeHistory };

export const scheduleLies: { readonly I21: Lies; readonly I22: Lies; readonly I23: Lies } = {
  I21: {
    "a tick makes two tasks": () => fired().at(2, ...tick(1), ...tick(2), record(2, { fired: 3 })),
    "a tick makes a task again after a removal": () =>
      fired()
        .at(1, record(1, { isRemoved: true, nextAt: null }))
        .at(1, record(1))
        .at(1, ...tick(1), record(1, { fired: 2 })),
    "a tick is passed over": () => fired().at(3, ...tick(3), record(3, { fired: 2 })),
    "the task of a tick comes without its schedule": () =>
      fired()
        .at(2, ...tick(2))
        .at(2, record(2)),
    "the next tick is another one": () => new Scheduled().at(1, ...tick(1), record(1, { nextAt: at(3) })),
    "a task has no tick": () => {
      const id = tickId("s", at(1) + 5);
      return new Scheduled().at(
        1,
        { kind: "spec", spec: spec({ id, schedule: { name: "s", tickAt: at(1) + 5 } }) },
        { kind: "status", status: status({ id }) },
        ...tick(1),
        record(1, { settledAt: at(1) + 5, fired: 2 }),
      );
    },
    "a tick that made a task is said to be skipped": () =>
      fired().at(2, record(2, { fired: 1, skipped: [{ ...row(2, "missed"), from: at(1) }] })),
    "a tick is missed that is not late": () => fired().at(2, record(2, { fired: 1, skipped: [row(2, "missed")] })),
    "a tick is skipped for a pause that was not there": () =>
      fired().at(2, record(2, { fired: 1, skipped: [row(2, "paused")] })),
    "a tick is skipped for an edit that was not there": () =>
      fired().at(2, record(2, { fired: 1, skipped: [row(2, "edited")] })),
    "a tick is refused though there is room": () =>
      fired().at(2, record(2, { fired: 1, skipped: [row(2, "refused")] })),
    "a tick is skipped for an overlap that is allowed": () =>
      fired().at(2, record(2, { fired: 1, skipped: [row(2, "overlap")] })),
    "what is settled is taken back": () => fired().at(1, record(0, { fired: 1, nextAt: at(1) })),
    "a tick that waited is dropped": () =>
      new Scheduled(record(0, apart("queue")))
        .at(1, ...tick(1), record(1, apart("queue")))
        .at(2, record(2, { ...apart("queue"), fired: 1, queued: [at(2)] }))
        .at(2, record(2, { ...apart("queue"), fired: 1 })),
    "a removed schedule has a next tick": () => fired().at(1, record(1, { isRemoved: true })),
    "a backfill makes a tick again": () =>
      fired().at(1, ...tick(1, { isBackfilled: true }), record(1, { backfilled: [{ from: at(1), to: at(1) }] })),
    "a backfill is not remembered": () => fired().at(1, ...tick(0, { isBackfilled: true }), record(1)),
    "a backfill forgets what an earlier one has made up for": () => {
      const late = { sinceAt: at(3), fired: 0 };
      const span = (tick: number) => [{ from: at(tick), to: at(tick) }];
      return new Scheduled(record(3, late))
        .at(3.2, ...tick(0, { isBackfilled: true }), record(3, { ...late, backfilled: span(0) }))
        .at(3.4, ...tick(2, { isBackfilled: true }), record(3, { ...late, backfilled: span(2) }));
    },
    "a tick makes a task while the schedule is paused": () =>
      new Scheduled(record(0, { isPaused: true })).at(1, ...tick(1), record(1, { isPaused: true })),
    "a backfill leaves a tick out": () => fired().at(1, record(1, { backfilled: [{ from: at(-2), to: at(0) }] })),
  },
  I22: {
    "a tick comes before its instant": () => {
      const history = new MadeHistory()
        .add({ kind: "start", node: "master-1", life: "master-1#1" })
        .add({ kind: "clock-set", node: "master-1", offsetMs: 0, drift: 0 })
        .entry(record(0))
        .later(9_000)
        .entry(...tick(1), record(1));
      history.conditions = { ...history.conditions, clockSettleMs: 500 };
      return history;
    },
    "a tick comes late in a calm run": () => {
      const history = fired().at(2.5, ...tick(2), record(2));
      history.conditions = { ...history.conditions, isCalm: true };
      return history;
    },
  },
  I23: {
    "a tick makes a task before the one before has ended": () =>
      new Scheduled(record(0, apart("skip")))
        .at(1, ...tick(1), record(1, apart("skip")))
        .at(2, ...tick(2), record(2, apart("skip"))),
    "a tick makes a task while a process of the one before runs": () =>
      new Scheduled(record(0, apart("skip")))
        .entry(workerWrite(workerRecord()))
        .at(1, ...tick(1), record(1, apart("skip")))
        .execStart(1, { task: tickId("s", at(1)), worker })
        .at(1.5, ends(1))
        .at(2, ...tick(2), record(2, apart("skip"))),
    "a tick is skipped and nothing runs": () =>
      new Scheduled(record(0, apart("skip")))
        .at(1, ...tick(1), record(1, apart("skip")))
        .at(1.5, ends(1))
        .at(2, record(2, { ...apart("skip"), fired: 1, skipped: [row(2, "overlap")] })),
  },
};

/** Nothing to object to: ticks, a skipped one, one that waits, a removal, a backfill. */
export function goodSchedules(): MadeHistory {
  const queue = apart("queue");
  const skipped = [{ ...row(4, "overlap"), reason: "removed" as const }];
  return new Scheduled(record(0, queue))
    .at(1, ...tick(1), record(1, queue))
    .at(2, record(2, { ...queue, fired: 1, queued: [at(2)] }))
    .at(2.5, ends(1), ...tick(2), record(2, queue))
    .at(2.7, ends(2))
    .at(3, ...tick(3), record(3, queue))
    .at(4, record(4, { ...queue, fired: 3, queued: [at(4)] }))
    .at(4.2, record(4, { ...queue, fired: 3, skipped, isRemoved: true, nextAt: null }))
    .at(4.3, record(4, { ...queue, fired: 3, skipped }))
    .at(4.4, ends(3), ...tick(4, { isBackfilled: true }), ...tick(0, { isBackfilled: true }), {
      ...record(4, { ...queue, fired: 3, skipped, backfilled: [{ from: at(0), to: at(4) }] }),
    })
    .at(4.6, ends(4), ends(0));
}

/** Ticks are missed, and in the same entry the schedule is edited: by its new jitter they would not be late yet. */
export function missedAndEdited(): MadeHistory {
  const late = { fired: 1, skipped: [{ ...row(2, "missed"), to: at(10) }] };
  return fired().at(10, record(10, { ...late, content: { ...content, jitterMs: 60_000 }, fingerprint: "edited" }));
}
