/**
 * I25: what a script does is done as it says, and remembered once: each step is written by the attempt that runs, and its function
 * is not run again after that; each set has the children that the script names, no more of them at a time than it allows; and the
 * script succeeds only when all of it is remembered.
 */
import { childPrefix, indexOf, prefixOf, type StepRecord, stepId, submittedIn } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskSpec, type TaskStatus } from "../../model/task.ts";
import { checker, type Report } from "./checker.ts";
import type { History, LandedEntry } from "./ledger.ts";
import { eventsOf, executions } from "./reading.ts";
import { keysOfBoth, type Operation, scriptOf } from "./scripts.ts";

type ChildrenOperation = Extract<Operation, { children: string }>;

interface MadeSet {
  readonly parent: TaskId;
  readonly operation: ChildrenOperation;
  readonly children: TaskId[];
}

export const scriptsKept = checker("I25", "scripts are carried out as they say, and remembered", (history, report) => {
  const attempts = new Map(executions(history).map(({ token, attempt }) => [token, attempt]));
  const scripts = new ScriptsByJournal(attempts, report);
  for (const entry of history.entries) scripts.take(entry);
  for (const { task, key, made } of eventsOf(history, "told-made"))
    if (!scripts.hasSubmitted(task, key, made))
      report(`${task} was told that its submission ${key} made ${made}, and no step says so`, task);
  checkRuns(history, report);
});

class ScriptsByJournal {
  readonly #attempts: ReadonlyMap<string, number>;
  readonly #report: Report;
  readonly #specs = new Map<TaskId, TaskSpec>();
  readonly #statuses = new Map<TaskId, TaskStatus>();
  readonly #steps = new Map<string, StepRecord>();
  readonly #sets = new Map<string, MadeSet>();
  readonly #submitted = new Set<string>();

  constructor(attempts: ReadonlyMap<string, number>, report: Report) {
    this.#attempts = attempts;
    this.#report = report;
  }

  /** True if a step of the task has ever named `made` under the key. */
  hasSubmitted(task: TaskId, key: string, made: TaskId | null): boolean {
    return this.#submitted.has(`${task} ${key} ${made}`);
  }

