/** What the leader clears away and what it must not, over time that a test turns by hand. */
import { describe, expect, test } from "vitest";
import { defaults } from "../../model/limits.ts";
import { auditId } from "../../model/principals/audit.ts";
import { type ExpiredTask, type RecordQuery, type Retention, type Store, StoreRefused } from "../../ports/store.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { Housekeeper, type HousekeepingSettings } from "./housekeeper.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function start(settings: Partial<HousekeepingSettings> = {}, seqOfSlowest = () => Number.POSITIVE_INFINITY) {
  const clock = new FakeClock();
  const compactions: number[] = [];
  const asked: Retention[] = [];
  const forgotten: ExpiredTask[] = [];
  const seqs: number[] = [];
  let expired: ExpiredTask[] = [];
  const audit: string[] = [];
  const errors: unknown[] = [];
  let failure: Error | null = null;
  let leftovers = 0;
  const forgottenAudit: string[] = [];
  const store = {
    listRecords: async (_collection: string, { after = "", limit }: RecordQuery) => {
      const records = audit.filter((id) => id > after).map((id) => ({ id }));
      return { records: records.slice(0, limit), isMore: records.length > limit };
    },
    findExpired: async (retention: Retention, max: number) => {
      asked.push(retention);
      if (failure !== null) throw failure;
      return expired.splice(0, max);
    },
    compact: async (belowSeq: number) => {
      compactions.push(belowSeq);
      return 0;
    },
    sweep: async () => {
      leftovers = Math.max(0, leftovers - 1);
      return leftovers > 0;
    },
  } as unknown as Store;
  const housekeeper = new Housekeeper({
    store,
    clock,
    log: { ...silent, error: (_message, fields) => errors.push(fields?.["error"]) },
    settings: { ...defaults, clockSettleMs: 0, ...settings },
    pinned: () => [],
    seqOfSlowest,
    forget: (tasks, seq) => {
      forgotten.push(...tasks);
      seqs.push(seq);
    },
    forgetAudit: (ids) => forgottenAudit.push(...ids),
  });
  housekeeper.start();
  return {
    clock,
    housekeeper,
    compactions,
    asked,
    forgotten,
    seqs,
    audit,
    forgottenAudit,
    errors,
    left: () => leftovers,
    leave: (count: number) => void (leftovers = count),
    fail: (error: Error | null) => void (failure = error),
    expire: (tasks: ExpiredTask[]) => void (expired = tasks),
  };
}

describe("the audit record", () => {
  test("loses what is older than its retention, each record once, and nothing else", async () => {
    const { clock, audit, forgottenAudit } = start({ auditMs: 60_000 });
    const startedAt = clock.now();
    const ids = [0, 1000, 30_000].map((after, index) => auditId(startedAt + after, 1, index));
    audit.push(...ids.toSorted());
    await clock.advance(50_000);
    expect(forgottenAudit).toEqual([]);
    await clock.advance(20_000);
    expect(forgottenAudit).toEqual([ids[0], ids[1]]);
    audit.splice(1);
    await clock.advance(30_000);
    expect(forgottenAudit).toEqual([ids[0], ids[1], ids[2]]);
  });
});

describe("the journal", () => {
  test("keeps what is younger than its age, and loses what is older", async () => {
    const { clock, housekeeper, compactions } = start({ journalMs: 60_000 });
    housekeeper.note(10, 100);
    await clock.advance(defaults.housekeepingMs);
    housekeeper.note(20, 100);
    await clock.advance(50_000);
    expect(Math.max(...compactions)).toBe(0);
    await clock.advance(17_000);
    expect(Math.max(...compactions)).toBe(10);
    await clock.advance(60_000);
    expect(compactions.at(-1)).toBe(20);
  });

  test("loses the oldest when it grows beyond its size", async () => {
    const { clock, housekeeper, compactions } = start({ journalBytesMax: 1_000 });
    housekeeper.note(10, 900);
    await clock.advance(defaults.housekeepingMs);
    housekeeper.note(20, 900);
    await clock.advance(defaults.housekeepingMs);
    expect(compactions.at(-1)).toBe(0);
    housekeeper.note(30, 900);
    await clock.advance(defaults.housekeepingMs);
    expect(compactions.at(-1)).toBe(10);
  });

  test("keeps what a standby has not read yet, however old", async () => {
    const { clock, housekeeper, compactions } = start({ journalMs: 1_000 }, () => 7);
    housekeeper.note(50, 100);
    await clock.advance(60_000);
    expect(Math.max(...compactions)).toBe(7);
  });
});

