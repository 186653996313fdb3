/** Retries of finished tasks: reads what has failed of a family from the store, and asks the scheduler to open it again. */
import type { FinishedTree } from "../../core/scheduler/inputs.ts";
import { ownedRecordId } from "../../model/collections/table.ts";
import { OutlastError } from "../../model/errors.ts";
import { childPrefix, prefixOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { isFinal, type TaskDocument, type TaskHead, type TaskStatus } from "../../model/task.ts";
import type { TaskPage } from "../../ports/store.ts";
import type { ServiceCalls } from "./templateService.ts";

export interface RetryOptions {
  /** Only if this is still the task's last attempt: a repeated request is done once. Null for whatever it is. */
  readonly attempt: number | null;
  /** Nothing that the task remembers counts any more. */
  readonly isFromScratch: boolean;
}

type Tree = FinishedTree & {
  /** True if more has failed below the task than one entry opens again. */
  readonly isCut: boolean;
};

export class RetryService {
  readonly #calls: Pick<ServiceCalls, "ask" | "read" | "store">;

  constructor(calls: Pick<ServiceCalls, "ask" | "read" | "store">) {
    this.#calls = calls;
  }

  /** @returns how many tasks are open again; 0 if the task had not ended, or had been retried before */
  async retry(id: TaskId, options: RetryOptions, by?: Actor): Promise<number> {
    for (let tries = 0; tries < limits.lookupsMax; tries += 1) {
      const found = await this.#calls.read(() => this.#readTree(id, options.isFromScratch));
      const reply = await this.#calls.ask((request) => ({ kind: "retry", request, id, ...options, found }), by);
      if (reply.kind === "look-again") continue;
      if (reply.kind !== "retried") throw new Error(`The scheduler answered ${reply.kind} to a retry.`);
      return reply.reopened + (found.isCut && reply.reopened > 0 ? await this.#retryRest(id, by) : 0);
    }
    throw new OutlastError("unavailable", "The task's family changed while it was looked up; try again.");
  }

  /** Each is a retry of its own, and complete by itself. Should it break off here, the same request goes on. */
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
    let isCut = false;
    for (let index = above.length; index < tree.length; index += 1) {
      const parent = isFromScratch ? undefined : tree[index];
      // Nothing of a graph runs again by itself.
      if (parent === undefined || parent.kind === "graph" || (parent.family?.children ?? 0) === 0) continue;
      const room = limits.retriedPerEntryMax - tree.length;
      const failed = await this.#failedBelow(parent.id, room + 1);
      const epoch = parent.family?.epoch ?? 0;
      const present = await this.#ofGeneration(parent.id, epoch, failed);
      isCut ||= failed.length > room;
      tree.push(...present.slice(0, Math.max(0, room)));
    }
    const prefixes = new Map(
      tree.flatMap(({ id: child, parent }) => (parent === undefined ? [] : [[prefixOf(child), parent]])),
    );
    const sets: FinishedTree["sets"][number][] = [];
    for (const [prefix, parent] of prefixes) {
      const record = await store.readRecord("endedSets", ownedRecordId(parent, prefix));
      if (record !== null) sets.push({ prefix, record });
    }
    return { seq, tasks: tree.filter(({ state }) => isFinal(state)).map(split), sets, isCut };
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

  /** Failed ones first, since a set may be cancelled because of them. */
  async #failedBelow(parent: TaskId, max: number): Promise<TaskDocument[]> {
    const found: TaskDocument[] = [];
    for (const state of ["failed", "cancelled"] as const) {
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
  async #ofGeneration(parent: TaskId, epoch: number, children: readonly TaskDocument[]): Promise<TaskDocument[]> {
    const isPresent = new Map<string, boolean>();
    for (const { id } of children) {
      const prefix = prefixOf(id);
      if (isPresent.has(prefix)) continue;
      const record = await this.#calls.store.readRecord("endedSets", ownedRecordId(parent, prefix));
      isPresent.set(prefix, record !== null && childPrefix(parent, epoch, record.key) === prefix);
    }
    return children.filter(({ id }) => isPresent.get(prefixOf(id)) === true);
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
  isRecorded: true,
  family: true,
  logBytes: true,
};

function split(document: TaskDocument): { readonly head: TaskHead; readonly status: TaskStatus } {
  const entries = Object.entries(document);
  const isOfStatus = ([name]: [string, unknown]): boolean => Object.hasOwn(statusFields, name);
  const {
    name: _n,
    input: _i,
    adoptedFrom: _a,
    afterNames: _f,
    ...head
  } = Object.fromEntries(entries.filter((entry) => entry[0] === "id" || !isOfStatus(entry)));
  // By their names the fields are those of the two parts.
  return {
    head: head as unknown as TaskHead,
    status: Object.fromEntries(entries.filter(isOfStatus)) as unknown as TaskStatus,
  };
}
