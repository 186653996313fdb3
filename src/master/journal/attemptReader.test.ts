/** Which records of attempts are completed, and what happens while the store cannot be read. */
import { beforeEach, expect, test } from "vitest";
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import { type AttemptRecord, attemptRecordId } from "../../model/attemptRecord.ts";
import type { CollectionName, RecordValue } from "../../model/collections/table.ts";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { SystemIds } from "../../node/ids.ts";
import { StoreUnavailable } from "../../ports/store.ts";
import { created, TestJournal } from "../../proof/contracts/storeJournal.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { MemoryStore } from "../../stores/memory/store.ts";
import { AttemptReader } from "./attemptReader.ts";
import { Inbox } from "./inbox.ts";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const worker = "w" as WorkerId;
const task = "t" as TaskId;

class UnreliableStore extends MemoryStore {
  isStuck = false;

  override async readRecord<Name extends CollectionName>(
    collection: Name,
    id: string,
  ): Promise<RecordValue<Name> | null> {
    if (this.isStuck) throw new StoreUnavailable("network", "no answer");
    return super.readRecord(collection, id);
  }
}

let clock: FakeClock;
let store: UnreliableStore;
let inbox: Inbox;
let reader: AttemptReader;

/** Of the first attempt, which was given up at 100. */
const record: AttemptRecord = {
  ...{ attempt: 1, worker, boot: "b" as BootId, assignedAt: 10 },
  ...{ endedAt: 100, outcome: "killed" },
};
const end = { task, attempt: 1, assignedAt: 10, endedAt: 170 };

beforeEach(async () => {
  clock = new FakeClock();
  store = new UnreliableStore({ ids: new SystemIds() });
  await store.open();
  inbox = new Inbox(clock);
  inbox.open();
  reader = new AttemptReader({ store, clock, log: silent, inbox });
  const journal = new TestJournal();
  const id = attemptRecordId(task, 1);
  await store.append(journal.next(...created("t"), { kind: "record", collection: "attempts", id, value: record }));
});

function read(...ends: Partial<typeof end>[]): void {
  reader.read({ kind: "look-up-attempts", worker, seq: 7, ends: ends.map((each) => ({ ...end, ...each })) });
}

async function taken(): Promise<readonly SchedulerInput[]> {
  await clock.advance(0);
  return inbox.takeAtOnce().inputs;
}

test("the record of an attempt that was given up is handed back with the end of its process", async () => {
  read({});
  const completed = { ...record, processEndedAt: 170 };
  expect(await taken()).toEqual([{ kind: "process-ended", task, seq: 7, record: completed }]);
});

test.each([
  ["another attempt", { attempt: 2 }],
  ["an attempt of an earlier task with the id", { assignedAt: 9 }],
  ["an attempt that ended with its process", { endedAt: 100 }],
])("nothing is handed back for %s", async (_what, other) => {
  read(other);
  expect(await taken()).toEqual([]);
});

test("nor for an attempt of another worker, nor for one whose end is known", async () => {
  reader.read({ kind: "look-up-attempts", worker: "v" as WorkerId, seq: 7, ends: [end] });
  const id = attemptRecordId("u" as TaskId, 1);
  const known = { ...record, processEndedAt: 150 };
  const journal = new TestJournal(await store.readTail());
  await store.append(journal.next(...created("u"), { kind: "record", collection: "attempts", id, value: known }));
  read({ task: "u" as TaskId });
  expect(await taken()).toEqual([]);
});

test("while the store cannot be read it is tried again, and no more once the term is over", async () => {
  store.isStuck = true;
  read({});
  expect(await taken()).toEqual([]);
  store.isStuck = false;
  await clock.advance(defaults.commitRetryMsMax);
  expect(await taken()).toHaveLength(1);
  store.isStuck = true;
  read({});
  expect(await taken()).toEqual([]);
  reader.clear();
  store.isStuck = false;
  await clock.advance(defaults.commitRetryMsMax);
  expect(await taken()).toEqual([]);
  read({});
  expect(await taken()).toHaveLength(1);
});

test("of more than may wait, the latest are left out", async () => {
  store.isStuck = true;
  read(...Array.from({ length: limits.processEndsMax }, () => ({ attempt: 2 })));
  read({});
  await clock.advance(0);
  store.isStuck = false;
  await clock.advance(defaults.commitRetryMsMax);
  expect(await taken()).toEqual([]);
  read({});
  expect(await taken()).toHaveLength(1);
});
