/** Many tasks at once: found page by page in the store, changed in chunks, between which others get their turn. */
import type { Reply } from "../../core/scheduler/effects.ts";
import type { RequestId, SchedulerInput } from "../../core/scheduler/inputs.ts";
import { type ErrorDetails, OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { isFinal, type TaskDocument, type TaskState, taskStates } from "../../model/task.ts";
import type { BulkAction, BulkAnswer, BulkApi, BulkRequest } from "./bulkApi.ts";
import { BulkRetries } from "./bulkRetries.ts";
import type { RetryService } from "./retryService.ts";
import type { ServiceCalls } from "./templateService.ts";

interface Change {
  readonly action: ChunkAction;
  readonly wanted: readonly TaskDocument[];
  /** When the store was asked for them. */
  readonly seq: number;
  readonly by: Actor | undefined;
}

/** Done in chunks by the scheduler. */
type ChunkAction = Exclude<BulkAction, "retry">;

export class BulkService implements BulkApi {
  readonly #calls: Pick<ServiceCalls, "store" | "ask" | "read" | "checkLeading">;

  readonly #retries: BulkRetries;

  constructor(calls: Pick<ServiceCalls, "store" | "ask" | "read" | "checkLeading">, retries: RetryService) {
    this.#calls = calls;
    this.#retries = new BulkRetries(retries);
  }

  async run(action: BulkAction, request: BulkRequest, by?: Actor): Promise<BulkAnswer> {
    const { cursor, limit, isDryRun } = request;
    const { store, read } = this.#calls;
    this.#calls.checkLeading();
    const states = statesOf(action, request.filter.states);
    const filter = { ...request.filter, states, ...(by?.queues !== undefined && { queues: by.queues }) };
    // Asked first: what the list shows is at least as new.
    const { seq } = await read(() => store.findTasks([]));
    const page = await read(() => store.listTasks({ ...filter, order: "oldest", cursor, limit }));
    const refused = page.tasks.flatMap((task) => {
      const message = refusalOf(action, task, by);
      return message === null ? [] : [{ id: task.id, message }];
    });
    const wanted = page.tasks.filter((task) => refusalOf(action, task, by) === null);
    if (action === "retry") {
      const retried = await this.#retries.run(wanted, isDryRun, by);
      return { tasks: retried.tasks, refused: [...refused, ...retried.refused], cursor: page.cursor };
    }
    const tasks = isDryRun ? wanted.map(({ id }) => id) : await this.#change({ action, wanted, seq, by });
    return { tasks, refused, cursor: page.cursor };
  }

  async #change({ action, wanted, seq, by }: Change): Promise<readonly TaskId[]> {
    const done: TaskId[] = [];
    for (let from = 0; from < wanted.length; ) {
      const chunk = wanted.slice(from, from + limits.bulkChunkMax);
      const reply: Reply = await this.#calls.ask((request) => toInput(action, request, chunk, seq), by);
      if (reply.kind === "look-again")
        throw new OutlastError("unavailable", "Many tasks were deleted meanwhile; try again.");
      if (reply.kind !== "bulk") throw new Error(`The scheduler answered ${reply.kind} to a bulk operation.`);
      done.push(...reply.done);
      from += reply.seen;
    }
    return done;
  }
}

function toInput(action: ChunkAction, request: RequestId, tasks: readonly TaskDocument[], seq: number): SchedulerInput {
  switch (action) {
    case "cancel":
      return { kind: "cancel-many", request, ids: tasks.map(({ id }) => id) };
    case "delete": {
      const finished = tasks.flatMap(({ id, queue, state }) => (isFinal(state) ? [{ id, queue, state }] : []));
      return { kind: "delete-many", request, tasks: finished, seq };
    }
    default:
      return action satisfies never;
  }
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

/** A family is forgotten whole, by its retention. */
function refusalOf(action: BulkAction, { parent, family, rights }: TaskDocument, by: Actor | undefined): string | null {
  if (by?.isOwnOnly === true && rights?.owner !== by.name) return "It was submitted by somebody else.";
  if (action !== "delete") return null;
  if (parent !== undefined) return "It is a child, and is deleted with its family when its retention is over.";
  return (family?.children ?? 0) > 0 ? "It has children, and is deleted with them when its retention is over." : null;
}
