/**
 * One run of a handler: what is remembered, what it waits for, and how it ends. It does no I/O of its own, so that a runner
 * process, the worker itself, the testing kit and the simulator can all run it over their own `HandlerPort`.
 */
import type { FilesAnswer, FilesRequest } from "../../model/attemptFiles.ts";
import { type OpenSet, type StepRecord, submittedIn, type Wait } from "../../model/family.ts";
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { stackOf } from "../../model/thrown.ts";
import type { ChildCall } from "./call.ts";
import { checkedSubmission, checkOutcome, createChildren, resultsOf, type SetOptions } from "./childSets.ts";
import type { ChildResults, StepOptions, StepRun } from "./context.ts";
import type { AnyTaskDefinition } from "./definition.ts";
import { NonRetryableError, SignalTimeoutError, toFailure } from "./errors.ts";
import { HandlerContext, type HandlerOperations } from "./handlerContext.ts";
import { toJson } from "./jsonValue.ts";
import type { AttemptStart, HandlerEnd, HandlerPort } from "./port.ts";
import { never, Requests } from "./requests.ts";
import { runStep } from "./stepRuns.ts";

/** A resumed attempt names so many of its remembered keys in its log. */
const keysShownMax = 10;

/** A durable wait that the handler has come to. */
type PendingWait = { readonly wait: Wait; readonly since: number };

export class HandlerRun implements HandlerOperations {
  /** Resolves once with how the run ended. Never rejects. */
  readonly ended: Promise<HandlerEnd>;
  readonly start: AttemptStart;
  readonly port: HandlerPort;
  readonly #definition: AnyTaskDefinition;
  readonly #requests: Requests;
  readonly #remembered: ReadonlyMap<string, StepRecord>;
  readonly #openSets: ReadonlyMap<string, OpenSet>;
  readonly #usedKeys = new Set<string>();
  readonly #waits = new Map<string, PendingWait>();
  /** Steps and creations of children that have not finished, by key. A handler that returns meanwhile has not ended. */
  readonly #unfinished = new Map<string, Promise<unknown>>();
  readonly #abortion = new AbortController();
  readonly #outcome = Promise.withResolvers<HandlerEnd>();
  #isOver = false;

