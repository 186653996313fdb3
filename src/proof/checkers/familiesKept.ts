/**
 * I24 to I27: a task ends only after its children; each child is made once, and under a parent whose outcome is open; the counts of
 * a set are those of its children; what is remembered under a key stays as it is.
 */
import { descendantRange, isDescendant, prefixOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { isFinal, type TaskSpec, type TaskStatus } from "../../model/task.ts";
import { checker, type Report } from "./checker.ts";
import type { LandedEntry } from "./ledger.ts";
import { eventsOf } from "./reading.ts";

export const familiesKept = checker("I24", "families are structured, counted and remembered", (history, report) => {
  const families = new FamiliesByJournal(report, eventsOf(history, "retry-asked"));
  for (const entry of history.entries) families.take(entry);
});

class FamiliesByJournal {
  readonly #report: Report;
  readonly #asked: readonly { readonly task: TaskId; readonly order: number }[];
  readonly #specs = new Map<TaskId, TaskSpec>();
  readonly #statuses = new Map<TaskId, TaskStatus>();
  /** Children by parent, and by the prefix of their set. */
  readonly #children = new Map<TaskId, TaskId[]>();
  readonly #sets = new Map<string, TaskId[]>();
  readonly #steps = new Map<string, string>();

  /** @param asked retries of single tasks: only those open what succeeded above them */
  constructor(report: Report, asked: readonly { readonly task: TaskId; readonly order: number }[]) {
    this.#report = report;
    this.#asked = asked;
  }

  take(entry: LandedEntry): void {
    const decided = new Set([...this.#statuses.values()].filter(isDecided).map(({ id }) => id));
    const before = new Map<TaskId, TaskStatus | undefined>();
    const ended: TaskId[] = [];
    const counted = new Map<string, { readonly created: number; readonly ended: number }>();
    for (const write of entry.writes) {
      if (write.kind === "spec") this.#takeSpec(write.spec, decided, entry);
      if (write.kind === "status") {
        const last = this.#statuses.get(write.status.id);
        this.#statuses.set(write.status.id, write.status);
        if (isFinal(write.status.state)) ended.push(write.status.id);
        if (write.status.state === "running" && write.status.attempt !== last?.attempt)
          this.#checkStart(write.status.id, decided, entry);
      }
      if (write.kind === "reopen-task") {
        before.set(write.head.id, this.#statuses.get(write.head.id));
        decided.delete(write.head.id);
      }
      if (write.kind === "forget-task") this.#forget(write.id, entry);
      if (write.kind === "record" && write.collection === "childSets" && write.value !== null) {
        const { created, succeeded, failed, cancelled, skipped = 0 } = write.value;
        counted.set(write.id, { created, ended: succeeded + failed + cancelled + skipped });
      }
      if (write.kind === "record" && write.collection === "steps" && write.value === null) this.#steps.delete(write.id);
      if (write.kind === "record" && write.collection === "steps" && write.value !== null) {
        const text = JSON.stringify(write.value);
        const known = this.#steps.get(write.id);
        if (known !== undefined && known !== text)
          this.#report(`the step ${write.id} was ${known} and became ${text} in entry ${entry.seq}`);
        this.#steps.set(write.id, text);
      }
    }
    for (const [id, status] of before) this.#checkReopened(id, status, { opened: before, ended }, entry);
    for (const id of ended) if (isFinal(this.#statuses.get(id)?.state ?? "created")) this.#checkEnd(id, entry);
    for (const [prefix, record] of counted) this.#checkCounts(prefix, record, entry);
  }

  #takeSpec(spec: TaskSpec, decided: ReadonlySet<TaskId>, entry: LandedEntry): void {
    const { id, parent } = spec;
    if (isDescendant(id) && this.#specs.has(id))
      this.#report(`the child ${id} was made twice, in entry ${entry.seq}`, id);
    this.#specs.set(id, spec);
    if (parent === undefined) return;
    if (!this.#statuses.has(parent))
      this.#report(`the child ${id} was made in entry ${entry.seq}, and there is no task ${parent}`, id, parent);
    for (let above: TaskId | undefined = parent; above !== undefined; above = this.#specs.get(above)?.parent) {
      if (!decided.has(above)) continue;
      const what = `the child ${id} was made in entry ${entry.seq}`;
      this.#report(`${what}, after the outcome of ${above} was decided`, id, above);
    }
    add(this.#children, parent, id);
    add(this.#sets, prefixOf(id), id);
  }

  #checkStart(id: TaskId, decided: ReadonlySet<TaskId>, entry: LandedEntry): void {
    for (let above = this.#specs.get(id)?.parent; above !== undefined; above = this.#specs.get(above)?.parent) {
      if (decided.has(above))
        this.#report(`${id} was started in entry ${entry.seq}, after the outcome of ${above} was decided`, id, above);
    }
  }

  #checkEnd(id: TaskId, entry: LandedEntry): void {
    for (const child of this.#children.get(id) ?? []) {
      const state = this.#statuses.get(child)?.state ?? "none";
      if (state === "none" || !isFinal(state))
        this.#report(`${id} ended in entry ${entry.seq}, and its child ${child} is ${state}`, id, child);
    }
  }

  /** A retry opens what failed, and what is above it; what a task of the same generation remembers stays. */
  #checkReopened(
    id: TaskId,
    before: TaskStatus | undefined,
    { opened, ended }: { readonly opened: ReadonlyMap<TaskId, unknown>; readonly ended: readonly TaskId[] },
    entry: LandedEntry,
  ): void {
    const parent = this.#specs.get(id)?.parent;
    const above = parent === undefined ? undefined : this.#statuses.get(parent)?.state;
    // Both may have been cancelled again within the entry, and a parent that ends in it had not when its child was opened.
    const isOpen = parent !== undefined && (opened.has(parent) || ended.includes(parent));
    if (above !== undefined && isFinal(above) && !isOpen)
      this.#report(`${id} was opened again in entry ${entry.seq}, and its parent is ${above}`, id);
    const isAbove = [...opened.keys()].some((each) => this.#specs.get(each)?.parent === id);
    if (before?.state === "success" && !isAbove)
      this.#report(`${id} had succeeded, and was opened again in entry ${entry.seq}`, id);
    const isAsked = this.#asked.some(({ task, order }) => order < entry.order && task !== id && opened.has(task));
    if (before?.state === "success" && isAbove && !isAsked)
      this.#report(`${id} had succeeded, and a retry of many opened it in entry ${entry.seq}`, id);
    const after = entry.writes.find((write) => write.kind === "status" && write.status.id === id);
    const family = after?.kind === "status" ? after.status.family : undefined;
    if (before?.family === undefined || family?.epoch !== before.family.epoch) return;
    const gone = entry.writes.filter(
      (write) =>
        write.kind === "record" &&
        write.collection === "steps" &&
        write.value === null &&
        write.id.startsWith(`${id}/`),
    ).length;
    const last = entry.writes.findLast((write) => write.kind === "status" && write.status.id === id);
    const steps = last?.kind === "status" ? (last.status.family?.steps ?? 0) : 0;
    if (steps < before.family.steps - gone)
      this.#report(
        `${id} remembered ${before.family.steps} steps and ${steps} after a retry in entry ${entry.seq}`,
        id,
      );
  }

  #checkCounts(prefix: string, record: { readonly created: number; readonly ended: number }, entry: LandedEntry): void {
    const children = this.#sets.get(prefix) ?? [];
    const ended = children.filter((id) => isFinal(this.#statuses.get(id)?.state ?? "created")).length;
    if (children.length === record.created && ended === record.ended) return;
    this.#report(
      `the set ${prefix} has ${children.length} children of which ${ended} have ended, and entry ${entry.seq} says ${record.created} and ${record.ended}`,
      ...children.slice(0, 1),
    );
  }

  /** A family is forgotten whole, its root last. */
  #forget(id: TaskId, entry: LandedEntry): void {
    const { from, until } = descendantRange(id);
    const below = [...this.#specs.keys()].find((each) => each >= from && each < until);
    if (!isDescendant(id) && below !== undefined)
      this.#report(`${id} was forgotten in entry ${entry.seq} before its descendant ${below}`, id, below);
    if (isDescendant(id)) this.#sets.delete(prefixOf(id));
    this.#specs.delete(id);
    this.#statuses.delete(id);
    this.#children.delete(id);
    for (const step of this.#steps.keys()) if (step.startsWith(`${id}/`)) this.#steps.delete(step);
  }
}

function isDecided({ state, family }: TaskStatus): boolean {
  return isFinal(state) || family?.ending !== undefined;
}

function add<Key>(lists: Map<Key, TaskId[]>, key: Key, id: TaskId): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [id]);
  else list.push(id);
}