  take(entry: LandedEntry): void {
    const before = new Map<TaskId, TaskStatus | undefined>();
    for (const write of entry.writes) {
      if (write.kind === "spec") this.#takeSpec(write.spec, entry);
      if (write.kind !== "status") continue;
      const { id } = write.status;
      if (!before.has(id)) before.set(id, this.#statuses.get(id));
      this.#statuses.set(id, write.status);
    }
    for (const write of entry.writes) {
      if (write.kind !== "record" || write.collection !== "steps" || write.value === null) continue;
      this.#takeStep(write.id, write.value, before, entry);
    }
    for (const id of before.keys()) this.#checkStatus(id, entry);
  }

  #takeSpec(spec: TaskSpec, { seq }: LandedEntry): void {
    const { id, parent } = spec;
    this.#specs.set(id, spec);
    if (scriptOf(spec) !== null) this.#begin(spec);
    if (parent === undefined) return;
    const set = this.#sets.get(prefixOf(id));
    if (set === undefined) return;
    set.children.push(id);
    const wanted = set.operation.tasks[indexOf(id)];
    if (wanted === undefined || wanted.kind !== spec.kind || !isSame(wanted.input, spec.input))
      this.#report(
        `the child ${id} was made in entry ${seq}, and is not what the script of ${parent} says`,
        id,
        parent,
      );
  }

  /** Ids may be used again: nothing is left of the earlier task then. */
  #begin(spec: TaskSpec): void {
    for (const operation of scriptOf(spec) ?? []) {
      if ("children" in operation)
        this.#sets.set(childPrefix(spec.id, 0, operation.children), { parent: spec.id, operation, children: [] });
      for (const key of keysOf(operation)) this.#steps.delete(stepId(spec.id, 0, key));
    }
  }

  #takeStep(
    id: string,
    step: StepRecord,
    before: ReadonlyMap<TaskId, TaskStatus | undefined>,
    { seq }: LandedEntry,
  ): void {
    this.#steps.set(id, step);
    const task = id.slice(0, id.lastIndexOf("/")) as TaskId;
    const made = submittedIn(step);
    if (made !== undefined) this.#submitted.add(`${task} ${id.slice(id.indexOf(".", task.length) + 1)} ${made}`);
    const spec = this.#specs.get(task);
    if (spec === undefined || scriptOf(spec) === null) return;
    const status = before.has(task) ? before.get(task) : this.#statuses.get(task);
    if ("value" in step) this.#checkAuthor(id, step.value, status, seq);
    if ("children" in step) this.#checkOutcome(id, step.children, seq);
  }

  /** `status`: as it was before this entry. */
  #checkAuthor(id: string, value: unknown, status: TaskStatus | undefined, seq: number): void {
    const { by, id: submitted } = value as { readonly by?: string; readonly id?: TaskId };
    if (submitted !== undefined && !this.#specs.has(submitted))
      this.#report(`the step ${id} names ${submitted} in entry ${seq}, and there is no such task`);
    if (by === undefined) return;
    const attempt = this.#attempts.get(by);
    if (attempt === undefined) this.#report(`the step ${id} of entry ${seq} is from no execution`);
    else if (status?.state !== "running" || status.attempt !== attempt)
      this.#report(
        `the step ${id} of attempt ${attempt} was taken in entry ${seq}, when its task was ${status?.state}/${status?.attempt}`,
      );
  }

  #checkOutcome(id: string, outcome: Extract<StepRecord, { children: unknown }>["children"], seq: number): void {
    const set = [...this.#sets.values()].find(({ parent, operation }) => stepId(parent, 0, operation.children) === id);
    if (set === undefined) return;
    const count = (state: string): number =>
      set.children.filter((child) => this.#statuses.get(child)?.state === state).length;
    const real = { total: set.children.length, ...countAll(count) };
    const { total, succeeded, failed, cancelled } = outcome;
    if (!isSame({ total, succeeded, failed, cancelled }, real))
      this.#report(
        `the set ${id} ended in entry ${seq} as ${JSON.stringify(outcome)}, and was ${JSON.stringify(real)}`,
      );
    const { tasks, more } = set.operation;
    const isBroken = more.onFailure === "cancel" && failed > (more.failuresMax ?? 0);
    if (total !== tasks.length && !isBroken)
      this.#report(`the set ${id} ended in entry ${seq} with ${total} children, and its script names ${tasks.length}`);
  }

  #checkStatus(id: TaskId, { seq }: LandedEntry): void {
    const status = this.#statuses.get(id);
    const spec = this.#specs.get(id);
    if (status === undefined || spec === undefined) return;
    if (status.state === "running") this.#checkConcurrency(id, seq);
    const script = scriptOf(spec);
    if (script === null) return;
    if (status.state === "failed" && status.error?.code === "non-retryable")
      this.#report(
        `the script of ${id} was refused something, and so it failed in entry ${seq}: ${status.error.message}`,
        id,
      );
    if (status.state !== "success") return;
    for (const key of script.flatMap(keysOf))
      if (!this.#steps.has(stepId(id, 0, key)))
        this.#report(`${id} succeeded in entry ${seq}, and nothing is remembered of ${key}`, id);
  }

  #checkConcurrency(child: TaskId, seq: number): void {
    const set = this.#specs.get(child)?.parent === undefined ? undefined : this.#sets.get(prefixOf(child));
    const most = set?.operation.more.concurrencyMax;
    if (set === undefined || most === undefined) return;
    const begun = set.children.filter((id) => {
      const status = this.#statuses.get(id);
      // One that a retry has opened again waits for its place like a new one, whatever it has tried before.
      const hasBegun = status !== undefined && status.attempt > 0 && status.state !== "created";
      return hasBegun && !isFinal(status.state);
    });
    if (begun.length > most)
      this.#report(
        `${begun.length} children of ${set.parent} are under way in entry ${seq}; ${most} are allowed`,
        child,
      );
  }
}

/** The function of a step that is remembered is not run by any execution that begins after that. */
function checkRuns(history: History, report: Report): void {
  const births = new Map<TaskId, number[]>();
  for (const { order, writes } of history.entries)
    for (const write of writes)
      if (write.kind === "spec") births.set(write.spec.id, [...(births.get(write.spec.id) ?? []), order]);
  const starts = new Map(executions(history).map(({ token, startOrder }) => [token, startOrder]));
  const nameOf = ({
    task,
    key,
    token,
  }: {
    readonly task: TaskId;
    readonly key: string;
    readonly token: string;
  }): string => {
    const startOrder = starts.get(token) ?? 0;
    return `${task} ${births.get(task)?.filter((order) => order < startOrder).length} ${key}`;
  };
  const kept = new Map<string, number>();
  for (const event of eventsOf(history, "step-kept")) kept.set(nameOf(event), event.order);
  for (const event of eventsOf(history, "step-ran")) {
    const keptOrder = kept.get(nameOf(event));
    if (keptOrder !== undefined && keptOrder < (starts.get(event.token) ?? 0))
      report(`the step ${event.key} of ${event.task} was remembered, and run again by ${event.token}`, event.task);
  }
}

/** The keys under which a script remembers that this operation is done. */
function keysOf(operation: Operation): string[] {
  if ("both" in operation) return Object.values(keysOfBoth(operation.both));
  return Object.entries(operation).flatMap(([name, key]) => (keyNames.includes(name) ? [String(key)] : []));
}

const keyNames: readonly string[] = ["step", "children", "sleep", "signal", "submit"];

function countAll(count: (state: string) => number): { succeeded: number; failed: number; cancelled: number } {
  return { succeeded: count("success"), failed: count("failed"), cancelled: count("cancelled") };
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
