/**
 * The critical path of a task that has ended: the chain of attempts, of its own and of its family, and of waits between them, that
 * decided when it ended. It is found backwards: what ended last before something could begin is what it has waited for.
 */
import type { Attempt, Task } from "../../api/schema.ts";
import { finalStates } from "../../parts/states.tsx";

export type Member = Pick<
  Task,
  "id" | "name" | "kind" | "state" | "parent" | "after" | "createdAt" | "changedAt" | "retriedAt" | "backupOf"
> & {
  /** The first one first. */
  readonly attempts: readonly Attempt[];
};

/**
 * start    for its first worker, or for the time that it was to start at
 * before   for a worker, once what it comes after had ended
 * again    for its next attempt, after one that had failed: the back-off, then a worker
 * lost     for another worker, after its own was lost
 * retried  until somebody retried it
 * asleep   in a sleep or for a signal, and then for a worker
 * family   for a worker to go on, once its children had ended
 * made     until its children were made
 * report   until what it or its last child had reported was taken in
 */
export type WaitReason = "start" | "before" | "again" | "lost" | "retried" | "asleep" | "family" | "made" | "report";

export interface PathPart {
  readonly task: string;
  readonly name: string;
  /** In ms since 1970. Each part begins where the one before it ends, but for waits that are too short to tell. */
  readonly from: number;
  readonly to: number;
  /** What ran; null for a wait. */
  readonly attempt: Attempt | null;
  /** Null for an attempt. */
  readonly wait: WaitReason | null;
}

/** Clocks of workers and of the leader differ by more than that. */
const waitMsMin = 5;

/**
 * @param family all tasks below the root, as far as they are known
 * @returns the parts in the order of time; none while the root has not ended
 */
export function criticalPath(root: Member, family: readonly Member[]): readonly PathPart[] {
  return finalStates.has(root.state) ? new Walk(root, family).parts() : [];
}

/** What can be told from the attempts of these tasks only, and of which not all are known. */
export function tasksOnPath(parts: readonly PathPart[]): ReadonlySet<string> {
  return new Set(parts.map(({ task }) => task));
}

/** Goes from the end to the beginning. Whatever it has used it does not use again, so it comes to an end. */
class Walk {
  readonly #byId: ReadonlyMap<string, Member>;
  readonly #children: ReadonlyMap<string, readonly Member[]>;
  readonly #parts: PathPart[] = [];
  readonly #used = new Set<Member | Attempt>();
  /** The tasks to come back to where the current one was made by them: the nearest last. */
  readonly #makers: Member[] = [];
  #task: Member;
  /** All that comes later is told. */
  #at: number;
  /** What the current task did from then on. */
  #next: "end" | "attempt" | "children" = "end";

  constructor(root: Member, family: readonly Member[]) {
    this.#byId = new Map([root, ...family].map((task) => [task.id, task]));
    this.#children = Map.groupBy(family, ({ parent = "" }) => parent);
    this.#task = root;
    this.#at = root.changedAt;
  }

  parts(): readonly PathPart[] {
    while (this.#step());
    return this.#parts.toReversed();
  }

  #step(): boolean {
    const attempt = this.#latestAttempt();
    if (attempt !== null && (attempt.endedAt ?? this.#at) >= this.#at) return this.#ran(attempt);
    const child = this.#latestOf(this.#children.get(this.#task.id) ?? []);
    if (child !== null && child.changedAt > (attempt?.endedAt ?? 0)) {
      this.#waited(child.changedAt, this.#next === "end" ? "report" : "family");
      this.#makers.push(this.#task);
      return this.#goTo(child);
    }
    if (attempt?.endedAt === undefined) return this.#began();
    this.#waited(attempt.endedAt, this.#reasonAfter(attempt));
    return this.#ran(attempt);
  }

  #latestAttempt(): Attempt | null {
    return this.#task.attempts.findLast((each) => each.assignedAt < this.#at && !this.#used.has(each)) ?? null;
  }

  /** The one that has ended last, by the time that is looked at. */
  #latestOf(tasks: readonly Member[]): Member | null {
    const mayCount = ({ state, backupOf }: Member) =>
      // What was cancelled by others has decided nothing, unless all were.
      finalStates.has(state) && backupOf === undefined && (state !== "cancelled" || this.#task.state === "cancelled");
    let latest: Member | null = null;
    for (const each of tasks) {
      if (each.changedAt > this.#at || this.#used.has(each) || !mayCount(each)) continue;
      if (latest === null || each.changedAt > latest.changedAt) latest = each;
    }
    return latest;
  }

  #reasonAfter({ outcome, endedAt = 0 }: Attempt): WaitReason {
    const { retriedAt = 0 } = this.#task;
    if (this.#next === "end") return "report";
    if (this.#next === "children") return "made";
    if (retriedAt > endedAt && retriedAt <= this.#at) return "retried";
    if (outcome === "suspended") return "asleep";
    return outcome === "killed" ? "lost" : "again";
  }

  #ran(attempt: Attempt): true {
    this.#used.add(attempt);
    this.#tell(attempt.assignedAt, { attempt, wait: null });
    this.#next = "attempt";
    return true;
  }

  /** Before the first attempt of the task, and before all that it has made. */
  #began(): boolean {
    // A graph in a graph has its nodes from the beginning; they wait for what it comes after.
    const makers = this.#makers.toReversed();
    const plain = makers.findIndex(({ kind }) => kind !== "graph");
    for (const [depth, each] of [this.#task, ...makers.slice(0, plain < 0 ? makers.length : plain)].entries()) {
      const before = this.#latestOf((each.after ?? []).flatMap((id) => this.#byId.get(id) ?? []));
      if (before === null || before.changedAt < this.#task.createdAt) continue;
      this.#waited(before.changedAt, this.#next === "end" ? "report" : "before");
      // It was made by the same task.
      this.#makers.length -= depth;
      return this.#goTo(before);
    }
    const reasons = { end: "report", attempt: "start", children: "made" } as const;
    this.#waited(this.#task.createdAt, reasons[this.#next]);
    const maker = this.#makers.pop();
    if (maker === undefined) return false;
    this.#task = maker;
    this.#next = "children";
    return true;
  }

  #goTo(task: Member): true {
    this.#used.add(task);
    this.#task = task;
    this.#next = "end";
    return true;
  }

  #waited(from: number, wait: WaitReason): void {
    if (this.#at - from >= waitMsMin) this.#tell(from, { attempt: null, wait });
    this.#at = Math.min(this.#at, from);
  }

  #tell(from: number, what: Pick<PathPart, "attempt" | "wait">): void {
    const { id: task, name } = this.#task;
    if (from < this.#at) this.#parts.push({ task, name, from, to: this.#at, ...what });
    this.#at = Math.min(this.#at, from);
  }
}
