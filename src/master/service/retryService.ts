/** Retries of finished tasks: reads what has failed of a family from the store, and asks the scheduler to open it again. */
import type { FinishedTree } from "../../core/scheduler/inputs.ts";
import { ownedRecordId } from "../../model/collections/table.ts";
import { OutlastError } from "../../model/errors.ts";
import { childId, childPrefix, nodesKey, prefixOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { isRetriedWhole, needsNoWorker } from "../../model/kinds/table.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { isFinal, type TaskDocument, type TaskHead, type TaskStatus } from "../../model/task.ts";
import type { TaskPage } from "../../ports/store.ts";
import { bytesOfRetry } from "../journal/weights.ts";
import { readEnds } from "./familyReads.ts";
import type { ServiceCalls } from "./templateService.ts";

export interface RetryOptions {
  /** Only if this is still the task's last attempt: a repeated request is done once. Null for whatever it is. */
  readonly attempt: number | null;
  /** Nothing that the task remembers counts any more. */
  readonly isFromScratch: boolean;
  /** Refused where a task above it has succeeded without it. */
  readonly leavesSuccess?: boolean;
  /** Says what it would do, and changes nothing. */
  readonly isDryRun?: boolean;
}

type Sets = FinishedTree["sets"];

interface Tree {
  readonly found: FinishedTree;
  /** Tasks of whose failed children not all are in there: more have failed than one entry opens again. */
  readonly cut: readonly TaskId[];
}

export class RetryService {
  readonly #calls: Pick<ServiceCalls, "ask" | "read" | "store">;

  constructor(calls: Pick<ServiceCalls, "ask" | "read" | "store">) {
    this.#calls = calls;
  }

  /** @returns how many tasks are open again; 0 if the task had not ended, or had been retried before */
  async retry(id: TaskId, options: RetryOptions, by?: Actor): Promise<number> {
    for (let tries = 0; tries < limits.lookupsMax; tries += 1) {
      const { found, cut } = await this.#calls.read(() => this.#readTree(id, options.isFromScratch));
      const reply = await this.#calls.ask((request) => ({ kind: "retry", request, id, ...options, found }), by);
      if (reply.kind === "look-again") continue;
      if (reply.kind !== "retried") throw new Error(`The scheduler answered ${reply.kind} to a retry.`);
      let { reopened } = reply;
      if (reopened > 0 && options.isDryRun !== true)
        for (const parent of cut) reopened += await this.#retryRest(parent, by);
      return reopened;
    }
    throw new OutlastError("unavailable", "The task's family changed while it was looked up; try again.");
  }

  /** True if it was opened again after this was read, whatever has become of it. */
  async isRetriedSince({ id, retriedAt }: TaskDocument): Promise<boolean> {
    const { read, store } = this.#calls;
    const task = await read(() => store.readTask(id));
    return task !== null && task.retriedAt !== retriedAt;
  }

  /** The outermost graph or job that has ended around this task: only as a whole is it retried. Null if there is none. */
  async wholeAround(task: TaskDocument): Promise<TaskId | null> {
    if (task.parent === undefined) return null;
    const above = await this.#calls.read(() => this.#endedAbove(task));
    return above.find(isRetriedWhole)?.id ?? null;
  }

  /**
   * Each is a retry of its own, and complete by itself. Should it break off here, the family fails once more by what was left, and its next
   * retry goes on with that: the same request finds that the family has been retried.
   */
  async #retryRest(parent: TaskId, by: Actor | undefined): Promise<number> {
    const { read, store } = this.#calls;
    let reopened = 0;
    for (const state of ["failed", "cancelled"] as const) {
      const query = { parent, states: [state], order: "oldest", limit: limits.pageMax } as const;
      for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
        const from: string | null = cursor;
        const page: TaskPage = await read(() => store.listTasks({ ...query, cursor: from }));
        for (const { id, attempt } of page.tasks)
          reopened += await this.retry(id, { attempt, isFromScratch: false }, by);
        ({ cursor } = page);
      }
    }
    return reopened;
  }

  async #readTree(id: TaskId, isFromScratch: boolean): Promise<Tree> {
    const { store } = this.#calls;
    const { seq } = await store.findTasks([id]);
    const top = await store.readTask(id);
    if (top === null) throw new OutlastError("not-found", `There is no task ${id}.`);
    const above = await this.#endedAbove(top);
    const tree = [...above, top];
    const cut = isFromScratch ? [] : await this.#addFailedBelow(tree, above.length);
    const untaken: Sets[number][] = [];
    for (const each of tree) {
      for await (const sets of this.#endedSetsOf(each)) {
        await this.#checkWhole(each, sets);
        untaken.push(...sets.filter(({ record }) => record.isNoticed !== true));
      }
    }
    const tasks = tree.filter(({ state }) => isFinal(state)).map(split);
    const found = { seq, tasks, ends: await this.#endsBefore(tasks), sets: await this.#setsOf(tree, untaken) };
    if (bytesOfRetry(found) > limits.submissionBytesMax) {
      const hint = `Retry it from scratch: outlast retry ${id} --from-scratch`;
      throw new OutlastError(
        "too-many",
        `More has failed below task ${id} than one entry of the journal opens again.`,
        {
          limit: "submissionBytesMax",
          hint,
        },
      );
    }
    return { found, cut };
  }

  /** Of a graph all that did not succeed, since what may start depends on all of it; of other families as many as one entry takes. */
  async #addFailedBelow(tree: TaskDocument[], from: number): Promise<TaskId[]> {
    const cut: TaskId[] = [];
    let room = limits.retriedPerEntryMax - tree.length;
    for (let index = from; index < tree.length; index += 1) {
      const parent = tree[index];
      if (parent === undefined || (parent.family?.children ?? 0) === 0) continue;
      const isGraph = needsNoWorker(parent);
      const failed = await this.#failedBelow(parent, isGraph ? limits.graphTasksMax : room + 1);
      const present = await this.#ofGeneration(parent, failed);
      const taken = isGraph ? present : present.slice(0, Math.max(0, room));
      if (taken.length < present.length) cut.push(parent.id);
      if (!isGraph) room -= taken.length;
      tree.push(...taken);
    }
    return cut;
  }

  /** Retention removes what is below a task first, set by set, and its first children first. @throws OutlastError if it has begun to */
  async #checkWhole({ id }: TaskDocument, sets: Sets): Promise<void> {
    const { store } = this.#calls;
    const firsts = sets.flatMap(({ prefix, record }) => (record.created === 0 ? [] : [childId(prefix, 0)]));
    for (let from = 0; from < firsts.length; from += limits.statusesPerReadMax) {
      const ids = firsts.slice(from, from + limits.statusesPerReadMax);
      if ((await store.readStatuses(ids)).size === ids.length) continue;
      const hint = "Submit it anew. Finished tasks are removed when their retention is over.";
      throw new OutlastError("conflict", `The family of task ${id} is being removed.`, { hint });
    }
  }

  /** Of its present generation, page by page: over its life a task may have any number of sets. */
  async *#endedSetsOf({ id, family }: TaskDocument): AsyncGenerator<Sets, void, undefined> {
    if ((family?.children ?? 0) === 0) return;
    for (let after: string | undefined, isMore = true; isMore; ) {
      const wanted = { idPrefix: `${id}/`, limit: limits.pageMax, ...(after !== undefined && { after }) };
      const page = await this.#calls.store.listRecords("endedSets", wanted);
      yield page.records.flatMap(({ id: recordId, value: record }) => {
        const prefix = childPrefix(id, family?.epoch ?? 0, record.key);
        return recordId === ownedRecordId(id, prefix) ? [{ prefix, record }] : [];
      });
      after = page.records.at(-1)?.id;
      isMore = page.isMore && after !== undefined;
    }
  }

  /** @param untaken sets of these tasks that ended with them: no step of theirs remembers them */
  async #setsOf(tree: readonly TaskDocument[], untaken: Sets): Promise<Sets> {
    const parents = new Map<string, TaskId>();
    for (const task of tree) {
      const { id, parent, family } = task;
      if (parent !== undefined) parents.set(prefixOf(id), parent);
      if (needsNoWorker(task)) parents.set(childPrefix(id, family?.epoch ?? 0, nodesKey), id);
    }
    const sets = untaken.filter(({ prefix }) => !parents.has(prefix));
    for (const [prefix, parent] of parents) {
      const record = await this.#calls.store.readRecord("endedSets", ownedRecordId(parent, prefix));
      if (record !== null) sets.push({ prefix, record });
    }
    return sets;
  }

  #endsBefore(tasks: FinishedTree["tasks"]): Promise<FinishedTree["ends"]> {
    const ids = new Set(tasks.map(({ head }) => head.id));
    const others = new Set(tasks.flatMap(({ head }) => head.after ?? []).filter((each) => !ids.has(each)));
    return readEnds(this.#calls.store, [...others]);
  }

  /** The root first. */
  async #endedAbove(task: TaskDocument): Promise<TaskDocument[]> {
    const above: TaskDocument[] = [];
    for (let parent = task.parent; parent !== undefined; ) {
      const document = await this.#calls.store.readTask(parent);
      if (document === null || !isFinal(document.state)) break;
      above.unshift(document);
      ({ parent } = document);
    }
    return above;
  }

  /** Failed ones first, since others may have been cancelled or skipped because of them. */
  async #failedBelow({ id: parent }: TaskDocument, max: number): Promise<TaskDocument[]> {
    const found: TaskDocument[] = [];
    for (const state of ["failed", "cancelled", "skipped"] as const) {
      for (
        let cursor: string | null = null, isFirst = true;
        found.length < max && (isFirst || cursor !== null);
        isFirst = false
      ) {
        const limit = Math.min(limits.pageMax, max - found.length);
        const page = await this.#calls.store.listTasks({ parent, states: [state], order: "oldest", cursor, limit });
        found.push(...page.tasks);
        ({ cursor } = page);
      }
    }
    return found;
  }

  /** Without children of earlier generations: nobody waits for those. */
  async #ofGeneration({ id, family }: TaskDocument, children: readonly TaskDocument[]): Promise<TaskDocument[]> {
    const isPresent = new Map<string, boolean>();
    for (const child of children) {
      const prefix = prefixOf(child.id);
      if (isPresent.has(prefix)) continue;
      const record = await this.#calls.store.readRecord("endedSets", ownedRecordId(id, prefix));
      isPresent.set(prefix, record !== null && childPrefix(id, family?.epoch ?? 0, record.key) === prefix);
    }
    return children.filter((child) => isPresent.get(prefixOf(child.id)) === true);
  }
}

