/** The part of the client that reads what belongs to tasks: `client.views`. */
import type { AttemptRecord, TaskAttempt } from "../model/attemptRecord.ts";
import type { StepRecord } from "../model/family.ts";
import { limits } from "../model/limits.ts";
import type { ChildCounts, TaskDocument, TaskState } from "../model/task.ts";
import type { ReadOptions } from "./callOptions.ts";
import type { Connection } from "./connection.ts";

export interface PageOptions extends ReadOptions {
  /** From the page before. */
  readonly cursor?: string;
  /** 1 to `limits.pageMax`. */
  readonly limit?: number;
}

export interface ChildrenFilter extends PageOptions {
  readonly states?: readonly TaskState[];
  /** By creation; oldest first if left out. */
  readonly order?: "newest" | "oldest";
  /** Only children made since the last retry from scratch, or only those made before; all if left out. A page may then be short before the end. */
  readonly generation?: "present" | "earlier";
}

export interface ChildPage {
  readonly tasks: readonly TaskDocument[];
  /** Give it back for the next page; null at the end. */
  readonly cursor: string | null;
  /** Children by state, of the present generation; not only those of this page. */
  readonly counts: ChildCounts;
}

export interface RememberedStep {
  readonly key: string;
  /** What is remembered, and when that was committed. */
  readonly step: StepRecord;
}

/** Attempts that ran at some time from `from` on and before `to`, in ms since 1970; no bound where one is left out. */
export interface AttemptsFilter extends ReadOptions {
  readonly from?: number;
  readonly to?: number;
  /** Only those on this worker. */
  readonly worker?: string;
}

/** Every method rejects with `not-found` for a task that is not there. */
export class TaskViews {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** One page of the children of a task. */
  children(parent: string, { states, ...options }: ChildrenFilter = {}): Promise<ChildPage> {
    const filter = { ...options, ...(states !== undefined && { state: states.join(",") }) };
    return this.#get<ChildPage>(`${pathOf(parent)}/children`, filter, options);
  }

  /** All that the handler of a task has remembered, by key. */
  async *steps(task: string, options: ReadOptions = {}): AsyncGenerator<RememberedStep, void, undefined> {
    yield* this.#all<RememberedStep>(`${pathOf(task)}/steps`, "steps", options, options);
  }

  /** The attempts of a task, the first one first; only the latest `limits.attemptRecordsMax` are kept. */
  async *attempts(task: string, options: ReadOptions = {}): AsyncGenerator<AttemptRecord, void, undefined> {
    yield* this.#all<AttemptRecord>(`${pathOf(task)}/attempts`, "attempts", options, options);
  }

  /** Attempts of all tasks: those that have ended, by when they ended, then those that run. */
  async *allAttempts(filter: AttemptsFilter = {}): AsyncGenerator<TaskAttempt, void, undefined> {
    yield* this.#all<TaskAttempt>("/v1/attempts", "attempts", { ...filter }, filter);
  }

  async *#all<Item>(
    path: string,
    property: string,
    query: object,
    options: ReadOptions,
  ): AsyncGenerator<Item, void, undefined> {
    type Page = { readonly [name: string]: readonly Item[] } & { readonly cursor: string | null };
    let cursor: string | null = null;
    do {
      const given = { ...query, limit: limits.pageMax, ...(cursor !== null && { cursor }) };
      const page: Page = await this.#get<Page>(path, given, options);
      yield* page[property] ?? [];
      ({ cursor } = page);
    } while (cursor !== null);
  }

  #get<Body>(path: string, query: object, { signal }: ReadOptions): Promise<Body> {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (name !== "signal" && value !== undefined) parameters.set(name, String(value));
    }
    const text = parameters.toString();
    return this.#connection.json<Body>({ method: "GET", path: text === "" ? path : `${path}?${text}`, signal });
  }
}

function pathOf(task: string): string {
  return `/v1/tasks/${encodeURIComponent(task)}`;
}
