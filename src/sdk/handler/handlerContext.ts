/** `ctx` as handlers see it, over a `HandlerRun`. */
import { format } from "node:util";
import type { FilesAnswer, FilesRequest } from "../../model/attemptFiles.ts";
import { parseDuration } from "../../model/durationText.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import type { ChildCall } from "./call.ts";
import type { SetOptions } from "./childSets.ts";
import type {
  AttemptFiles,
  ChildResults,
  Duration,
  SignalOptions,
  StepOptions,
  StepRun,
  TaskContext,
} from "./context.ts";
import { NonRetryableError } from "./errors.ts";
import { filesOver } from "./handlerFiles.ts";
import type { AttemptStart, HandlerPort } from "./port.ts";

/** What a run of a handler does for its `ctx`. */
export interface HandlerOperations {
  readonly start: AttemptStart;
  readonly port: HandlerPort;
  readonly abortSignal: AbortSignal;
  step(key: string, run: (step: StepRun) => unknown, options?: StepOptions): Promise<Json>;
  children(
    key: string,
    calls: Iterable<ChildCall> | AsyncIterable<ChildCall>,
    options?: SetOptions,
  ): Promise<ChildResults<Json>>;
  submit(key: string, call: ChildCall): Promise<string>;
  sleep(key: string, ms: number): Promise<void>;
  waitFor(key: string, name: string, timeoutMs: number | undefined): Promise<Json>;
  files(asked: FilesRequest): Promise<Exclude<FilesAnswer, { problem: unknown }>>;
}

export class HandlerContext implements TaskContext {
  readonly #run: HandlerOperations;
  readonly files: AttemptFiles;

  constructor(run: HandlerOperations) {
    this.#run = run;
    this.files = filesOver((asked) => run.files(asked));
  }

  get taskId(): string {
    return this.#run.start.task;
  }

  get parentId(): string | null {
    return this.#run.start.parent;
  }

  get attempt(): number {
    return this.#run.start.attempt;
  }

  get fence(): number {
    return this.#run.start.attempt;
  }

  get deadlineAt(): number | null {
    return this.#run.start.deadlineAt;
  }

  get traceparent(): string | null {
    return this.#run.start.traceparent ?? null;
  }

  get abortSignal(): AbortSignal {
    return this.#run.abortSignal;
  }

  step<Result>(key: string, run: (step: StepRun) => Result | Promise<Result>, options?: StepOptions): Promise<Result> {
    return this.#run.step(key, run, options) as Promise<Result>;
  }

  run(key: string, child: ChildCall): Promise<never> {
    return this.#first(key, child) as Promise<never>;
  }

  all(key: string, children: Iterable<ChildCall> | AsyncIterable<ChildCall>, options?: SetOptions): Promise<never> {
    return this.#all(key, children, options) as Promise<never>;
  }

  submit(key: string, task: ChildCall): Promise<string> {
    return this.#run.submit(key, task);
  }

  async sleep(key: string, duration: Duration): Promise<void> {
    return this.#run.sleep(key, toMs(duration));
  }

  async waitFor<Payload = Json>(name: string, { key = name, timeoutMs }: SignalOptions = {}): Promise<Payload> {
    return (await this.#run.waitFor(key, name, timeoutMs === undefined ? undefined : toMs(timeoutMs))) as Payload;
  }

  progress(done: number, total?: number, text?: string): void {
    const { port } = this.#run;
    const rest = { ...(total !== undefined && { total }), ...(text !== undefined && { text: String(text) }) };
    port.tell({ kind: "progress", done, ...rest, at: Math.round(port.now()) });
  }

  log(...values: unknown[]): void {
    this.#run.port.log(format(...values));
  }

  async #first(key: string, child: ChildCall): Promise<Json> {
    for await (const result of await this.#run.children(key, [child])) return result;
    return null;
  }

  async #all(key: string, children: Iterable<ChildCall> | AsyncIterable<ChildCall>, options?: SetOptions) {
    const results = await this.#run.children(key, children, options);
    return Array.isArray(children) ? Array.fromAsync(results) : results;
  }
}

/** @throws NonRetryableError */
function toMs(duration: Duration): number {
  let ms: number;
  try {
    ms = typeof duration === "string" ? parseDuration(duration) : Math.round(duration);
  } catch (error) {
    throw new NonRetryableError(`${JSON.stringify(duration)} is no duration: ${(error as Error).message}`);
  }
  if (ms >= 0 && ms <= limits.durationMsMax) return ms;
  throw new NonRetryableError(`A duration is 0 to ${limits.durationMsMax} ms, and ${duration} is not.`);
}
