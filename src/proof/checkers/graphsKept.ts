/**
 * I26: a task starts only once all that it waits for has ended, and in the way that it asks for; what never runs is skipped, and
 * not before its time; a graph's nodes and outcome are what its input and its nodes say; outputs arrive where they are asked for.
 */
import { childPrefix, nodesKey, prefixOf, rootOf } from "../../model/family.ts";
import type { GraphInput } from "../../model/graphs/graph.ts";
import type { TaskId } from "../../model/ids.ts";
import { needsNoWorker } from "../../model/kinds/table.ts";
import { isFinal, type TaskHead, type TaskSpec, type TaskState, type TaskStatus } from "../../model/task.ts";
import { checker, type Report } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { eventsOf } from "./reading.ts";

export const graphsKept = checker(
  "I26",
  "nothing starts before what it waits for, or against it",
  (history, report) => {
    const graphs = new GraphsByJournal(report);
    for (const entry of history.entries) graphs.take(entry);
    graphs.checkGiven(history);
  },
);

interface Resolved {
  readonly order: number;
  readonly argument: string | null;
}

class GraphsByJournal {
  readonly #report: Report;
  readonly #specs = new Map<TaskId, TaskSpec>();
  readonly #statuses = new Map<TaskId, TaskStatus>();
  /** Nodes by the prefix of their set. */
  readonly #nodes = new Map<string, Map<string, TaskId>>();
  readonly #sealed = new Set<string>();
  /** When the first node of a set failed or was cancelled: the `seq` of the entry. */
  readonly #failedIn = new Map<string, number>();
  readonly #waiting = new Set<TaskId>();
  readonly #inputs = new Map<TaskId, Resolved[]>();
  readonly #resolvedIn = new Map<string, string>();
  /**
   * Of the entry at hand: with its input a task was decided to start. By it, what the tasks were that were opened again after that, in
   * the same entry.
   */
  readonly #before = new Map<TaskId, Map<TaskId, TaskState>>();
  /** Tasks that a retry has opened, and how many attempts they had had by then. */
  readonly #reopened = new Map<TaskId, number>();

  constructor(report: Report) {
    this.#report = report;
  }

