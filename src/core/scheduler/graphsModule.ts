/**
 * Graphs, and all other tasks that wait for tasks. A graph is a task that no worker runs: its nodes are its children, created some
 * in each entry and let go once all are there. What it needs to read (its input, outputs of its nodes) the shell reads for it.
 */

import { inputId } from "../../model/collections/inputs.ts";
import { OutlastError } from "../../model/errors.ts";
import { nodesKey } from "../../model/family.ts";
import type { GraphInput } from "../../model/graphs/graph.ts";
import { planGraph } from "../../model/graphs/plan.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { coversQueue } from "../../model/principals/principal.ts";
import { toNodeSpec } from "../../model/submission.ts";
import { pinBlobs } from "./blobPins.ts";
import { beginBroadcast } from "./broadcastsModule.ts";
import { addTask, shortageFor } from "./creation.ts";
import type { Batch } from "./effects.ts";
import { finish, isBelowEnding, isEnding, isStoppedNode, releaseNext, skip } from "./endings.ts";
import type { ChildSet } from "./families.ts";
import { Family } from "./family.ts";
import type { GraphInMaking } from "./graphs.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { LiveTask } from "./liveTask.ts";
import { isFull, type SchedulerModule } from "./module.ts";
import { reply, type SchedulerState } from "./state.ts";
import { remember } from "./waits.ts";

type Input<Kind extends SchedulerInput["kind"]> = Extract<SchedulerInput, { kind: Kind }>;

export const graphsModule = {
  inputs: {
    "graph-loaded": (state, batch, loaded) => {
      const task = state.tasks.get(loaded.task);
      if (task?.isBroadcast === true) beginBroadcast(state, batch, task, loaded);
      else beginGraph(state, batch, loaded);
    },
    "input-resolved": takeInput,
    "graph-concluded": conclude,
    "inspect-dependents": (state, batch, { request, task }) =>
      reply(batch, request, { kind: "dependents", tasks: dependentsOf(state, task) }),
  },
  takeUp(state, batch, task) {
    if (task.state === "blocked") state.dependencies.block(task, (id) => state.tasks.get(id) !== undefined);
    if (isOpenGraph(task)) takeUpGraph(state, batch, task);
  },
  step(state, batch) {
    decideDue(state, batch);
    beginReady(state, batch);
    createNodes(state, batch);
    concludeOver(state, batch);
  },
  nextWakeAt({ dependencies, graphs, lanes }) {
    const isUnderWay = dependencies.hasDue || graphs.inMaking.size > 0 || graphs.over.size > 0;
    return isUnderWay || lanes.nextOwn() !== undefined ? 0 : null;
  },
} satisfies SchedulerModule;

/** Blocked tasks that wait for this one, or are blocked though it has not succeeded. */
function dependentsOf({ tasks, dependencies }: SchedulerState, id: TaskId): readonly TaskId[] {
  if (tasks.get(id) === undefined && dependencies.recordOf(id) === null) return [];
  return [...dependencies.waitersOf(id)].slice(0, limits.pageMax);
}

/** True for a graph that has begun and whose outcome is not decided. */
function isOpenGraph(task: LiveTask | undefined): task is LiveTask {
  return task !== undefined && task.isGraph && task.state === "waiting" && !isEnding(task);
}

function nodesOf(state: SchedulerState, task: LiveTask): ChildSet | undefined {
  return state.families.find(task.id, task.family?.epoch ?? 0, nodesKey);
}

/** A graph that has begun, by a new leader or because it is open again. */
export function takeUpGraph(state: SchedulerState, batch: Batch, task: LiveTask): void {
  const set = nodesOf(state, task);
  if (task.isBroadcast) state.broadcasts.open.add(task.id);
  if (set?.isSealed !== true) load(batch, task);
  else if (set.isOver) state.graphs.over.add(task.id);
}

/** Tasks of which everything that they wait for has ended: they may start now, or never. */
function decideDue(state: SchedulerState, batch: Batch): void {
  const unresolved: TaskId[] = [];
  for (let count = 0; count < limits.graphNodesPerEntryMax && !isFull(batch); count += 1) {
    const [task] = state.dependencies.takeDue(1);
    if (task === undefined) break;
    // Below a decided outcome a walk ends it.
    if (task.state !== "blocked" || isBelowEnding(state, task)) continue;
    // Something that it waits for is open again.
    if ((task.links?.open ?? 0) > 0) continue;
    const reason = reasonToSkip(state, task);
    if (reason !== null) skip(state, batch, task, reason);
    else if (task.links?.takesOutputs === true) unresolved.push(task.id);
    else unblock(state, batch, task);
  }
  if (unresolved.length > 0) batch.out.effects.push({ kind: "resolve-inputs", tasks: unresolved });
}

