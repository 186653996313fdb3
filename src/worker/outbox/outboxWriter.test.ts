/** The order of writes to the outbox, over a disk that refuses them for a while. */
import { expect, test } from "vitest";
import type { AgentInput } from "../../core/agent/inputs.ts";
import { attemptKey, type BootId, type Incarnation, type TaskId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { ResultItem } from "../../model/protocol.ts";
import type { Outbox } from "../../ports/work.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { OutboxWriter } from "./outboxWriter.ts";

const log = { debug() {}, info() {}, warn() {}, error() {} };

function result(task: string, assignedAt: number): ResultItem {
  const times = { assignedAt, startedAt: assignedAt, endedAt: assignedAt };
  return { kind: "result", task: task as TaskId, attempt: 1, boot: "b" as BootId, outcome: "success", ...times };
}

/** An outbox in memory, whose disk may be full. */
function outboxWith(disk: { isFull: boolean }): Outbox & { readonly kept: Map<string, ResultItem> } {
  const kept = new Map<string, ResultItem>();
  const write = async (change: () => void) => {
    if (disk.isFull) throw new Error("ENOSPC");
    change();
  };
  return {
    kept,
    open: async () => ({ results: [], epochMax: 0, incarnation: null }),
    put: (results) =>
      write(() => {
        for (const each of results) kept.set(attemptKey(each.task, each.attempt), each);
      }),
    remove: (attempts) =>
      write(() => {
        for (const { task, attempt } of attempts) kept.delete(attemptKey(task, attempt));
      }),
    saveEpoch: async () => {},
    close: async () => {},
  };
}

test("a result stays whose name was that of a result that is forgotten with the same write", async () => {
  const clock = new FakeClock();
  const disk = { isFull: false };
  const outbox = outboxWith(disk);
  const told: string[] = [];
  const waits = { retryBaseMs: 10, retryMaxMs: 100 };
  const writer = new OutboxWriter(outbox, clock, log, waits, (input) => told.push(input.kind));
  const [old, other] = [result("t", 1), result("other", 1)];
  writer.persist(old);
  writer.persist(other);
  await clock.advance(1);
  expect(outbox.kept.size).toBe(2);

  // The old task is deleted, and the attempt of the next one with its id ends while nothing can be written.
  disk.isFull = true;
  writer.forget([old, other]);
  await clock.advance(1);
  const next = result("t", 2);
  writer.persist(next);
  await clock.advance(20);
  disk.isFull = false;
  await clock.advance(1_000);
  expect([...outbox.kept.values()]).toEqual([next]);
  expect(told.at(-1)).toBe("disk");
  await writer.close();
});

test("a disk that hangs is told of as one that refuses is, and that it answers again", async () => {
  const clock = new FakeClock();
  const hang = Promise.withResolvers<void>();
  const outbox = { ...outboxWith({ isFull: false }), saveEpoch: () => hang.promise };
  const told: AgentInput[] = [];
  const writer = new OutboxWriter(outbox, clock, log, { retryBaseMs: 10, retryMaxMs: 100 }, (input) =>
    told.push(input),
  );
  writer.saveEpoch("store" as Incarnation, 2);
  await clock.advance(defaults.outboxWaitMs - 1);
  expect(told).toEqual([]);
  await clock.advance(60_000);
  expect(told).toEqual([{ kind: "disk", trouble: "Results cannot be written to disk: it does not answer" }]);
  hang.resolve();
  await clock.advance(0);
  expect(told.slice(1)).toEqual([
    { kind: "epoch-saved", incarnation: "store", epoch: 2 },
    { kind: "disk", trouble: null },
  ]);
  expect(clock.timers.size).toBe(0);
  await writer.close();
});
