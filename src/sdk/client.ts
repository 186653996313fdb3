/** The client that programs use: every call of the API, typed, over as many masters as there are. */
import { OutlastError } from "../model/errors.ts";
import type { GraphView } from "../model/graphs/graphView.ts";
import type { Json } from "../model/json.ts";
import { limits } from "../model/limits.ts";
import type { TaskDocument } from "../model/task.ts";
import type { TemplateContent, TemplateRun, TemplateSummary, TemplateVersion } from "../model/templates/template.ts";
import type { QueueSettings, QueueView, WorkerView } from "../model/worker.ts";
import { asOfThisCall, type Batch, keysOfCall, keysOfContent, pathInList, toBatches } from "./batches.ts";
import { Blobs } from "./blobs.ts";
import { Bulk } from "./bulk.ts";
import type {
  CallOptions,
  GetOptions,
  GraphOptions,
  ReadOptions,
  SubmitAllOptions,
  SubmitOptions,
  Submitted,
} from "./callOptions.ts";
import { Connection, type ConnectionOptions, consistency } from "./connection.ts";
import { type EventsOptions, eventsWithOpenings, type OutlastEvent, positionsOf } from "./events.ts";
import { type ChildCall, type TaskCall, toSubmission } from "./handler/call.ts";
import { type ListFilter, type ListOptions, listPath, type TaskList } from "./lists.ts";
import { followLogs, type LogItem, type LogsOptions, readLogs } from "./logs.ts";
import type { MasterReport } from "./masterReport.ts";
import { type MasterState, readMasters } from "./masters.ts";
import { People } from "./people.ts";
import { Schedules } from "./schedules.ts";
import { TaskViews } from "./taskViews.ts";
import type { SubmissionArgument } from "./typedSubmission.ts";
import { untilFinal } from "./wait.ts";
import { Webhooks } from "./webhooks.ts";

export interface WaitAllOptions extends CallOptions {
  /** Called for a task that ended and was removed by retention before its end could be read. */
  readonly onForgotten?: (id: string) => void;
}

export interface SendSignalOptions extends CallOptions {
  /** Any JSON; the handler gets it. Null if left out. */
  readonly payload?: Json;
  /** Names the signal: sent again, it is delivered once. */
  readonly id?: string;
}

export interface RetryOptions extends CallOptions {
  /** True to forget what its handler has remembered, and its children. */
  readonly fromScratch?: boolean;
  /** The last attempt of the task, as the caller knows it; read if left out. With another one nothing happens. */
  readonly attempt?: number;
}

export interface PutTemplate {
  readonly name: string;
  readonly version: number;
  /** False if the latest version says the same. */
  readonly isNew: boolean;
}

/** Every method rejects with `OutlastError`, or with the reason of its signal. */
export class Outlast {
  readonly #connection: Connection;
  readonly #options: ConnectionOptions;
  /** Tasks that are made by themselves, at times. */
  readonly schedules: Schedules;
  /** Who is told when tasks end. */
  readonly webhooks: Webhooks;
  /** Files for tasks and of tasks. */
  readonly blobs: Blobs;
  /** Many tasks at once. */
  readonly bulk: Bulk;
  readonly people: People;
  /** What belongs to tasks: children, steps, attempts. */
  readonly views: TaskViews;