function reasonToSkip({ dependencies }: SchedulerState, task: LiveTask): string | null {
  const failed = dependencies.failureBefore(task);
  switch (task.links?.runIf) {
    case "always":
      return null;
    case "failure":
      return failed === undefined ? "all that it waits for has succeeded." : null;
    default:
      if (failed !== undefined) return `${failed} did not succeed.`;
      return isStoppedNode(task) ? "another task of the graph has failed." : null;
  }
}

function unblock(state: SchedulerState, batch: Batch, task: LiveTask): void {
  state.dependencies.unblock(batch, task);
  state.tasks.setState(task, "created");
  state.tasks.touch(task);
  if (task.parent?.isHeld !== true) state.tasks.enqueueNew(task, batch.now);
}

function takeInput(state: SchedulerState, batch: Batch, answer: Input<"input-resolved">): void {
  const task = state.tasks.get(answer.task);
  if (task === undefined || task.state !== "blocked" || task.links === null || task.links.open > 0) return;
  if (!task.links.takesOutputs || isBelowEnding(state, task)) return;
  // Another node may have failed since the input was asked for.
  const reason = reasonToSkip(state, task);
  if (reason !== null) return skip(state, batch, task, reason);
  if ("problem" in answer) return failWith(state, batch, task, "input", answer.problem);
  const id = inputId(task.id, task.family?.epoch ?? 0);
  batch.out.writes.push({ kind: "record", collection: "inputs", id, value: { input: answer.input } });
  pinBlobs(state, batch, task, answer.input);
  unblock(state, batch, task);
}

function failWith(state: SchedulerState, batch: Batch, task: LiveTask, code: string, message: string): void {
  task.last = { endedAt: batch.now, error: { code, message }, exit: undefined, logBytes: undefined };
  finish(state, batch, task, "failed");
}

/** Graphs stand in lanes like all tasks, but nobody has to be free for them. */
function beginReady(state: SchedulerState, batch: Batch): void {
  for (let count = 0; count < limits.graphNodesPerEntryMax && !isFull(batch); count += 1) {
    const task = state.lanes.nextOwn();
    if (task === undefined) return;
    state.lanes.dequeue(task);
    if (isBelowEnding(state, task) || isStoppedNode(task)) continue;
    // A broadcast has begun only when its nodes are there.
    if (!task.isBroadcast) {
      state.tasks.setState(task, "waiting");
      task.family ??= new Family();
      state.tasks.touch(task);
    }
    load(batch, task);
  }
}

function load(batch: Batch, task: LiveTask): void {
  batch.out.effects.push({ kind: "load-graph", task: task.id, ...inputEpochOf(task) });
}

function inputEpochOf({ links, family }: LiveTask): { readonly inputEpoch?: number } {
  return links?.takesOutputs === true ? { inputEpoch: family?.epoch ?? 0 } : {};
}

function beginGraph(state: SchedulerState, batch: Batch, loaded: Input<"graph-loaded">): void {
  const { task: id, traceparent } = loaded;
  const input = loaded.input as unknown as GraphInput;
  const task = state.tasks.get(id);
  if (!isOpenGraph(task) || isBelowEnding(state, task) || nodesOf(state, task)?.isSealed === true) return;
  if (task.depth + 1 >= limits.familyDepthMax) {
    const message = `A family has at most ${limits.familyDepthMax} generations, and the nodes of this graph would be one more.`;
    return failWith(state, batch, task, "too-many", message);
  }
  if (nodesOf(state, task) === undefined) {
    const options = { onFailure: input.onFailure ?? "stop", failuresMax: null, concurrencyMax: null };
    state.families.touch(state.families.create(id, task.family?.epoch ?? 0, nodesKey, options));
  }
  const { queue, priority } = task;
  const trace = traceparent === undefined ? {} : { traceparent };
  state.graphs.inMaking.set(id, { plan: planGraph(input), queue: queue.name, priority, ...trace });
}

