/** Lies about families and instants, for the checkers that must see each one. */
import type { Write } from "../../src/model/entry.ts";
import { childId, childPrefix } from "../../src/model/family.ts";
import type { TaskId } from "../../src/model/ids.ts";
import type { FamilyStatus, TaskStatus } from "../../src/model/task.ts";
import { MadeHistory, spec, status, submitted, task } from "./madeHistory.ts";

const prefix = childPrefix(task, 0, "parts");
const child = childId(prefix, 0);
const family: FamilyStatus = { steps: 0, stepBytes: 0, epoch: 0, children: 1 };

function made(id: TaskId): Write[] {
  return [
    { kind: "spec", spec: spec({ id, parent: task, depth: 1 }) },
    { kind: "status", status: status({ id }) },
  ];
}

function childStatus(fields: Partial<TaskStatus>): Write {
  return { kind: "status", status: status({ id: child, ...fields }) };
}

function set(created: number, succeeded: number): Write {
  const counts = { created, succeeded, failed: 0, cancelled: 0 };
  const more = { fingerprint: "", isSealed: true, onFailure: "wait", failuresMax: null, concurrencyMax: null } as const;
  return {
    kind: "record",
    collection: "childSets",
    id: prefix,
    value: { parent: task, key: "parts", ...counts, ...more },
  };
}

function step(value: number): Write {
  return { kind: "record", collection: "steps", id: `${task}/0.first`, value: { value } };
}

/** A task that runs and has made one child. */
function parent(): MadeHistory {
  return submitted()
    .status({ state: "running", attempt: 1 })
    .entry(...made(child), set(1, 0));
}

/** A child that is forgotten `ageMs` after its root's end; it ended itself when the clock of another master said `childEndedAt`. */
export function forgottenChild({ ageMs, childEndedAt }: { ageMs: number | null; childEndedAt: number }): MadeHistory {
  const made = parent()
    .entry(childStatus({ state: "running", attempt: 1 }))
    .entry(childStatus({ state: "success", attempt: 1, changedAt: childEndedAt }), set(1, 1));
  made.conditions = { ...made.conditions, retention: { retentionMs: 60_000, finishedTasksMax: 100 } };
  if (ageMs !== null) made.status({ state: "success", attempt: 1, changedAt: made.now, family }).later(ageMs);
  return made.entry({ kind: "forget-task", id: child, queue: "default", state: "success" });
}

export const familyLies: { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } } = {
  I24: {
    "a parent ends before its child": () => parent().status({ state: "success", attempt: 1 }),
    "a child is made twice": () => parent().entry(...made(child)),
    "a child is made after the outcome of its parent was decided": () =>
      parent()
        .status({ state: "waiting", attempt: 1, family: { ...family, ending: "cancelled" } })
        .entry(...made(childId(prefix, 1)), set(2, 0)),
    "a grandchild is made after the outcome of its grandparent was decided": () =>
      parent()
        .entry(childStatus({ state: "running", attempt: 1 }))
        .status({ state: "waiting", attempt: 1, family: { ...family, ending: "cancelled" } })
        .entry({
          kind: "spec",
          spec: spec({ id: childId(childPrefix(child, 0, "parts"), 0), parent: child, depth: 2 }),
        }),
    "a child is started after the outcome of its parent was decided": () =>
      parent()
        .status({ state: "waiting", attempt: 1, family: { ...family, ending: "success" } })
        .entry(childStatus({ state: "running", attempt: 1 })),
    "an end is counted that there was not": () => parent().entry(set(1, 1)),
    "an end is not counted": () =>
      parent()
        .entry(childStatus({ state: "running", attempt: 1 }))
        .entry(childStatus({ state: "success", attempt: 1 }), set(1, 0)),
    "a remembered step changes": () => parent().entry(step(1)).entry(step(2)),
    "a retry of many opens a parent that had succeeded without its child": () =>
      parent()
        .entry(childStatus({ state: "running", attempt: 1 }))
        .entry(childStatus({ state: "failed", attempt: 1 }))
        .status({ state: "success", attempt: 1, family })
        .entry(
          { kind: "reopen-task", head: spec(), state: "success", at: 0 },
          { kind: "status", status: status({ attempt: 1, family }) },
          { kind: "reopen-task", head: spec({ id: child, parent: task, depth: 1 }), state: "failed", at: 0 },
          childStatus({ attempt: 1 }),
        ),
    "a root is forgotten before its child": () =>
      parent().entry({ kind: "forget-task", id: task, queue: "default", state: "success" }),
  },
  I22: {
    "a task is started before its instant": () => {
      const startAt = 1_700_000_000_000 + 60_000;
      const history = new MadeHistory()
        .add({ kind: "start", node: "master-1", life: "master-1#1" })
        .add({ kind: "clock-set", node: "master-1", offsetMs: 0, drift: 0 })
        .entry({ kind: "spec", spec: spec({ startAt }) }, { kind: "status", status: status() })
        .later(1_000)
        .status({ state: "running", attempt: 1 });
      history.conditions = { ...history.conditions, clockSettleMs: 500 };
      return history;
    },
    "a task is started before its instant, though its master saw the clock set back and forth": () =>
      setBackAndForth({ isPaused: false, backToMs: 0 }),
    "a task is started on a step forward that its master found after a pause": () =>
      setBackAndForth({ isPaused: true, backToMs: 3_600_000 }),
    "a task is started on a step forward that was taken back and made again while its master was paused": () =>
      setBackAndForth({ isPaused: true, aheadMs: 3_600_000, backToMs: 3_600_000 }),
  },
};

/**
 * A clock is 48 s behind when its master starts, and perhaps far ahead for a moment. Then it is set back, and to what it was to be set to: at once
 * a task starts whose instant has come by that.
 */
export function setBackAndForth({
  isPaused,
  aheadMs,
  backToMs,
}: {
  isPaused: boolean;
  aheadMs?: number;
  backToMs: number;
}): MadeHistory {
  const node = "master-1";
  const own = { node, life: `${node}#1` };
  const set = (offsetMs: number) => ({ kind: "clock-set", node, offsetMs, drift: 0 }) as const;
  const startAt = 1_700_000_000_000 + 40_000 + backToMs;
  const history = new MadeHistory()
    .add(set(-48_000))
    .add({ kind: "start", ...own })
    .entry({ kind: "spec", spec: spec({ startAt }) }, { kind: "status", status: status() })
    .later(50_000);
  if (aheadMs !== undefined) history.add(set(aheadMs));
  history.later(2_000);
  if (isPaused) history.add({ kind: "pause", ...own });
  history.later(1_000).add(set(-340_000)).later(1_000).add(set(backToMs));
  if (isPaused) history.add({ kind: "resume", ...own });
  history.later(100).status({ state: "running", attempt: 1 });
  history.conditions = { ...history.conditions, clockSettleMs: 15_000 };
  return history;
}
