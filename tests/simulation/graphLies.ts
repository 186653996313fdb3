/** Lies about graphs and tasks that wait for tasks, for the checker that must see each one. */
import type { Write } from "../../src/model/entry.ts";
import { childId, childPrefix, nodesKey } from "../../src/model/family.ts";
import type { GraphInput } from "../../src/model/graphs/graph.ts";
import type { TaskId } from "../../src/model/ids.ts";
import type { Json } from "../../src/model/json.ts";
import type { TaskStatus } from "../../src/model/task.ts";
import { MadeHistory, spec, status, task } from "./madeHistory.ts";

const prefix = childPrefix(task, 0, nodesKey);
const [first, second] = [childId(prefix, 0), childId(prefix, 1)];
const output = { token: "token of first" };
const command = ["simulate", "1", "0", "${tasks.first.output.token}"];

function sealed(isSealed: boolean): Write {
  const counts = { created: 2, succeeded: 0, failed: 0, cancelled: 0 };
  const more = { fingerprint: "", isSealed, onFailure: "stop", failuresMax: null, concurrencyMax: null } as const;
  return {
    kind: "record",
    collection: "childSets",
    id: prefix,
    value: { parent: task, key: nodesKey, ...counts, ...more },
  };
}

function is(id: TaskId, state: TaskStatus["state"], more: Partial<TaskStatus> = {}): Write {
  return { kind: "status", status: status({ id, state, attempt: state === "running" ? 1 : 0, ...more }) };
}

/** A graph of two nodes, of which the second waits for the first and takes its output. */
function graph({ runIf, isSealed = true }: { runIf?: "failure"; isSealed?: boolean } = {}): MadeHistory {
  const node = { kind: "exec", input: { command }, ...(runIf !== undefined && { runIf }) };
  const tasks = { first: { kind: "sleep", input: { seconds: 1 } }, second: { ...node, after: ["first"] } };
  const links = { after: [first], afterNames: ["first"], ...(runIf !== undefined && { runIf }) };
  return new MadeHistory().attach().entry(
    { kind: "spec", spec: spec({ kind: "graph", input: { tasks } satisfies GraphInput as unknown as Json }) },
    is(task, "waiting"),
    { kind: "spec", spec: spec({ id: first, name: "first", parent: task, depth: 1 }) },
    {
      kind: "spec",
      spec: spec({ id: second, name: "second", kind: "exec", input: { command }, parent: task, depth: 1, ...links }),
    },
    is(first, "created"),
    is(second, "blocked"),
    sealed(isSealed),
  );
}

function resolved(token: string, epoch = 0): Write {
  const input = { command: [...command.slice(0, 3), token] };
  return { kind: "record", collection: "inputs", id: `${second}/${epoch}`, value: { input } };
}

function firstRuns(made: MadeHistory): MadeHistory {
  return made.entry(is(first, "running"));
}

function firstSucceeds(made: MadeHistory): MadeHistory {
  return firstRuns(made).entry(is(first, "success", { attempt: 1, output }));
}

function opened(id: TaskId, state: TaskStatus["state"]): Write[] {
  const head = spec({ id, ...(id === second && { after: [first] }) });
  return [{ kind: "reopen-task", head, state: "failed", at: 0 }, is(id, state, { attempt: id === first ? 1 : 0 })];
}

function failedGraph(): MadeHistory {
  return firstRuns(graph())
    .entry(is(first, "failed", { attempt: 1 }))
    .entry(is(second, "skipped"))
    .entry(is(task, "failed"));
}

/** A graph whose first node fails, and that is retried. */
export function retriedGraph(): MadeHistory {
  return failedGraph()
    .entry(...opened(task, "waiting"), ...opened(first, "created"), ...opened(second, "blocked"))
    .entry(is(first, "running", { attempt: 2 }))
    .entry(is(first, "success", { attempt: 2, output }))
    .entry(resolved(output.token), is(second, "running"))
    .entry(is(second, "success", { attempt: 1 }))
    .entry(is(task, "success", { output: { first: output } }));
}