/** Which fields of a document are of its status. */
const statusFields: { readonly [Field in keyof TaskStatus]-?: true } = {
  id: true,
  state: true,
  attempt: true,
  failures: true,
  kills: true,
  uncounted: true,
  losses: true,
  firstLoss: true,
  isAlone: true,
  changedAt: true,
  host: true,
  boot: true,
  assignedAt: true,
  startedAt: true,
  retriedAt: true,
  endedAt: true,
  retryAt: true,
  output: true,
  error: true,
  exit: true,
  exits: true,
  isRecorded: true,
  family: true,
  logBytes: true,
  backup: true,
  openRun: true,
};

/** Without what a retry does not need: payload and output. */
function split(document: TaskDocument): { readonly head: TaskHead; readonly status: TaskStatus } {
  const entries = Object.entries(document);
  const isOfStatus = ([name]: [string, unknown]): boolean => Object.hasOwn(statusFields, name);
  const {
    name: _n,
    input: _i,
    adoptedFrom: _a,
    afterNames: _f,
    origin: _o,
    schedule: _s,
    ...head
  } = Object.fromEntries(entries.filter((entry) => entry[0] === "id" || !isOfStatus(entry)));
  const { output: _r, ...status } = Object.fromEntries(entries.filter(isOfStatus));
  // By their names the fields are those of the two parts.
  return { head: head as unknown as TaskHead, status: status as unknown as TaskStatus };
}