describe("finished tasks", () => {
  test("are forgotten in steps once they have outlived their retention, until none is left", async () => {
    const { clock, asked, forgotten, expire } = start({ retentionMs: 10_000, finishedTasksMax: 5 });
    const tasks = Array.from(
      { length: 1_200 },
      (_, index) => ({ id: `t${index}`, queue: "q", state: "success" }) as ExpiredTask,
    );
    expire([...tasks]);
    await clock.advance(defaults.housekeepingMs + 10 * defaults.housekeepingStepMs);
    expect(forgotten).toEqual(tasks);
    expect(asked[0]).toEqual({ endedBefore: 1_000_000 + defaults.housekeepingMs - 10_000, keepMax: 5 });
  });

  test("are handed over once while they are on their way, and again where they were refused, with what was committed before", async () => {
    const { clock, housekeeper, forgotten, seqs, expire } = start();
    housekeeper.note(7, 1);
    const found = () => [{ id: "t1", queue: "q", state: "success" } as ExpiredTask];
    expire(found());
    await clock.advance(defaults.housekeepingMs);
    expire([...found(), { id: "t2", queue: "q", state: "success" } as ExpiredTask]);
    await clock.advance(defaults.housekeepingMs);
    // The first one may be a family, and leave room for the second.
    expect(forgotten).toEqual(found());
    housekeeper.note(9, 1);
    expire(found());
    await clock.advance(defaults.housekeepingMs);
    expect(forgotten).toEqual([...found(), ...found()]);
    expect(seqs).toEqual([7, 9]);
  });

  test("leave nothing behind in the store that is not worked off without a pause", async () => {
    const { clock, left, leave } = start();
    leave(200);
    await clock.advance(defaults.housekeepingMs + 201 * defaults.housekeepingStepMs);
    expect(left()).toBe(0);
  });

  test("stay when the leader has stopped", async () => {
    const { clock, housekeeper, asked } = start();
    housekeeper.stop();
    await clock.advance(10 * defaults.housekeepingMs);
    expect(asked).toEqual([]);
  });
});

test("a document that cannot be read stops neither the rest nor later looks, and is told of once", async () => {
  const { clock, audit, forgottenAudit, compactions, forgotten, errors, expire, fail } = start({ auditMs: 1_000 });
  const damaged = new StoreRefused("The document of task t1 is damaged.", "Put it back.");
  audit.push(auditId(clock.now(), 1, 0));
  fail(damaged);
  await clock.advance(4 * defaults.housekeepingMs);
  expect(errors).toEqual([damaged]);
  expect(compactions).toHaveLength(4);
  expect(forgottenAudit).toHaveLength(1);
  fail(null);
  expire([{ id: "t2", queue: "q", state: "success" } as ExpiredTask]);
  await clock.advance(defaults.housekeepingMs);
  expect(forgotten).toHaveLength(1);
});

test("no task expires by its age before the clock can be trusted, nor by time that the wall clock has not seen", async () => {
  const { clock, asked } = start({ clockSettleMs: 60_000, retentionMs: 1_000 });
  await clock.advance(30_000);
  expect(asked.every(({ endedBefore }) => endedBefore === 0)).toBe(true);
  await clock.advance(31_000);
  expect(asked.at(-1)?.endedBefore).toBeGreaterThan(0);
  clock.lag = 3_600_000;
  await clock.advance(defaults.housekeepingMs);
  expect(asked.at(-1)?.endedBefore).toBeLessThanOrEqual(clock.now() - 3_600_000 - 1_000);
});