  take(entry: LandedEntry): void {
    const decided: TaskId[] = [];
    const started: TaskId[] = [];
    const ended: TaskId[] = [];
    this.#before.clear();
    for (const write of entry.writes) {
      if (write.kind === "spec") this.#takeSpec(write.spec, entry);
      if (write.kind === "status") {
        const { id, state } = write.status;
        const before = this.#statuses.get(id);
        if (this.#isDecision(write.status, before)) decided.push(id);
        if (this.#isStart(write.status, before)) started.push(id);
        this.#statuses.set(id, write.status);
        if (!isFinal(state)) continue;
        ended.push(id);
        // From this write on: a later one of the same entry may forget what it waited for, or open it again.
        this.#waiting.delete(id);
      }
      if (write.kind === "record" && write.collection === "childSets" && write.value?.isSealed === true)
        this.#sealed.add(write.id);
      if (write.kind === "record" && write.collection === "inputs" && write.value !== null)
        this.#before.set(taskOfInput(write.id), new Map());
      if (write.kind === "reopen-task") this.#reopen(write.head);
      if (write.kind === "forget-task") this.#forget(write.id, entry);
    }
    this.#forgiveReopened(entry);
    for (const write of entry.writes) {
      if (write.kind === "record" && write.collection === "inputs" && write.value !== null)
        this.#takeInput(write.id, write.value.input, entry);
    }
    for (const id of decided) this.#checkDecision(id, entry);
    for (const id of started) this.#checkStart(id, entry);
    for (const id of ended) this.#noteEnd(id, entry);
    for (const id of ended) this.#checkEnd(id, entry);
  }

  /** From here on the task may start: it is not blocked any more, or never was. */
  #isDecision({ id, state, attempt }: TaskStatus, before: TaskStatus | undefined): boolean {
    if (state === "blocked" || isFinal(state)) return false;
    if (before === undefined || before.state === "blocked") return true;
    // A retry opens what had started as it is: that was decided then. So it is with a graph or a broadcast, which have no attempts.
    const hadBegun = attempt > 0 || (state === "waiting" && this.#isOfNodes(id));
    return isFinal(before.state) && !hadBegun;
  }

  #isStart({ id, state, attempt }: TaskStatus, before: TaskStatus | undefined): boolean {
    const hasBegun = attempt > 0 || (state === "waiting" && this.#isOfNodes(id));
    return hasBegun && (before === undefined || (before.attempt === 0 && before.state !== "waiting"));
  }

  #isOfNodes(id: TaskId): boolean {
    const spec = this.#specs.get(id);
    return spec !== undefined && needsNoWorker(spec);
  }

  #reopen({ id, after = [] }: TaskHead): void {
    const status = this.#statuses.get(id);
    const attempt = status?.attempt ?? 0;
    if (status !== undefined) for (const known of this.#before.values()) known.set(id, status.state);
    this.#reopened.set(id, attempt);
    if (after.length > 0) this.#waiting.add(id);
    // What has not started may be given another input.
    if (attempt > 0) return;
    for (const record of this.#resolvedIn.keys()) if (record.startsWith(`${id}/`)) this.#resolvedIn.delete(record);
  }

  /** A graph whose failed nodes are open again starts nodes again. */
  #forgiveReopened({ writes }: LandedEntry): void {
    const reopened = new Set(writes.flatMap((write) => (write.kind === "reopen-task" ? [write.head.id] : [])));
    for (const prefix of new Set([...reopened].map(prefixOf))) {
      // What was opened may have ended again in this very entry: then it had been open in between.
      const others = [...(this.#nodes.get(prefix)?.values() ?? [])].filter((node) => !reopened.has(node));
      const states = others.map((node) => this.#statuses.get(node)?.state);
      if (!states.includes("failed") && !states.includes("cancelled")) this.#failedIn.delete(prefix);
    }
  }

  /** Links are what the graph's input says, told by the names of its nodes. */
  #takeSpec(spec: TaskSpec, { seq }: LandedEntry): void {
    const { id, name, parent, after = [], afterNames = [] } = spec;
    this.#specs.set(id, spec);
    if (after.length > 0) this.#waiting.add(id);
    const graph = this.#graphOf(parent);
    if (graph === null) return;
    const nodes = this.#nodes.get(prefixOf(id)) ?? new Map<string, TaskId>();
    this.#nodes.set(prefixOf(id), nodes);
    if (nodes.has(name)) this.#report(`the node ${name} of ${parent} was made twice, in entry ${seq}`, id);
    nodes.set(name, id);
    const wanted = [...new Set(graph.tasks[name]?.after)];
    if (JSON.stringify(wanted) !== JSON.stringify(afterNames))
      this.#report(
        `the node ${name} of ${parent} is to wait for ${wanted.join()}, and waits for ${afterNames.join()}`,
        id,
      );
    if (after.some((each, index) => nodes.get(afterNames[index] ?? "") !== each))
      this.#report(`the node ${name} of ${parent} waits for tasks that are not those of these names`, id);
  }

  #graphOf(parent: TaskId | undefined): GraphInput | null {
    const spec = parent === undefined ? undefined : this.#specs.get(parent);
    return spec?.kind === "graph" ? (spec.input as unknown as GraphInput) : null;
  }

  #checkDecision(id: TaskId, { seq }: LandedEntry): void {
    const spec = this.#specs.get(id);
    if (spec === undefined) return;
    const { after = [], runIf = "success" } = spec;
    for (const other of after) {
      const state = this.#stateFor(id, other) ?? null;
      if (state === null)
        this.#report(`${id} was started in entry ${seq}, and ${other}, which it waits for, is gone`, id, other);
      else if (!isFinal(state))
        this.#report(`${id} was started in entry ${seq}, and ${other}, which it waits for, is ${state}`, id, other);
    }
    if (after.length > 0 && !this.#isWanted(spec))
      this.#report(`${id} was started in entry ${seq} though its runIf is ${runIf}`, id);
  }

  #checkStart(id: TaskId, { seq }: LandedEntry): void {
    const { runIf = "success", parent } = this.#specs.get(id) ?? {};
    if (this.#graphOf(parent) === null) return;
    if (!this.#sealed.has(prefixOf(id)))
      this.#report(`${id} was started in entry ${seq}, before all nodes of its graph were there`, id);
    if (this.#isStopped(id, runIf, seq))
      this.#report(`${id} was started in entry ${seq}, after another node of its graph had failed`, id);
  }

  /** What a task was when it was decided whether another one may start. */
  #stateFor(id: TaskId, other: TaskId): TaskState | undefined {
    return this.#before.get(id)?.get(other) ?? this.#statuses.get(other)?.state;
  }

  #isWanted({ id, after = [], runIf = "success" }: TaskSpec): boolean {
    const haveSucceeded = after.every((other) => this.#stateFor(id, other) === "success");
    return runIf === "always" || (runIf === "success") === haveSucceeded;
  }

  /** Before this entry a node has failed, in a graph that starts nothing more then. */
  #isStopped(id: TaskId, runIf: string, seq: number): boolean {
    const graph = this.#graphOf(this.#specs.get(id)?.parent);
    const failedIn = this.#failedIn.get(prefixOf(id)) ?? Number.POSITIVE_INFINITY;
    return graph !== null && graph.onFailure !== "continue" && runIf === "success" && failedIn < seq;
  }

  #checkEnd(id: TaskId, { seq }: LandedEntry): void {
    const spec = this.#specs.get(id);
    const status = this.#statuses.get(id);
    if (spec === undefined || status === undefined) return;
    const { after = [], runIf = "success" } = spec;
    if (status.state === "skipped") {
      const open = after.find((other) => !isFinal(this.#statuses.get(other)?.state ?? "created"));
      if (open !== undefined) this.#report(`${id} was skipped in entry ${seq}, and ${open} has yet to end`, id, open);
      if (status.attempt > (this.#reopened.get(id) ?? 0))
        this.#report(`${id} was skipped in entry ${seq}, after ${status.attempt} attempts`, id);
      if ((after.length === 0 || this.#isWanted(spec)) && !this.#isStopped(id, runIf, seq + 1))
        this.#report(`${id} was skipped in entry ${seq}, and nothing kept it from running`, id);
    }
    if (spec.kind === "graph") this.#checkOutcome(spec, status, seq);
  }

  #checkOutcome({ id, input }: TaskSpec, { state, error, output, family }: TaskStatus, seq: number): void {
    const names = Object.keys((input as unknown as GraphInput).tasks);
    const nodes = this.#nodes.get(childPrefix(id, family?.epoch ?? 0, nodesKey));
    const states = [...(nodes?.values() ?? [])].map((node) => this.#statuses.get(node)?.state ?? "none");
    const failed = states.filter((each) => each === "failed" || each === "cancelled").length;
    if (state === "success" && (failed > 0 || states.length !== names.length))
      this.#report(
        `the graph ${id} succeeded in entry ${seq} with ${states.length} of ${names.length} nodes, ${failed} of them failed`,
        id,
      );
    if (error?.code === "graph-failed" && failed === 0)
      this.#report(`the graph ${id} failed in entry ${seq}, and none of its nodes had`, id);
    if (state !== "success") return;
    for (const node of nodes?.values() ?? []) {
      const spec = this.#specs.get(node);
      // Nothing has failed in the end, so that only `runIf` keeps a node from running.
      const isSkipped = this.#statuses.get(node)?.state === "skipped";
      if (spec !== undefined && isSkipped && ((spec.after ?? []).length === 0 || this.#isWanted(spec)))
        this.#report(`the graph ${id} succeeded in entry ${seq}, and its node ${node} was never run`, id, node);
    }
    const outputs = [...(nodes ?? [])].flatMap(([name, node]) => {
      const { state: end, output: own } = this.#statuses.get(node) ?? {};
      return end === "success" && own !== undefined ? [[name, own] as const] : [];
    });
    const given = Object.entries((output ?? {}) as object).sort(([one], [other]) => one.localeCompare(other));
    outputs.sort(([one], [other]) => one.localeCompare(other));
    if (JSON.stringify(given) !== JSON.stringify(outputs))
      this.#report(`the output of the graph ${id} is not that of its nodes`, id);
  }

  #noteEnd(id: TaskId, { seq }: LandedEntry): void {
    const state = this.#statuses.get(id)?.state;
    if (this.#graphOf(this.#specs.get(id)?.parent) === null) return;
    const isFailure = state === "failed" || state === "cancelled";
    if (isFailure && !this.#failedIn.has(prefixOf(id))) this.#failedIn.set(prefixOf(id), seq);
  }

  /** Once per generation, and from what the journal says of the tasks that it waits for. */
  #takeInput(record: string, input: unknown, { seq, order }: LandedEntry): void {
    const id = taskOfInput(record);
    const text = JSON.stringify(input);
    if ((this.#resolvedIn.get(record) ?? text) !== text)
      this.#report(`the input of ${id} was resolved again in entry ${seq}, to something else`, id);
    this.#resolvedIn.set(record, text);
    const argument = lastArgument(input);
    const list = this.#inputs.get(id) ?? [];
    this.#inputs.set(id, [...list, { order, argument }]);
    const { input: asked, after = [], afterNames = [] } = this.#specs.get(id) ?? {};
    const name = /^\$\{tasks\.(\w+)\.output\.token\}$/.exec(lastArgument(asked) ?? "")?.[1];
    const source = name === undefined ? undefined : this.#statuses.get(after[afterNames.indexOf(name)] as TaskId);
    if (source === undefined) return;
    const token = (source.output as { token?: string } | undefined)?.token;
    const wanted = source.state === "success" ? token : "null";
    if (argument !== wanted)
      this.#report(`${id} takes ${wanted} from ${name}, and its input of entry ${seq} says ${argument}`, id);
  }

  /** What workers were given is what was resolved before. */
  checkGiven(history: History): void {
    for (const { task, given, order } of eventsOf(history, "exec-start")) {
      if (given === undefined) continue;
      const resolved = this.#inputs.get(task)?.findLast((each) => each.order < order);
      if (given.startsWith("$") || (resolved !== undefined && resolved.argument !== given))
        this.#report(`${task} was run with ${given}, and its input says ${resolved?.argument}`, task);
    }
  }

  /** While a task has not ended, the families of those that it names stay. */
  #forget(id: TaskId, { seq }: LandedEntry): void {
    for (const waiter of this.#waiting) {
      const names = this.#specs.get(waiter)?.after ?? [];
      if (rootOf(waiter) !== rootOf(id) && names.some((other) => rootOf(other) === rootOf(id)))
        this.#report(
          `${id} was forgotten in entry ${seq}, and ${waiter} still waits for a task of its family`,
          id,
          waiter,
        );
    }
    this.#specs.delete(id);
    this.#statuses.delete(id);
    this.#reopened.delete(id);
    this.#waiting.delete(id);
    this.#nodes.delete(prefixOf(id));
    this.#sealed.delete(prefixOf(id));
    this.#failedIn.delete(prefixOf(id));
    for (const record of this.#resolvedIn.keys()) if (record.startsWith(`${id}/`)) this.#resolvedIn.delete(record);
  }
}

function taskOfInput(record: string): TaskId {
  return record.slice(0, record.indexOf("/")) as TaskId;
}

function lastArgument(input: unknown): string | null {
  const command = (input as { readonly command?: readonly string[] } | null)?.command;
  return Array.isArray(command) && command.length > 3 ? (command.at(-1) as string) : null;
}
