/** Many tasks at once: found page by page in the store, changed in chunks, between which others get their turn. */
import type { RequestId, SchedulerInput } from "../../core/scheduler/inputs.ts";
import { type ErrorDetails, OutlastError } from "../../model/errors.ts";
import { mayHaveChildren } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { isFinal, type TaskDocument, type TaskState, taskStates } from "../../model/task.ts";
import type { TaskQuery } from "../../ports/store.ts";
import type { BulkAction, BulkAnswer, BulkApi, BulkRequest } from "./bulkApi.ts";
import { changeInChunks } from "./bulkChunks.ts";
import { BulkDeletes } from "./bulkDeletes.ts";
import { BulkRetries } from "./bulkRetries.ts";
import type { RetryService } from "./retryService.ts";
import type { ServiceCalls } from "./templateService.ts";

type Calls = Pick<ServiceCalls, "store" | "ask" | "read" | "checkLeading">;

/** Begins the cursor after a part that has not come to the end of a family: what follows it is where that part began. */
const againMark = "again:";

export class BulkService implements BulkApi {
  readonly #calls: Calls;
  readonly #retries: BulkRetries;
  readonly #deletes: BulkDeletes;

  constructor(calls: Calls, retries: RetryService) {
    this.#calls = calls;
    this.#retries = new BulkRetries(retries);
    this.#deletes = new BulkDeletes(calls);
  }

  async run(action: BulkAction, request: BulkRequest, by?: Actor): Promise<BulkAnswer> {
    const { limit, isDryRun } = request;
    const { store, read } = this.#calls;
    this.#calls.checkLeading();
    const cursor = request.cursor?.startsWith(againMark) === true ? placeOf(request.cursor) : request.cursor;
    // Asked first: what the list shows is at least as new.
    const { seq } = await read(() => store.findTasks([]));
    const page = await read(() =>
      store.listTasks({ ...filterFor(action, request, by), order: "oldest", cursor, limit }),
    );
    const refused = page.tasks.flatMap((task) => {
      const message = refusalOf(action, task, by);
      return message === null ? [] : [{ id: task.id, message }];
    });
    const wanted = page.tasks.filter((task) => refusalOf(action, task, by) === null);
    if (action === "retry") {
      const retried = await this.#retries.run(wanted, isDryRun, by);
      return { tasks: retried.tasks, refused: [...refused, ...retried.refused], cursor: page.cursor };
    }
    if (isDryRun) return { tasks: wanted.map(({ id }) => id), refused, cursor: page.cursor };
    if (action === "cancel") {
      const ids = wanted.map(({ id }) => id);
      const toInput = (request: RequestId, some: readonly TaskId[]): SchedulerInput => ({
        kind: "cancel-many",
        request,
        ids: some,
      });
      return { tasks: await changeInChunks(this.#calls, ids, toInput, by), refused, cursor: page.cursor };
    }
    const deleted = await this.#deletes.run({ seq, tasks: wanted }, by);
    if (!deleted.isWhole) return { tasks: deleted.tasks, refused: [], cursor: `${againMark}${cursor ?? ""}` };
    return { tasks: deleted.tasks, refused: [...refused, ...deleted.refused], cursor: page.cursor };
  }
}

/** Of a cursor that begins with the mark. */
function placeOf(cursor: string): string | null {
  return cursor.length === againMark.length ? null : cursor.slice(againMark.length);
}

/** @throws OutlastError `invalid` for what makes no sense with the action */
function filterFor(
  action: BulkAction,
  { filter }: BulkRequest,
  by: Actor | undefined,
): BulkRequest["filter"] & Pick<TaskQuery, "queues"> {
  if (action === "delete" && filter.parent !== undefined) {
    const hint = "Leave `parent` out, and name what is above: a family goes as a whole.";
    throw new OutlastError("invalid", "A child is deleted with its family.", { path: "/filter/parent", hint });
  }
  const states = statesOf(action, filter.states);
  const whole = action === "delete" && { isRoot: true };
  return { ...filter, states, ...whole, ...(by?.queues !== undefined && { queues: by.queues }) };
}

/** @throws OutlastError `invalid` for a state in which the action makes no sense */
function statesOf(action: BulkAction, given: readonly TaskState[] | undefined): readonly TaskState[] {
  const possible = taskStates.filter((state) => isPossible(action, state));
  const wrong = given?.find((state) => !possible.includes(state));
  if (wrong !== undefined) throw new OutlastError("invalid", ...wrongState(action, wrong));
  // Who cancels a task does not want it to run with the next retry of many.
  return given ?? (action === "retry" ? ["failed"] : possible);
}

function isPossible(action: BulkAction, state: TaskState): boolean {
  switch (action) {
    case "cancel":
      return !isFinal(state);
    case "delete":
      return isFinal(state);
    case "retry":
      return isFinal(state) && state !== "success";
    default:
      return action satisfies never;
  }
}

function wrongState(action: BulkAction, state: TaskState): [string, ErrorDetails] {
  const path = "/filter/state";
  if (action === "cancel") {
    const hint = "Leave the state out to cancel in any other state.";
    return [`Tasks that are ${state} have ended, and cannot be cancelled.`, { path, hint }];
  }
  if (action === "delete")
    return [`Tasks that are ${state} have not ended, and cannot be deleted.`, { path, hint: "Cancel them first." }];
  const hint = "Name failed, cancelled or skipped, or leave the state out for those that failed.";
  return [`Tasks that are ${state} cannot be retried.`, { path, hint }];
}

function refusalOf(action: BulkAction, { family, rights }: TaskDocument, by: Actor | undefined): string | null {
  if (by?.isOwnOnly === true && rights?.owner !== by.name) return "It was submitted by somebody else.";
  // What is below it may be in any queue, and a family goes whole or not at all.
  if (action !== "delete" || by?.queues === undefined || !mayHaveChildren(family)) return null;
  return "It has children, and only who is bound to no queues may delete a family.";
}