  constructor(options: ConnectionOptions = {}) {
    this.#connection = new Connection(options);
    this.#options = options;
    this.blobs = new Blobs(this.#connection);
    this.bulk = new Bulk(this.#connection);
    this.schedules = new Schedules(this.#connection);
    this.webhooks = new Webhooks(this.#connection);
    this.people = new People(this.#connection);
    this.views = new TaskViews(this.#connection);
  }

  /**
   * Creates one task. Resolves once it is safe: from then on it is never lost. An error whose details say `mayBeDone` has their
   * `key`: with it, the call may be repeated and creates the task once. Of a definition it takes `definition.task(input)`, too;
   * `definition.submit` also gives the result.
   */
  submit(call: TaskCall<unknown>, options?: SubmitOptions): Promise<Submitted>;
  submit<Kind extends string>(submission: SubmissionArgument<Kind>, options?: SubmitOptions): Promise<Submitted>;
  async submit(call: ChildCall, options: SubmitOptions = {}): Promise<Submitted> {
    const submission = await toSubmission(call);
    const key = options.key ?? crypto.randomUUID();
    const body = JSON.stringify(submission);
    // A large graph takes more than a request for one task may have.
    if (submission.kind === "graph" && new TextEncoder().encode(body).length > limits.bodyBytesMax) {
      const [only] = await this.submitAll<string>([submission], { ...options, key });
      if (only !== undefined) return only;
    }
    const submitted = await this.#createOne("/v1/tasks", body, options, key);
    return asOfThisCall(submitted, submission, options);
  }

  /**
   * Creates many tasks, in as few requests as their number and size allow, and returns their ids in the same order.
   * Each request creates all of its tasks or none. The details of an error say how many were `submitted` and with which `key`:
   * with that key and the same list, the call may be repeated and creates the rest. `path` points to the task in the list.
   */
  submitAll(calls: readonly TaskCall<unknown>[], options?: SubmitAllOptions): Promise<readonly Submitted[]>;
  submitAll<Kind extends string>(
    submissions: readonly SubmissionArgument<Kind>[],
    options?: SubmitAllOptions,
  ): Promise<readonly Submitted[]>;
  async submitAll(calls: readonly ChildCall[], options: SubmitAllOptions = {}): Promise<readonly Submitted[]> {
    const submissions = await Promise.all(calls.map(async (call) => toSubmission(call)));
    const key = options.key ?? crypto.randomUUID();
    // Everything is cut and measured before the first request leaves: what no request can hold is refused as a whole.
    const batches: Batch[] = [...toBatches(submissions)];
    const keyOf = options.once === true ? keysOfContent(options.key) : keysOfCall(key, batches.length);
    const all: Submitted[] = [];
    for (const batch of batches) {
      try {
        const answer = await this.#create<{ readonly tasks: readonly Submitted[] }>(
          "/v1/tasks/batch",
          batch.body,
          options,
          keyOf(batch),
        );
        for (const task of answer.tasks) all.push(asOfThisCall(task, submissions[all.length], options));
      } catch (error) {
        if (!(error instanceof OutlastError)) throw error;
        const path = pathInList(error, batch, submissions);
        const details = { ...error.details, ...(path === null ? {} : { path }), submitted: all.length };
        throw new OutlastError(error.code, error.message, options.once === true ? details : { ...details, key });
      }
      options.onProgress?.(all.length);
    }
    return all;
  }

  async get(id: string, options: GetOptions = {}): Promise<TaskDocument> {
    const { leader = false, consistent = false, signal } = options;
    const path = `/v1/tasks/${encodeURIComponent(id)}`;
    if (leader) {
      const query = `?leader=true${consistent ? "&consistent=true" : ""}`;
      const call = { method: "GET", path: `${path}${query}`, signal, retryForMs: 0 } as const;
      const answer = await this.#connection.json<TaskDocument>(call).catch(unlessUnanswered);
      if (answer !== null) return answer;
    }
    return this.#get<TaskDocument>(`${path}${consistency(options)}`, signal);
  }

  /** One page of a graph as it stands: nodes, links and states. Of any other task: its parent, what it waits for, what waits for it. */
  graph(id: string, { cursor = 0, limit = limits.pageDefault, signal }: GraphOptions = {}): Promise<GraphView> {
    return this.#get(`/v1/tasks/${encodeURIComponent(id)}/graph?cursor=${cursor}&limit=${limit}`, signal);
  }

  /** One page of tasks. */
  list(options: ListOptions = {}): Promise<TaskList> {
    return this.#get<TaskList>(listPath(options), options.signal);
  }

  /** All tasks that match, page by page as they are read. */
  async *iterate(filter: ListFilter = {}): AsyncGenerator<TaskDocument, void, undefined> {
    let page = await this.list({ ...filter, limit: limits.pageMax });
    for (;;) {
      yield* page.tasks;
      if (page.cursor === null) return;
      page = await this.list({ ...filter, limit: limits.pageMax, cursor: page.cursor });
    }
  }

  /** Ends a task that is not final yet; its running attempt is killed. */
  async cancel(id: string, options: CallOptions = {}): Promise<void> {
    const call = {
      method: "POST",
      path: `/v1/tasks/${encodeURIComponent(id)}/cancel`,
      signal: options.signal,
    } as const;
    await this.#connection.change(call, ({ details }) => details["state"] === "cancelled");
  }

  /**
   * Opens a task again that has failed or was cancelled: it, what has failed below it, and what has ended above it. Its handler
   * finds its remembered steps, unless the retry is from scratch.
   * @returns how many tasks are open again; 0 if it had not ended
   */
  async retry(id: string, options: RetryOptions = {}): Promise<{ readonly reopened: number }> {
    const { fromScratch = false, signal } = options;
    // With the attempt named, a try of this call whose answer is lost is not done twice.
    const attempt = options.attempt ?? (await this.get(id, { consistent: true, ...(signal && { signal }) })).attempt;
    const path = `/v1/tasks/${encodeURIComponent(id)}/retry?attempt=${attempt}&fromScratch=${fromScratch}`;
    return this.#post<{ reopened: number }>(path, undefined, signal);
  }

  /**
   * Sends a signal to an unfinished task. It is delivered once, to the first wait for its name, which may come later. A repeat of
   * the call with the same `id` is the same signal.
   */
  async signal(id: string, name: string, options: SendSignalOptions = {}): Promise<void> {
    const { payload = null, id: signalId = crypto.randomUUID() } = options;
    const body = JSON.stringify({ id: signalId, name, payload });
    await this.#post(`/v1/tasks/${encodeURIComponent(id)}/signals`, body, options.signal);
  }

  /** Resolves with the task once it is `success`, `failed`, `cancelled` or `skipped`, however long that takes and whatever master dies. */
  async wait(id: string, options: CallOptions = {}): Promise<TaskDocument> {
    for await (const task of this.waitAll([id], options)) return task;
    throw new OutlastError("internal", `The wait for task ${id} ended before the task did.`);
  }

  /**
   * Yields each of these tasks once, when it has ended, in the order in which they end. A task that is forgotten meanwhile
   * ends the wait with `not-found`, unless `onForgotten` is given: it is called with the id, and the wait goes on.
   */
  async *waitAll(ids: readonly string[], options: WaitAllOptions = {}): AsyncGenerator<TaskDocument, void, undefined> {
    const get = async (id: string, signal: AbortSignal | undefined) => {
      try {
        // The stream has been opened by now, and is opened again however long that takes: so are the tasks read.
        const call = { method: "GET", path: `/v1/tasks/${encodeURIComponent(id)}`, signal } as const;
        return await this.#connection.json<TaskDocument>({ ...call, retryForMs: Number.POSITIVE_INFINITY });
      } catch (error) {
        const isForgotten = error instanceof OutlastError && error.code === "not-found";
        if (!isForgotten || options.onForgotten === undefined) throw error;
        options.onForgotten(id);
        return null;
      }
    };
    yield* untilFinal(this.#connection, get, ids, options.signal);
  }

  /** What is stored of one attempt's log, in pieces. */
  async *logs(id: string, options: LogsOptions = {}): AsyncGenerator<LogItem, void, undefined> {
    yield* readLogs(this.#connection, id, options);
  }

  /** The log as it is written, across attempts and masters, until the task has ended. */
  async *follow(id: string, options: LogsOptions = {}): AsyncGenerator<LogItem, void, undefined> {
    yield* followLogs(this.#connection, id, options);
  }

  /** Makes a new version of a template, unless its latest version says the same. */
  putTemplate(name: string, template: TemplateContent, options: CallOptions = {}): Promise<PutTemplate> {
    return this.#put<PutTemplate>(templatePath(name), JSON.stringify(template), options.signal);
  }

  /** A version of a template; the latest one if none is named. */
  template(name: string, options: ReadOptions & { readonly version?: number } = {}): Promise<TemplateVersion> {
    const path = options.version === undefined ? "" : `/versions/${options.version}`;
    return this.#get<TemplateVersion>(`${templatePath(name)}${path}${consistency(options)}`, options.signal);
  }

  /** All templates, by name. */
  async *templates(options: ReadOptions = {}): AsyncGenerator<TemplateSummary, void, undefined> {
    yield* this.#pages<TemplateSummary>("/v1/templates", "templates", options);
  }

  /** All versions of a template that are kept, the oldest first. */
  async *templateVersions(name: string, options: ReadOptions = {}): AsyncGenerator<TemplateVersion, void, undefined> {
    yield* this.#pages<TemplateVersion>(`${templatePath(name)}/versions`, "versions", options);
  }

  /** Removes a template; its tasks stay, and its versions can still be read. */
  async removeTemplate(name: string, options: CallOptions = {}): Promise<void> {
    await this.#connection.remove(templatePath(name), options.signal);
  }

  /** Creates a task from a template; `key` as for `submit`. */
  async runTemplate(name: string, run: TemplateRun = {}, options: SubmitOptions = {}): Promise<Submitted> {
    const key = options.key ?? crypto.randomUUID();
    const submitted = await this.#createOne(`${templatePath(name)}/run`, JSON.stringify(run), options, key);
    return options.key === undefined && run.id === undefined ? { ...submitted, isNew: true } : submitted;
  }

  async *#pages<Item>(path: string, property: string, options: ReadOptions): AsyncGenerator<Item, void, undefined> {
    let cursor: string | number | null = null;
    do {
      const query = new URLSearchParams({ limit: String(limits.pageMax) });
      if (cursor !== null) query.set("cursor", String(cursor));
      if (options.consistent === true) query.set("consistent", "true");
      type Page = { readonly [name: string]: readonly Item[] } & { readonly cursor: string | number | null };
      const page: Page = await this.#get<Page>(`${path}?${query.toString()}`, options.signal);
      yield* page[property] ?? [];
      ({ cursor } = page);
    } while (cursor !== null);
  }

  async workers(options: ReadOptions = {}): Promise<readonly WorkerView[]> {
    const path = `/v1/workers${consistency(options)}`;
    return (await this.#get<{ workers: readonly WorkerView[] }>(path, options.signal)).workers;
  }

  /** Gives a worker no more tasks; what it runs may end. */
  async drain(worker: string, options: CallOptions = {}): Promise<void> {
    await this.#post(`/v1/workers/${encodeURIComponent(worker)}/drain`, undefined, options.signal);
  }

  /** Tells that a supervisor saw this boot's process exit, so that its tasks run elsewhere at once. */
  async reportExit(worker: string, boot: string, options: CallOptions = {}): Promise<void> {
    await this.#post(`/v1/workers/${encodeURIComponent(worker)}/exits`, JSON.stringify({ boot }), options.signal);
  }

  async queues(options: ReadOptions = {}): Promise<readonly QueueView[]> {
    const path = `/v1/queues${consistency(options)}`;
    return (await this.#get<{ queues: readonly QueueView[] }>(path, options.signal)).queues;
  }

  /** Starts nothing more from this queue; what runs goes on. */
  async pause(queue: string, options: CallOptions = {}): Promise<void> {
    await this.#post(`/v1/queues/${encodeURIComponent(queue)}/pause`, undefined, options.signal);
  }

  async resume(queue: string, options: CallOptions = {}): Promise<void> {
    await this.#post(`/v1/queues/${encodeURIComponent(queue)}/resume`, undefined, options.signal);
  }

  /**
   * Bounds how many tasks of a queue run at a time (`concurrencyMax`), and how many are started in any `perMs` milliseconds (`rate`).
   * null takes a bound away; what is left out stays as it is. What runs already goes on.
   */
  async limitQueue(
    queue: string,
    bounds: Pick<QueueSettings, "concurrencyMax" | "rate">,
    options: CallOptions = {},
  ): Promise<void> {
    const path = `/v1/queues/${encodeURIComponent(queue)}/limits`;
    await this.#post(path, JSON.stringify(bounds), options.signal);
  }

  /** How the master that answers stands. */
  status(options: CallOptions = {}): Promise<MasterReport> {
    return this.#get<MasterReport>("/v1/status", options.signal);
  }

  /** All masters, the leader first: each that is known here, or to the others, is asked how it stands. */
  masters(options: CallOptions = {}): Promise<readonly MasterState[]> {
    return readMasters(this.#connection, this.#options, options.signal);
  }

  /** Every committed change, in order, resumed by itself when the connection is cut; see `OutlastEvent` for `reset`. */
  async *events(options: EventsOptions = {}): AsyncGenerator<OutlastEvent, void, undefined> {
    for await (const event of eventsWithOpenings(this.#connection, options)) {
      if (event.kind !== "opened") yield event;
    }
  }

  /**
   * The journal position now and whenever something has been committed, but at most a few times a second: tells when it is worth
   * to read a list again, at a cost that does not grow with what happens.
   */
  async *positions(options: CallOptions = {}): AsyncGenerator<number, void, undefined> {
    yield* positionsOf(this.#connection, options.signal);
  }

  #get<Body>(path: string, signal: AbortSignal | undefined): Promise<Body> {
    return this.#connection.json<Body>({ method: "GET", path, signal });
  }

  #put<Body>(path: string, body: string, signal: AbortSignal | undefined): Promise<Body> {
    return this.#connection.json<Body>({ method: "PUT", path, signal, body });
  }

  /** An error that leaves open whether the task is there says under which key it can be asked for again. */
  async #createOne(path: string, body: string, options: SubmitOptions, key: string): Promise<Submitted> {
    try {
      return await this.#create<Submitted>(path, body, options, key);
    } catch (error) {
      if (!(error instanceof OutlastError) || error.details["mayBeDone"] !== true) throw error;
      throw new OutlastError(error.code, error.message, { ...error.details, key });
    }
  }

  #create<Body>(path: string, body: string, { signal, traceparent }: SubmitOptions, key: string): Promise<Body> {
    const headers = { "idempotency-key": key, ...(traceparent !== undefined && { traceparent }) };
    return this.#connection.json<Body>({ method: "POST", path, body, signal, headers });
  }

  #post<Body>(path: string, body: string | undefined, signal: AbortSignal | undefined): Promise<Body> {
    return this.#connection.json<Body>({ method: "POST", path, signal, ...(body !== undefined && { body }) });
  }
}

/** A client for the masters at these addresses; `new Outlast(options)` in other words. */
export function createClient(options: ConnectionOptions = {}): Outlast {
  return new Outlast(options);
}

function templatePath(name: string): string {
  return `/v1/templates/${encodeURIComponent(name)}`;
}

/** No leader has answered, or the master is of a version that does not pass such questions on. */
function unlessUnanswered(error: unknown): null {
  if (error instanceof OutlastError && ["unavailable", "not-leader", "bad-request"].includes(error.code)) return null;
  throw error;
}
