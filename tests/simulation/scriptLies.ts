/** Lies about scripts, waits, signals and templates, for the checkers that must see each one. */
import type { Write } from "../../src/model/entry.ts";
import { type ChildSetRecord, childId, childPrefix, type OpenWait, type StepRecord } from "../../src/model/family.ts";
import type { TaskId } from "../../src/model/ids.ts";
import type { Json } from "../../src/model/json.ts";
import type { FamilyStatus } from "../../src/model/task.ts";
import type { Operation } from "../../src/proof/checkers/scripts.ts";
import { boot, MadeHistory, spec, status, task, worker } from "./madeHistory.ts";

const prefix = childPrefix(task, 0, "parts");
const family: FamilyStatus = { steps: 0, stepBytes: 0, epoch: 0, children: 0 };
const part = { kind: "sleep", input: { seconds: 1 } } as const;

/** A task that runs a script, in its first attempt. */
function running(...script: Operation[]): MadeHistory {
  return new MadeHistory()
    .attach()
    .entry(
      { kind: "spec", spec: spec({ kind: "program", input: script as unknown as Json }) },
      { kind: "status", status: status() },
    )
    .status({ state: "running", attempt: 1 })
    .add({ kind: "exec-start", worker, boot, task, attempt: 1, assignedAt: 0, token: "first" });
}

function step(key: string, value: StepRecord): Write {
  return { kind: "record", collection: "steps", id: `${task}/0.${key}`, value };
}

function child(index: number, input: Json = part.input): Write[] {
  const id = childId(prefix, index);
  return [
    { kind: "spec", spec: spec({ id, input, parent: task, depth: 1 }) },
    { kind: "status", status: status({ id }) },
  ];
}

function set(fields: Partial<ChildSetRecord>): Write {
  const counts = { created: 0, succeeded: 0, failed: 0, cancelled: 0 };
  const options = { onFailure: "wait", failuresMax: null, concurrencyMax: null } as const;
  const value = { parent: task, key: "parts", fingerprint: "", isSealed: true, ...counts, ...options, ...fields };
  return { kind: "record", collection: "childSets", id: prefix, value };
}

function signals(pending: readonly string[], delivered: readonly string[] = []): Write {
  const value = { task, pending: pending.map((id) => ({ id, name: "go", payload: null })), delivered };
  return { kind: "record", collection: "signals", id: task, value };
}

function waiting(...waits: OpenWait[]): Write {
  return { kind: "status", status: status({ state: "waiting", attempt: 1, family: { ...family, waits } }) };
}

const parts = { children: "parts", tasks: [part], isStrict: false, more: { onFailure: "wait" } } as const;
const firstStep = { step: "first", ms: 5 } as const;

function version(number: number, seconds: number): Write[] {
  const content = { task: { kind: "sleep", name: "${who}", input: { seconds }, priority: 0 } };
  return [
    {
      kind: "record",
      collection: "templates",
      id: "report",
      value: { name: "report", version: number, fingerprint: String(number), changedAt: 0 },
    },
    {
      kind: "record",
      collection: "templateVersions",
      id: `report@${number}`,
      value: { name: "report", version: number, createdAt: 0, ...content },
    },
  ];
}

/** A task from a version of the template. */
function made(number: number, seconds: number): Write[] {
  const origin = { template: "report", version: number, variables: { who: "Ada" } };
  return [
    { kind: "spec", spec: spec({ name: "Ada", input: { seconds }, origin }) },
    { kind: "status", status: status() },
  ];
}

