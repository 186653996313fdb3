/** Retries many finished tasks: those of a family one after the other, the oldest first, and families side by side. */
import { OutlastError } from "../../model/errors.ts";
import { rootOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { BulkAnswer } from "./bulkApi.ts";
import type { RetryService } from "./retryService.ts";

type Outcome =
  | { readonly kind: "open" }
  /** There is no such task any more. */
  | { readonly kind: "gone" }
  | { readonly kind: "refused"; readonly message: string; readonly hint?: string }
  /** The process of its last attempt may still be ending: it can be retried in a moment. */
  | { readonly kind: "ending"; readonly error: OutlastError };

/** How the retry ended of each task itself, and of each graph that was retried for one of its tasks. */
type Wholes = Map<TaskId, Outcome>;

export class BulkRetries {
  readonly #retries: RetryService;

  constructor(retries: RetryService) {
    this.#retries = retries;
  }

  /**
   * Each retry is whole by itself. A task that is open by now, by the retry of its family or by somebody else's, counts as done.
   * @throws OutlastError if the master cannot go on; `unavailable`, when all others are done, if an attempt of one is still
   * ending. What was done until then stays done
   */
  async run(
    wanted: readonly TaskDocument[],
    isDryRun: boolean,
    by?: Actor,
  ): Promise<Pick<BulkAnswer, "tasks" | "refused">> {
    const families = [...Map.groupBy(wanted, ({ id }) => rootOf(id)).values()];
    const outcomes = new Map<TaskId, Outcome>();
    const work = async (): Promise<void> => {
      for (let family = families.shift(); family !== undefined; family = families.shift()) {
        const wholes: Wholes = new Map();
        for (const task of family) outcomes.set(task.id, await this.#retry(task, wholes, isDryRun, by));
      }
    };
    try {
      await Promise.all(Array.from({ length: limits.bulkRetriesAtATime }, work));
    } finally {
      // After an error the others stop, too.
      families.length = 0;
    }
    const tasks: TaskId[] = [];
    const refused: BulkAnswer["refused"][number][] = [];
    for (const { id } of wanted) {
      const outcome = outcomes.get(id);
      if (outcome?.kind === "ending" && !isDryRun) throw outcome.error;
      if (outcome?.kind === "open" || outcome?.kind === "ending") tasks.push(id);
      if (outcome?.kind === "refused") refused.push(refusal(id, outcome));
    }
    return { tasks, refused };
  }

  /** A task of a graph or job that has ended is retried with all of that. */
  async #retry(task: TaskDocument, wholes: Wholes, isDryRun: boolean, by: Actor | undefined): Promise<Outcome> {
    const options = { isFromScratch: false, leavesSuccess: true, isDryRun };
    const whole = await this.#retries.wholeAround(task);
    if (whole !== null) {
      const before = wholes.get(whole);
      const outcome = before ?? (await outcomeOf(this.#retries.retry(whole, { attempt: null, ...options }, by)));
      wholes.set(whole, outcome);
      if (isDryRun || outcome.kind !== "open") return outcome;
    }
    // With a graph it is open by now, unless it belongs to something that has begun from scratch.
    const own = await outcomeOf(this.#retries.retry(task.id, { attempt: task.attempt, ...options }, by));
    // What fails without an attempt, for an artifact that is not there, may have done so again since its graph was retried.
    const outcome =
      own.kind === "refused" && (await this.#retries.isRetriedSince(task)) ? { kind: "open" as const } : own;
    wholes.set(task.id, outcome);
    return outcome;
  }
}

function refusal(id: TaskId, { message, hint }: Extract<Outcome, { kind: "refused" }>): BulkAnswer["refused"][number] {
  return { id, message, ...(hint !== undefined && { hint }) };
}

/** @throws what keeps all tasks from it, and not only this one */
async function outcomeOf(retry: Promise<number>): Promise<Outcome> {
  try {
    await retry;
    return { kind: "open" };
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    const { code, message, details } = error;
    if (code === "not-found") return { kind: "gone" };
    if (code === "conflict" || code === "forbidden" || code === "too-many")
      return { kind: "refused", message, ...(details.hint !== undefined && { hint: details.hint }) };
    if (code === "unavailable" && details["worker"] !== undefined) return { kind: "ending", error };
    throw error;
  }
}