/** Some nodes in each entry, so that nothing else has to wait for a large graph. */
function createNodes(state: SchedulerState, batch: Batch): void {
  let left: number = limits.graphNodesPerEntryMax;
  for (const [id, graph] of state.graphs.inMaking) {
    if (left === 0 || isFull(batch)) return;
    const task = state.tasks.get(id);
    const set = isOpenGraph(task) ? nodesOf(state, task) : undefined;
    if (!isOpenGraph(task) || set === undefined || isBelowEnding(state, task)) {
      state.graphs.inMaking.delete(id);
      continue;
    }
    const before = set.created;
    let problem: OutlastError | null = null;
    while (problem === null && set.created < graph.plan.length && left > 0 && !isFull(batch)) {
      problem = createNode(state, batch, { task, set, graph });
      left -= 1;
    }
    // Also where it breaks off: what is there already belongs to the graph, whoever leads next.
    if (task.family !== null) task.family.children += set.created - before;
    state.families.touch(set);
    state.tasks.touch(task);
    if (problem !== null) {
      state.graphs.inMaking.delete(id);
      failWith(state, batch, task, problem.code, problem.message);
    } else if (set.created === graph.plan.length) letGo(state, batch, id, set);
  }
}

/** @returns why there can be no such node; null if it is there */
function createNode(
  state: SchedulerState,
  batch: Batch,
  place: { readonly task: LiveTask; readonly set: ChildSet; readonly graph: GraphInMaking },
): OutlastError | null {
  try {
    addNode(state, batch, place);
    return null;
  } catch (error) {
    if (error instanceof OutlastError) return error;
    throw error;
  }
}

/** @throws OutlastError */
function addNode(
  state: SchedulerState,
  batch: Batch,
  { task, set, graph }: { readonly task: LiveTask; readonly set: ChildSet; readonly graph: GraphInMaking },
): void {
  const planned = graph.plan[set.created];
  if (planned === undefined) return;
  const after = planned.after.map((index) => set.childAt(index));
  const parent = { id: task.id, queue: graph.queue, priority: graph.priority, depth: task.depth + 1 };
  const { rights } = task;
  const node = toNodeSpec(planned, parent, { id: set.childAt(set.created), after, now: batch.now });
  if (!coversQueue(rights?.queues, node.queue)) throw new OutlastError("invalid", `There is no queue ${node.queue}.`);
  const { traceparent } = graph;
  const spec = { ...node, ...(rights !== undefined && { rights }), ...(traceparent !== undefined && { traceparent }) };
  const shortage = shortageFor(state, [spec]);
  if (shortage !== null) throw new OutlastError("too-many", shortage.message, { limit: shortage.limit });
  // Nothing of the graph has started yet, so that a node that has ended was cancelled.
  for (const id of after) if (state.tasks.get(id) === undefined) state.dependencies.noteFailure(batch, id, "cancelled");
  addTask(state, batch, spec);
  set.created += 1;
}

/** All nodes are there: those that wait for nothing may start. */
function letGo(state: SchedulerState, batch: Batch, id: TaskId, set: ChildSet): void {
  state.graphs.inMaking.delete(id);
  set.isSealed = true;
  releaseNext(state, batch, set);
  if (set.isStopped && set.open > 0) state.walks.add(set);
  if (set.isOver) state.graphs.over.add(id);
}

function concludeOver(state: SchedulerState, batch: Batch): void {
  for (const id of state.graphs.over) {
    const task = state.tasks.get(id);
    const set = isOpenGraph(task) ? nodesOf(state, task) : undefined;
    if (!isOpenGraph(task) || set === undefined) continue;
    const epoch = task.family?.epoch ?? 0;
    const about = { task: id, epoch, ...inputEpochOf(task), hasFailed: hasFailed(set), isBroadcast: task.isBroadcast };
    batch.out.effects.push({ kind: "conclude-graph", ...about });
  }
  state.graphs.over.clear();
}

function hasFailed({ failed, cancelled }: ChildSet): boolean {
  return failed + cancelled > 0;
}

/** The outcome is what the nodes make it, whatever the shell has read. */
function conclude(state: SchedulerState, batch: Batch, { task: id, output, reason }: Input<"graph-concluded">): void {
  const task = state.tasks.get(id);
  const set = isOpenGraph(task) ? nodesOf(state, task) : undefined;
  if (!isOpenGraph(task) || set?.isOver !== true || task.family === null) return;
  remember(batch, task, task.family, nodesKey, { children: set.outcome });
  const code = task.isBroadcast ? "broadcast-failed" : "graph-failed";
  if (hasFailed(set)) return failWith(state, batch, task, code, reason);
  task.last = { endedAt: batch.now, error: undefined, exit: undefined, logBytes: undefined };
  finish(state, batch, task, "success", output);
}
