/** When a process fails on purpose, and that it never does by accident. */
import { afterEach, expect, test, vi } from "vitest";
import type { Entry, OutgoingEntry, Write } from "../model/entry.ts";
import type { Assignment } from "../model/protocol.ts";
import type { Store } from "../ports/store.ts";
import type { AttemptSession, Executor } from "../ports/work.ts";
import { PlannedFault, withExecutorFault, withStoreFault } from "./plannedFault.ts";

const warnings: string[] = [];
const log = { debug: () => {}, info: () => {}, warn: (text: string) => void warnings.push(text), error: () => {} };
const worker = { role: "worker", name: "w1" } as const;
const master = { role: "master", name: "m1" } as const;

afterEach(() => {
  warnings.splice(0);
  vi.restoreAllMocks();
});

/** The signals that this process would have sent itself. */
function catchSignals(): string[] {
  const signals: string[] = [];
  vi.spyOn(process, "kill").mockImplementation((_pid, signal) => {
    signals.push(String(signal));
    return true;
  });
  return signals;
}

test("needs both the variable and the option", () => {
  expect(PlannedFault.read(undefined, true, worker, log)).toBeNull();
  expect(PlannedFault.read("", true, worker, log)).toBeNull();
  expect(PlannedFault.read("after-start:1", false, worker, log)).toBeNull();
  expect(warnings).toEqual(["OUTLAST_FAIL is ignored: faults on purpose need --allow-faults as well"]);
});

test("is for the process of that role and name alone", () => {
  expect(PlannedFault.read("after-assign:1", true, worker, log)).toBeNull();
  expect(PlannedFault.read("w2/after-start:1", true, worker, log)).toBeNull();
  expect(PlannedFault.read("w1/after-start:1", true, worker, log)?.point).toBe("after-start");
  expect(PlannedFault.read("after-assign:1", true, master, log)?.point).toBe("after-assign");
});

test.each(["after-start", "after-start:0", "after-start:x", "now:1", "after-start:1:explode", "a/b/after-start:1"])(
  "refuses %s",
  (text) => {
    expect(() => PlannedFault.read(text, true, worker, log)).toThrow("OUTLAST_FAIL is not a fault");
  },
);

test("a master fails right behind the commit of an assignment, each counted once", async () => {
  const signals = catchSignals();
  const appended: Entry[] = [];
  const inner = {
    append: async (entry: Entry) => (appended.push(entry) === 1 ? "taken" : "committed"),
  };
  const store = withStoreFault(inner as unknown as Store, PlannedFault.read("after-assign:2", true, master, log));
  const entry = (...ids: string[]): OutgoingEntry =>
    ({
      writes: ids.map((id) => ({ kind: "status", status: { id, attempt: 1, state: "running" } }) as unknown as Write),
    }) as unknown as OutgoingEntry;
  await store.append(entry("a", "b"));
  await store.append(entry("a"));
  await store.append(entry("a"));
  expect(signals).toEqual([]);
  await store.append(entry("b"));
  expect(signals).toEqual(["SIGKILL"]);
  expect(appended).toHaveLength(4);
});

test.each([
  ["after-start:2", ["start a", "start b", "SIGKILL"]],
  ["after-end:1:hang", ["start a", "SIGSTOP", "end"]],
])("a worker with %s", (text, expected) => {
  const signals = catchSignals();
  const seen: string[] = [];
  const note = () => seen.push(...signals.splice(0));
  const inner: Executor = {
    kinds: [],
    start: ({ task }, session) => {
      seen.push(`start ${task}`);
      session.end({ outcome: "success" } as never);
    },
    abort: () => {},
    stop: async () => {},
  };
  const executor = withExecutorFault(inner, PlannedFault.read(text, true, worker, log));
  const session = {
    end: () => {
      note();
      if (text.startsWith("after-end")) seen.push("end");
    },
  } as unknown as AttemptSession;
  for (const task of text.startsWith("after-end") ? ["a"] : ["a", "b"]) {
    executor.start({ task } as unknown as Assignment, session);
    note();
  }
  expect(seen).toEqual(expected);
});

test("without a fault nothing is wrapped", () => {
  const store = {} as Store;
  const executor = {} as Executor;
  expect(withStoreFault(store, null)).toBe(store);
  expect(withExecutorFault(executor, null)).toBe(executor);
});