export const scriptLies: { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } } = {
  I25: {
    "a step is taken from an attempt that is over": () =>
      running(firstStep)
        .status({ state: "killed", attempt: 1, kills: 1 })
        .status({ state: "running", attempt: 2, kills: 1 })
        .entry(step("first", { value: { by: "first" } })),
    "a step is from no execution": () => running(firstStep).entry(step("first", { value: { by: "nobody" } })),
    "a step that is remembered is run again": () =>
      running(firstStep)
        .entry(step("first", { value: { by: "first" } }))
        .add({ kind: "step-kept", task, key: "first", token: "first" })
        .add({ kind: "exec-start", worker, boot, task, attempt: 2, assignedAt: 0, token: "second" })
        .add({ kind: "step-ran", task, key: "first", token: "second" }),
    "a script succeeds without one of its steps": () => running(firstStep).status({ state: "success", attempt: 1 }),
    "a script is refused what it may do": () =>
      running(firstStep).status({
        state: "failed",
        attempt: 1,
        failures: 1,
        error: { code: "non-retryable", message: "conflict" },
      }),
    "a child is made that no script names": () => running(parts).entry(...child(1), set({ created: 1 })),
    "a child is another one than the script says": () =>
      running(parts).entry(...child(0, { seconds: 2 }), set({ created: 1 })),
    "the outcome of a set is not that of its children": () =>
      running(parts)
        .entry(...child(0), set({ created: 1 }))
        .entry(step("parts", { children: { total: 1, succeeded: 1, failed: 0, cancelled: 0 } })),
    "a set ends without all of its children": () =>
      running(parts).entry(step("parts", { children: { total: 0, succeeded: 0, failed: 0, cancelled: 0 } })),
    "more children are under way than the script allows": () => {
      const bounded = { ...parts, tasks: [part, part], more: { onFailure: "wait", concurrencyMax: 1 } } as const;
      const begun = (index: number): Write => ({
        kind: "status",
        status: status({ id: childId(prefix, index), state: "running", attempt: 1 }),
      });
      return running(bounded)
        .entry(...child(0), ...child(1), set({ created: 2 }))
        .entry(begun(0), begun(1));
    },
    "a step names a task that there is not": () =>
      running({ submit: "first", task: part }).entry(step("first", { value: { id: "nobody" } })),
    "a script is told of another task than it has made": () =>
      running({ submit: "first", task: part })
        .entry(step("first", { value: { id: task } }))
        .add({ kind: "told-made", task, key: "first", made: worker as string as TaskId }),
  },
  I26: {
    "a task waits on for children that have ended": () =>
      running(parts).entry(waiting({ kind: "children", key: "parts" }), set({})),
    "a task waits for a set that there is not": () => running(parts).entry(waiting({ kind: "children", key: "parts" })),
    "a task waits on for a signal that is there": () =>
      running({ signal: "go", timeoutMs: 5 })
        .entry(waiting({ kind: "signal", key: "go", name: "go" }))
        .entry(signals(["s1"])),
    "a task waits for nothing": () => running(firstStep).entry(waiting()),
    "a sleep begins anew": () =>
      running({ sleep: "nap", ms: 5 })
        .entry(waiting({ kind: "sleep", key: "nap", until: 5 }))
        .status({ state: "running", attempt: 2 })
        .entry(waiting({ kind: "sleep", key: "nap", until: 9 })),
  },
  I47: {
    "a signal is delivered twice": () =>
      running(firstStep)
        .entry(signals(["s1"]))
        .entry(signals([], ["s1"]), step("go", { signal: { id: "s1", payload: null } }))
        .entry(step("again.go", { signal: { id: "s1", payload: null } })),
    "a delivered signal waits again": () =>
      running(firstStep)
        .entry(signals([], ["s1"]), step("go", { signal: { id: "s1", payload: null } }))
        .entry(signals(["s1"])),
    "a signal is given to a wait for another one": () =>
      running(firstStep)
        .entry(signals(["s1"]))
        .entry(signals([], ["s1"]), step("stop", { signal: { id: "s1", payload: null } })),
    "a signal comes from nowhere": () => running(firstStep).entry(step("go", { signal: { id: "s1", payload: null } })),
    "a signal is acknowledged before it is in the journal": () =>
      running(firstStep)
        .add({ kind: "acked-signal", life: "master-1#1", task, signal: "s1" })
        .entry(signals(["s1"])),
  },
  I48: {
    "a task is not what its version says": () => new MadeHistory().entry(...version(1, 1)).entry(...made(1, 2)),
    "a task is from a version that there is not": () => new MadeHistory().entry(...version(1, 1)).entry(...made(2, 1)),
    "a version changes": () => new MadeHistory().entry(...version(1, 1)).entry(...version(1, 2)),
    "a task is from another version than was asked for": () => {
      const history = new MadeHistory().entry(...version(1, 1)).entry(...version(2, 2));
      const asked = history.build().events.length;
      return history.entry(...made(2, 2)).add({ kind: "template-run", asked, task, template: "report", version: 1 });
    },
    "a task is from a version that was no longer the latest": () => {
      const history = new MadeHistory().entry(...version(1, 1)).entry(...version(2, 2));
      const asked = history.build().events.length;
      return history.entry(...made(1, 1)).add({ kind: "template-run", asked, task, template: "report", version: null });
    },
  },
};
