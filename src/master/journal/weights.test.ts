/** What inputs are said to come to in the journal is never less than what they come to. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SchedulerEffect } from "../../core/scheduler/effects.ts";
import { Scheduler } from "../../core/scheduler/scheduler.ts";
import type { Write } from "../../model/entry.ts";
import { readWrites } from "../../model/entryWrites.ts";
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { ReportItem } from "../../model/protocol.ts";
import { spec } from "../../proof/contracts/storeJournal.ts";
import { attachRequest } from "../../proof/fakes/attachRequest.ts";
import { EntryDraft } from "./entryDraft.ts";
import { encodeEntry, journalStart } from "./journal.ts";
import { bytesOfInput, bytesOfItem, bytesOfSpecs, jsonBytes, partsOf } from "./weights.ts";

const author = { epoch: 1, nonce: "n" as never };
const longest = "x".repeat(limits.idLengthMax);

function bodyBytes(writes: readonly Write[]): number {
  return Buffer.byteLength(encodeEntry(journalStart, author, 0, writes).body);
}

describe("bytes of a value", () => {
  test("are never fewer than its JSON text has", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(jsonBytes(value)).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(value)));
      }),
    );
  });

  test.each([
    ["numbers that grow", Array.from({ length: 5_000 }, () => 1e20)],
    ["control characters", "\u0001".repeat(20_000)],
    ["quotes", '"'.repeat(20_000)],
    ["letters of three bytes", "€".repeat(20_000)],
    ["half pairs", "\ud800".repeat(20_000)],
  ] satisfies [string, Json][])("are counted where they are many: %s", (_what, value) => {
    expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
  });
});

describe("an input", () => {
  test("that creates tasks comes to what it is said to, or less", () => {
    const tasks = [
      spec("a"),
      spec(longest, { name: "€".repeat(limits.nameLengthMax), queue: longest, input: { text: "\u0001".repeat(1000) } }),
      spec("c", { input: { deep: [[[1e20, -1e-300]], { "\n": null }] }, requires: [longest, longest] }),
    ];
    const out = new EntryDraft(1);
    const input = { kind: "submit", request: 1, specs: tasks, lookup: null } as const;
    const scheduler = new Scheduler();
    scheduler.step(1e13, input, out);
    scheduler.step(1e13, { kind: "tick" }, out);
    expect(out.writes).toHaveLength(2 * tasks.length);
    expect(bytesOfInput(input)).toBeGreaterThanOrEqual(bodyBytes(out.writes));
    expect(bytesOfInput(input)).toBeLessThan(1.5 * bodyBytes(out.writes));
    expect(bytesOfSpecs(tasks)).toBe(bytesOfInput(input));
  });

  test("that retries a task comes to what it is said to, or less", () => {
    const task = spec(longest, { queue: longest, requires: [longest, longest] });
    const [out, again] = [new EntryDraft(1), new EntryDraft(2)];
    const scheduler = new Scheduler();
    scheduler.step(1e13, { kind: "submit", request: 1, specs: [task], lookup: null }, out);
    scheduler.step(1e13, { kind: "cancel", request: 2, id: task.id }, out);
    const end = out.writes.findLast((write) => write.kind === "status");
    const { name: _name, input: _input, ...head } = task;
    const tasks = end?.kind === "status" ? [{ head, status: end.status }] : [];
    const found = { seq: 1, tasks, ends: new Map(), sets: [] };
    const input = { kind: "retry", request: 3, id: task.id, attempt: null, isFromScratch: false, found } as const;
    scheduler.step(1e13, input, again);
    expect(again.writes.map(({ kind }) => kind)).toEqual(["reopen-task", "status"]);
    expect(bytesOfInput(input)).toBeGreaterThanOrEqual(bodyBytes(again.writes));
    expect(bytesOfInput(input)).toBeLessThan(1.5 * bodyBytes(again.writes));
  });

  test("ten thousand small tasks are one submission", () => {
    const tasks = Array.from({ length: limits.batchTasksMax }, (_, index) =>
      spec(`01ARZ3NDEKTSV4RRFFQ69G5FAV-${index}`),
    );
    expect(bytesOfSpecs(tasks)).toBeLessThan(limits.submissionBytesMax);
  });

  test("the parts of a report hold all of its items in order, and each part fits", () => {
    const items = Array.from({ length: 40 }, (_, index) => step(index, "x".repeat(limits.resultBytesMax)));
    const parts = partsOf(items);
    expect(parts.flat()).toEqual(items);
    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts)
      expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThanOrEqual(limits.entryFillBytes);
    expect(partsOf([step(0, "x".repeat(limits.entryFillBytes + 1))])).toHaveLength(1);
    expect(partsOf([])).toEqual([]);
  });

  test("children are counted with what each of them gets in the journal", () => {
    const submissions = Array.from({ length: limits.childrenPerItemMax }, () => ({ kind: "note", input: null }));
    const children = {
      kind: "children",
      key: "k",
      first: 0,
      submissions,
      before: "",
      isLast: true,
      onFailure: "wait",
    } as const;
    const item = { ...children, ...issued };
    const specs = submissions.map((_, index) => spec(`${longest.slice(6)}~${index}`));
    expect(bytesOfItem(item)).toBeGreaterThan(bytesOfSpecs(specs));
    expect(partsOf(Array.from({ length: 10 }, () => item)).length).toBeGreaterThan(1);
  });
});

test("results of full workers that bring no tasks share an entry by the thousand", () => {
  const result = { kind: "result", ...issued, boot: longest as BootId, outcome: "success" } as const;
  const items = Array.from({ length: 1_000 }, (_, id) => ({ ...result, id, startedAt: 1e13, endedAt: 1e13 }));
  expect(partsOf(items)).toHaveLength(1);
  const [first] = items;
  if (first === undefined) throw new Error("There is no item.");
  expect(bytesOfItem(first)).toBeGreaterThan(Buffer.byteLength(JSON.stringify(first)) + limits.statusBytesMax);
});

const issued = { task: "t" as TaskId, attempt: 1, assignedAt: 1 };

function step(index: number, value: string): ReportItem {
  return { kind: "step", key: `s${index}`, value, ...issued };
}

describe("what the scheduler writes by itself", () => {
  const boot = "b".repeat(limits.idLengthMax) as BootId;
  const worker = "w".repeat(limits.idLengthMax) as WorkerId;
  const idOf = (index: number) => `${index}`.padStart(limits.idLengthMax, "t") as TaskId;

  /** A scheduler that follows a journal in which this worker runs so many tasks, all with the longest names. */
  function busy(workers: number, tasksEach: number): Scheduler {
    const scheduler = new Scheduler();
    for (let number = 0; number < workers; number += 1) {
      const id = `${number}`.padStart(limits.idLengthMax, "w") as WorkerId;
      const { capacity: _capacity, ...about } = attachRequest({ boot });
      const value = { ...about, id, capacity: tasksEach, state: "connected", changedAt: 1e13 } as const;
      scheduler.apply({ kind: "record", collection: "workers", id, value }, 0);
      for (let index = 0; index < tasksEach; index += 1) {
        const task = idOf(number * tasksEach + index);
        scheduler.apply({ kind: "spec", spec: spec(task) }, 0);
        const place = { host: id, boot, assignedAt: 1e13, startedAt: 1e13 };
        const counts = { attempt: 1_000_000, failures: 999, kills: 999_999, changedAt: 1e13 };
        scheduler.apply({ kind: "status", status: { id: task, state: "running", ...counts, ...place } }, 0);
      }
    }
    scheduler.activate(1e13, 1, 1);
    return scheduler;
  }

  /** Lets everybody's patience run out. @returns the bytes of each entry until nothing is due any more */
  function letAllBeLost(scheduler: Scheduler): { bytes: number[]; writes: number } {
    const bytes: number[] = [];
    let writes = 0;
    for (let round = 0; round < 200; round += 1) {
      const out = new EntryDraft(2 + round);
      scheduler.step(1e13 + 1e8, { kind: "tick" }, out);
      if (out.writes.length > 0) bytes.push(bodyBytes(out.writes));
      writes += out.writes.length;
    }
    return { bytes, writes };
  }

  test("a status has at most the bytes that it is counted with", () => {
    const { bytes } = letAllBeLost(busy(1, 1));
    expect(bytes).toHaveLength(1);
    expect(bytes[0]).toBeLessThan(2 * limits.statusBytesMax);
    expect(worker.length + boot.length).toBe(2 * limits.idLengthMax);
  });

  test("a worker with every slot in use, and then many workers at once, are given up in entries that a store takes", () => {
    const most = letAllBeLost(busy(1, limits.capacityMax));
    expect(most.writes).toBe(1 + limits.capacityMax);
    const many = letAllBeLost(busy(60, 500));
    expect(many.writes).toBe(60 + 30_000);
    expect(many.bytes.length).toBeGreaterThan(1);
    for (const each of [...most.bytes, ...many.bytes])
      expect(each + limits.entryEnvelopeBytesMax).toBeLessThan(limits.entryBytesMax);
  });

  test("time-outs of many tasks at once leave what finds no room to the next entry", () => {
    const scheduler = new Scheduler();
    const count = 20_000;
    const timeoutMs = 1000;
    for (let index = 0; index < count; index += 1) {
      const id = idOf(index);
      scheduler.apply({ kind: "spec", spec: spec(id, { limits: { ...spec(id).limits, timeoutMs } }) }, 0);
      const status = {
        id,
        state: "running",
        attempt: 1,
        failures: 0,
        kills: 0,
        changedAt: 1,
        host: worker,
        boot,
      } as const;
      scheduler.apply({ kind: "status", status: { ...status, assignedAt: 1 } }, 0);
    }
    scheduler.activate(1, 1, 1);
    const { bytes, writes } = letAllBeLost(scheduler);
    expect(writes).toBeGreaterThanOrEqual(count);
    expect(bytes.length).toBeGreaterThan(1);
    for (const each of bytes) expect(each).toBeLessThan(limits.entryBytesMax);
  });
});

test("a draft counts what the entry's body has, or a little more", () => {
  const out = new EntryDraft(1);
  const effects: SchedulerEffect[] = out.effects;
  expect([out.bytes, effects.length, out.isFull()]).toEqual([0, 0, false]);
  out.writes.push({ kind: "spec", spec: spec("a", { name: "€" }) });
  const before = out.bytes;
  out.writes.push({ kind: "record", collection: "queues", id: "q", value: { name: "q", isPaused: true } });
  expect(out.bytes).toBeGreaterThan(before);
  expect(out.bytes).toBeGreaterThanOrEqual(bodyBytes(out.writes));
  const entry = encodeEntry(journalStart, author, 0, out.writes, (write) => out.textOf(write));
  expect(readWrites(entry)).toEqual(out.writes);
});
