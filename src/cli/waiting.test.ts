/** Tests of the reasons that are told for a task that waits. */
import { expect, test } from "vitest";
import type { TaskDocument } from "../model/task.ts";
import type { QueueView, WorkerView } from "../model/worker.ts";
import { whyWaiting } from "./waiting.ts";

const task = { id: "t", kind: "sleep", queue: "mail", state: "created", startAt: null } as unknown as TaskDocument;
const queue: QueueView = { name: "mail", isPaused: false, tasks: {}, workers: 1 };
const worker = {
  id: "w",
  queues: ["mail"],
  state: "connected",
  isDraining: false,
  running: 2,
  capacity: 2,
} as unknown as WorkerView;

function reason(change: Partial<TaskDocument>, workers: readonly WorkerView[] = [], queues = [queue]) {
  return whyWaiting({ ...task, ...change }, { workers, queues }, 1000);
}

test("what the task itself waits for comes first", () => {
  expect(reason({ startAt: 61_000 })).toMatchObject({ reason: "due-later", until: 61_000 });
  expect(reason({ state: "retrying", retryAt: 3000 })).toMatchObject({
    reason: "back-off",
    message: expect.stringContaining("in 2s") as string,
  });
  expect(reason({ startAt: 500 }, [worker])).toMatchObject({ reason: "workers-busy" });
});

test("then its queue, then who serves it", () => {
  expect(reason({}, [worker], [{ ...queue, isPaused: true }])?.reason).toBe("queue-paused");
  expect(reason({}, [{ ...worker, queues: ["other"] }])?.message).toMatch(/no worker serves queue mail/);
  expect(reason({}, [{ ...worker, state: "lost" }])?.reason).toBe("no-worker");
  expect(reason({}, [worker])?.message).toMatch(/busy \(2 of 2 slots\)/);
  expect(reason({}, [worker, { ...worker, isDraining: true }])?.message).toMatch(/2 of 2 slots\), 1 draining/);
  expect(reason({}, [{ ...worker, state: "suspect" }])?.message).toMatch(/1 silent/);
  expect(reason({}, [{ ...worker, running: 1 }])?.reason).toBe("next-in-line");
});

test("without a leader that is the reason, and what runs or has ended waits for nothing", () => {
  expect(whyWaiting(task, null, 0)?.reason).toBe("no-leader");
  expect(reason({ state: "running" })).toBeNull();
  expect(reason({ state: "success" })).toBeNull();
});

test("then whether any worker of its queue runs its kind and carries its labels", () => {
  expect(reason({ kind: "resize" }, [worker])).toMatchObject({
    reason: "no-able-worker",
    message: 'no connected worker of queue mail runs kind "resize"',
  });
  expect(reason({ kind: "resize", requires: ["gpu"] }, [{ ...worker, kinds: ["resize"] }])?.message).toMatch(
    /runs kind "resize" carries gpu/,
  );
  const able = { ...worker, kinds: ["resize"], labels: ["gpu", "fast"] };
  expect(reason({ kind: "resize", requires: ["gpu"] }, [able])?.reason).toBe("workers-busy");
});

test("a suspended handler waits for what it says, until something of it is over", () => {
  const family = { steps: 1, stepBytes: 1, epoch: 0, children: 2 };
  const waits = [{ kind: "children", key: "parts" } as const, { kind: "sleep", key: "s", until: 3000 } as const];
  const waiting = { state: "waiting", kind: "sleep" } as const;
  expect(reason({ ...waiting, family: { ...family, waits } }, [worker])).toMatchObject({
    reason: "children",
    message: expect.stringMatching(/^waits for the children of "parts" or the end of its sleep, .*in 2s/) as string,
  });
  const signal = { kind: "signal", key: "k", name: "go" } as const;
  expect(reason({ ...waiting, family: { ...family, waits: [signal] } }, [worker])?.message).toBe(
    'waits for the signal "go"',
  );
  expect(reason({ ...waiting, family: { ...family, ending: "success" } }, [worker])?.reason).toBe("descendants");
  expect(reason({ ...waiting, family: { ...family, waits, isWoken: true } }, [worker])?.reason).toBe("workers-busy");
});

test("then the limits of its queue, and its concurrency key", () => {
  const free = { ...worker, running: 1 };
  const full = { ...queue, concurrencyMax: 3, tasks: { running: 3 } };
  expect(reason({}, [free], [full])?.reason).toBe("queue-full");
  expect(reason({}, [free], [{ ...full, tasks: { running: 2 } }])?.reason).toBe("next-in-line");
  expect(reason({}, [free], [{ ...queue, rate: { count: 5, perMs: 60_000 } }])?.message).toMatch(
    /at most 5 tasks in 1m/,
  );
  expect(reason({ concurrencyKey: "a" }, [free])).toMatchObject({
    reason: "key",
    message: 'only 1 task with the key "a" may run at a time',
  });
});