/** A broadcast that began because something had failed, is cancelled, and goes on by a retry although that has succeeded meanwhile. */
export function retriedBroadcast(): MadeHistory {
  const alarm = spec({ id: second, broadcast: true, after: [first], runIf: "failure" });
  const m = { id: first };
  return new MadeHistory()
    .attach()
    .entry({ kind: "spec", spec: spec(m) }, is(first, "running"))
    .entry(is(first, "failed", { attempt: 1 }))
    .entry({ kind: "spec", spec: alarm }, is(second, "created"))
    .entry(is(second, "waiting"))
    .entry({ kind: "reopen-task", head: spec(m), state: "failed", at: 0 }, is(first, "created", { attempt: 1 }))
    .entry(is(first, "running", { attempt: 2 }))
    .entry(is(first, "success", { attempt: 2 }), is(second, "cancelled"))
    .entry({ kind: "reopen-task", head: alarm, state: "cancelled", at: 0 }, is(second, "waiting"));
}

/** The whole life of a graph in which everything goes well. */
export function goodGraph(): MadeHistory {
  return firstSucceeds(graph())
    .entry(resolved(output.token), is(second, "running"))
    .entry(is(second, "success", { attempt: 1 }))
    .entry(is(task, "success", { output: { first: output } }));
}

export const graphLies: { readonly [name: string]: () => MadeHistory } = {
  "a node starts before what it waits for has ended": () => firstRuns(graph()).entry(is(second, "running")),
  "a node starts though what it waits for has failed": () =>
    firstRuns(graph())
      .entry(is(first, "failed", { attempt: 1 }))
      .entry(is(second, "running")),
  "a node for failures starts after a success": () =>
    firstSucceeds(graph({ runIf: "failure" })).entry(is(second, "running")),
  "a node starts before all nodes are there": () => firstRuns(graph({ isSealed: false })),
  "a retried node starts before what it waits for has ended again": () =>
    failedGraph().entry(...opened(task, "waiting"), ...opened(first, "created"), ...opened(second, "created")),
  "a retried graph succeeds without a node that was skipped": () =>
    failedGraph()
      .entry(...opened(task, "waiting"), ...opened(first, "created"))
      .entry(is(first, "running", { attempt: 2 }))
      .entry(is(first, "success", { attempt: 2, output }))
      .entry(is(task, "success", { output: { first: output } })),
  "a node is made twice": () =>
    graph().entry({ kind: "spec", spec: spec({ id: childId(prefix, 2), name: "first", parent: task, depth: 1 }) }),
  "a node is skipped before what it waits for has ended": () => firstRuns(graph()).entry(is(second, "skipped")),
  "a node is skipped for nothing": () => firstSucceeds(graph()).entry(is(second, "skipped")),
  "a graph succeeds though a node has failed": () =>
    firstRuns(graph())
      .entry(is(first, "failed", { attempt: 1 }))
      .entry(is(second, "skipped"))
      .entry(is(task, "success", { output: {} })),
  "a graph fails though no node has": () =>
    firstSucceeds(graph()).entry(is(task, "failed", { error: { code: "graph-failed", message: "" } })),
  "a graph gives back what its nodes did not": () =>
    firstSucceeds(graph())
      .entry(is(second, "success", { attempt: 1 }))
      .entry(is(task, "success", { output: { first: { token: "another" } } })),
  "a node takes another output than that of the task that it names": () =>
    firstSucceeds(graph()).entry(resolved("another")),
  "the input of a node is resolved twice": () =>
    firstSucceeds(graph()).entry(resolved(output.token)).entry(resolved("later")),
  "a task is forgotten that another one waits for": () =>
    graph()
      .entry({ kind: "spec", spec: spec({ id: "t2" as TaskId, after: [first] }) }, is("t2" as TaskId, "blocked"))
      .entry({ kind: "forget-task", id: task, queue: "default", state: "success" }),
};