  constructor(definition: AnyTaskDefinition, start: AttemptStart, port: HandlerPort) {
    this.#definition = definition;
    this.start = start;
    this.port = port;
    this.#remembered = new Map(start.steps);
    this.#openSets = new Map(start.sets.map((set) => [set.key, set]));
    this.#requests = new Requests(
      port,
      () => this.#end({ outcome: "aborted" }),
      () => this.#noteWaiting(),
    );
    this.ended = this.#outcome.promise;
  }

  get abortSignal(): AbortSignal {
    return this.#abortion.signal;
  }

  /** True while only durable waits are left of what the handler asked `ctx` for. What it awaits besides is not known here. */
  get isWaiting(): boolean {
    return !this.#isOver && this.#waits.size > 0 && this.#unfinished.size === 0 && !this.#requests.isBusy;
  }

  /** True if something that the handler began goes on though the run has ended: its process must not run anything else. */
  get isLeftRunning(): boolean {
    return this.#unfinished.size > 0;
  }

  /** Runs the handler until `ended`. Call it once. */
  run(): void {
    const { steps, attempt } = this.start;
    if (steps.length > 0) {
      const keys = steps.slice(0, keysShownMax).map(([key]) => key);
      const more = steps.length > keys.length ? " …" : "";
      this.port.log(`Attempt ${attempt} resumes with ${steps.length} remembered: ${keys.join(", ")}${more}`);
    }
    void this.#execute().then((end) => this.#end(end));
  }

  /** Fires the abort signal. The handler may end by itself; what becomes of the attempt is decided elsewhere. */
  abort(reason: string): void {
    this.#abortion.abort(new Error(reason));
  }

  /** Ends the run because of something that no `await` of the handler sees, such as an unhandled rejection. */
  fail(code: string, message: string): void {
    this.#end({ outcome: "failed", error: { code, message } });
  }

  /**
   * The port must call this when no request is under way and nothing else in the process can bring the handler on: it is suspended
   * if it waits for something durable; otherwise it would hang for ever, and fails.
   */
  settle(): void {
    if (this.#isOver || this.#requests.isBusy) return;
    const [stuck] = this.#unfinished.keys();
    if (stuck !== undefined) {
      const message = `"${stuck}" waits for something that can never come. Waits of ctx must not stand inside of a step.`;
      return this.fail("stuck", message);
    }
    if (this.#waits.size === 0) {
      return this.fail(
        "stuck",
        "The handler waits for something that can never come: nothing in its process is left to wake it.",
      );
    }
    const waits = [...this.#waits.values()].map(({ wait, since }) => this.#shortened(wait, since));
    if (waits.length > limits.waitsMax) {
      return this.fail(
        "non-retryable",
        `The handler waits for ${waits.length} things at a time; ${limits.waitsMax} are allowed. Use ctx.all for many children.`,
      );
    }
    this.#end({ outcome: "suspended", waits });
  }

  async step(key: string, run: (step: StepRun) => unknown, options: StepOptions = {}): Promise<Json> {
    const remembered = this.#take(key);
    if (remembered !== undefined) return "value" in remembered ? remembered.value : this.#otherwise(key, "step");
    return this.#track(key, async () => {
      const startedAt = this.port.now();
      const result = await runStep(key, run, options, this.abortSignal, this.port);
      const value = toJson(result, `The result of step "${key}"`);
      const bytes = Buffer.byteLength(JSON.stringify(value));
      if (bytes > limits.stepBytesMax) {
        throw new NonRetryableError(
          `The result of step "${key}" has ${bytes} bytes; ${limits.stepBytesMax} are allowed. Keep large results elsewhere, or divide the work among children.`,
        );
      }
      await this.#requests.send({
        kind: "step",
        key,
        value,
        ...(this.start.traceparent !== undefined && { startedAt }),
      });
      return value;
    });
  }

  async children(
    key: string,
    calls: Iterable<ChildCall> | AsyncIterable<ChildCall>,
    options: SetOptions = {},
  ): Promise<ChildResults<Json>> {
    const remembered = this.#take(key);
    if (remembered !== undefined) {
      if (!("children" in remembered)) return this.#otherwise(key, "set of children");
      checkOutcome(key, remembered.children, options.failuresMax ?? 0);
      return resultsOf(key, remembered.children, this.#requests);
    }
    const open = this.#openSets.get(key);
    if (open?.isSealed !== true) {
      await this.#track(key, () => createChildren(key, calls, options, open, this.#requests));
    }
    return this.#wait({ kind: "children", key });
  }

  async submit(key: string, call: ChildCall): Promise<string> {
    const remembered = this.#take(key);
    if (remembered !== undefined) return submittedIn(remembered) ?? this.#otherwise(key, "submission");
    return this.#track(key, async () => {
      const submission = await checkedSubmission(`Task "${key}"`, call);
      const { made } = await this.#requests.send({ kind: "submit", key, submission });
      if (made === undefined) throw new Error(`The worker does not say which task was made under the key "${key}".`);
      return made;
    });
  }

  async sleep(key: string, ms: number): Promise<void> {
    const remembered = this.#take(key);
    if (remembered !== undefined) return "slept" in remembered ? undefined : this.#otherwise(key, "sleep");
    return this.#wait({ kind: "sleep", key, ms });
  }

  async waitFor(key: string, name: string, timeoutMs: number | undefined): Promise<Json> {
    checkSignalName(name);
    const remembered = this.#take(key);
    if (remembered === undefined) {
      return this.#wait({ kind: "signal", key, name, ...(timeoutMs !== undefined && { timeoutMs }) });
    }
    if (!("signal" in remembered)) return this.#otherwise(key, "wait for a signal");
    if (remembered.signal === null) throw new SignalTimeoutError(name);
    return remembered.signal.payload;
  }

  files(asked: FilesRequest): Promise<Exclude<FilesAnswer, { problem: unknown }>> {
    return this.#requests.files(asked);
  }

  async #execute(): Promise<HandlerEnd> {
    try {
      const result = await this.#definition.execute(this.start.input, new HandlerContext(this));
      // A result must not overtake what came before it. One that fails unheard fails the attempt.
      while (this.#unfinished.size > 0) await Promise.all(this.#unfinished.values());
      return { outcome: "success", output: toJson(result, "The result") };
    } catch (error) {
      if (!this.#isOver) this.port.log(stackOf(error));
      return { outcome: "failed", ...toFailure(error) };
    }
  }

  /** What is remembered under a key. @throws NonRetryableError if this attempt has used the key */
  #take(key: string): StepRecord | undefined {
    if (typeof key !== "string" || key.length === 0 || key.length > limits.stepKeyLengthMax || !key.isWellFormed()) {
      throw new NonRetryableError(
        `A key is a text of 1 to ${limits.stepKeyLengthMax} characters, and ${JSON.stringify(key)} is not.`,
      );
    }
    if (this.#usedKeys.has(key)) {
      throw new NonRetryableError(
        `The key "${key}" is used twice. Each step, wait and set of children of a task needs a key of its own.`,
      );
    }
    this.#usedKeys.add(key);
    return this.#remembered.get(key);
  }

  #otherwise(key: string, what: string): never {
    throw new NonRetryableError(
      `Something else than a ${what} is remembered under the key "${key}". Give what you have changed a new key.`,
    );
  }

  #track<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    // A promise from elsewhere may go on after the attempt was suspended: what it begins is for the next attempt to do.
    if (this.#isOver) return never();
    const promise = work().finally(() => {
      this.#unfinished.delete(key);
      this.#noteWaiting();
    });
    this.#unfinished.set(key, promise);
    return promise;
  }

  /** Never resolves: the next attempt finds what the wait ended with. */
  #wait(wait: Wait): Promise<never> {
    this.#waits.set(wait.key, { wait, since: this.port.now() });
    this.#noteWaiting();
    return never();
  }

  #noteWaiting(): void {
    if (this.isWaiting) this.port.onWaiting?.();
  }

  /** Time that passed since the handler came to a wait counts, though the leader hears of the wait only now. */
  #shortened(wait: Wait, since: number): Wait {
    const passedMs = Math.max(0, Math.round(this.port.now() - since));
    if (wait.kind === "sleep") return { ...wait, ms: Math.max(0, wait.ms - passedMs) };
    if (wait.kind === "signal" && wait.timeoutMs !== undefined) {
      return { ...wait, timeoutMs: Math.max(0, wait.timeoutMs - passedMs) };
    }
    return wait;
  }

  #end(end: HandlerEnd): void {
    this.#isOver = true;
    this.#outcome.resolve(end);
  }
}

/** @throws NonRetryableError */
function checkSignalName(name: string): void {
  const { signalNameLengthMax: max } = limits;
  if (typeof name === "string" && name.length > 0 && name.length <= max && name.isWellFormed()) return;
  throw new NonRetryableError(`A signal has a name of 1 to ${max} characters, and ${JSON.stringify(name)} is not.`);
}
