/** `defineTask`: a kind of task that is a function, with types that hold from submit to result. */
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { builtInKinds, innerKinds } from "../../model/kinds/table.ts";
import { limits } from "../../model/limits.ts";
import type { Submission } from "../../model/submission.ts";
import type { CallOptions, SubmitOptions } from "../callOptions.ts";
import type { Outlast } from "../client.ts";
import type { TaskCall, TaskOptions } from "./call.ts";
import type { TaskContext } from "./context.ts";
import { NonRetryableError, TaskFailedError } from "./errors.ts";
import { describeIssues, type SchemaInput, type SchemaOutput, type StandardSchema } from "./standardSchema.ts";

/** Marks definitions, so that a worker finds them among a file's exports, also those of another copy of this package. */
export const definitionMark: unique symbol = Symbol.for("outlast.task-definition");

/** What can be the same for all tasks of a kind. The rest of a submission is about one task: its id and name, instants, other tasks. */
const defaultNames = [
  "queue",
  "priority",
  "requires",
  "broadcast",
  "concurrencyKey",
  "concurrencyMax",
  "uniqueKey",
  "onConflict",
  "deadlineMs",
  "attemptsMax",
  "killsMax",
  "timeoutMs",
  "backoffBaseMs",
  "backoffFactor",
  "backoffMaxMs",
] as const satisfies readonly (keyof TaskOptions)[];

/** Applies to every task of the kind that is submitted through its definition, unless the submission says otherwise. */
type TaskDefaults = Pick<TaskOptions, (typeof defaultNames)[number]>;

interface DefinitionOptions extends TaskDefaults {
  /** The kind of its tasks. A letter, then letters, digits and `. _ -`. */
  readonly name: string;
  /**
   * `process`, if left out: attempts run in child processes of the worker, one at a time each. `inline`: they run in the
   * worker's own process. That is cheaper by far for many tiny tasks, but an endless loop or a crash takes the worker down.
   */
  readonly runner?: "process" | "inline";
}

export interface UncheckedOptions<Input, Output> extends DefinitionOptions {
  readonly input?: undefined;
  run(input: Input, ctx: TaskContext): Output | Promise<Output>;
}

export interface CheckedOptions<Schema extends StandardSchema, Output> extends DefinitionOptions {
  /** Checks inputs before a submit and before a run; any library that speaks Standard Schema. */
  readonly input: Schema;
  run(input: SchemaOutput<Schema>, ctx: TaskContext): Output | Promise<Output>;
}

type AnyOptions = (UncheckedOptions<never, unknown> | CheckedOptions<StandardSchema, unknown>) & OutputOption<unknown>;

interface OutputOption<Output> {
  /** Checks results before they are committed. */
  readonly output?: StandardSchema<unknown, Output>;
}

export interface SubmittedTask<Output> {
  readonly id: string;
  /** False if it was there before. */
  readonly isNew: boolean;
  /** Waits for the task to end, however long that takes. @throws TaskFailedError if it failed or was cancelled */
  result(options?: CallOptions): Promise<Output>;
}

export interface TaskDefinition<Input, Output> {
  readonly name: string;
  readonly runner: "process" | "inline";
  /** The queue of its tasks where a submission names none; absent for that of all others. */
  readonly queue?: string;
  /** Where `defineTask` was called, as `file:line`; null if that is not known. */
  readonly place: string | null;
  readonly [definitionMark]: true;
  /** A task of this kind, for `ctx.run`, `ctx.all`, `ctx.submit`, `client.submit` and `client.submitAll`. */
  task(input: Input, options?: TaskOptions): TaskCall<Output>;
  /** Creates a task. Resolves once it is safe. @throws OutlastError, `invalid` if the schema refuses the input */
  submit(client: Outlast, input: Input, options?: TaskOptions & SubmitOptions): Promise<SubmittedTask<Output>>;
  /** Runs the handler, its input and output checked. For runners and tests. @throws what the handler throws */
  execute(input: Json, ctx: TaskContext): Promise<unknown>;
}

/** A definition of any input and output. */
export type AnyTaskDefinition = Pick<
  TaskDefinition<never, unknown>,
  "name" | "runner" | "queue" | "place" | typeof definitionMark | "execute"
>;

/**
 * Defines a kind of task. Export the result from a file that workers load (`outlast worker --tasks ./tasks.ts`).
 * The input's type comes from `input`, a schema, or else from the first parameter of `run`; the output's from what `run` returns.
 * Both travel as JSON.
 */
export function defineTask<Schema extends StandardSchema, Output>(
  options: CheckedOptions<Schema, Output> & OutputOption<Output>,
): TaskDefinition<SchemaInput<Schema>, Output>;
export function defineTask<Input, Output>(
  options: UncheckedOptions<Input, Output> & OutputOption<Output>,
): TaskDefinition<Input, Output>;
export function defineTask(options: AnyOptions): TaskDefinition<never, unknown> {
  return defineFor(defineTask, options);
}

/** `defineTask` for functions of this package that define a task for their caller. */
export function defineFor(caller: (...args: never) => unknown, options: AnyOptions): TaskDefinition<never, unknown> {
  checkName(options.name, caller);
  return new Definition(options, placeOfCall(caller));
}

/** For the kinds of this package that are handlers themselves; their names are refused for all others. */
export function defineBuiltIn<Input, Output>(options: UncheckedOptions<Input, Output>): TaskDefinition<Input, Output> {
  return new Definition(options, null) as unknown as TaskDefinition<Input, Output>;
}

class Definition implements TaskDefinition<unknown, unknown> {
  readonly [definitionMark] = true;
  readonly name: string;
  readonly runner: "process" | "inline";
  readonly queue?: string;
  readonly place: string | null;
  readonly #options: AnyOptions;

  constructor(options: AnyOptions, place: string | null) {
    this.#options = options;
    this.name = options.name;
    this.runner = options.runner ?? "process";
    if (options.queue !== undefined) this.queue = options.queue;
    this.place = place;
  }

  task(input: unknown, options: TaskOptions = {}): TaskCall<unknown> {
    return { toSubmission: () => this.#toSubmission(input, options) };
  }

  async submit(
    client: Outlast,
    input: unknown,
    { key, signal, traceparent, ...options }: TaskOptions & SubmitOptions = {},
  ): Promise<SubmittedTask<unknown>> {
    const submission = await this.#toSubmission(input, options);
    const { id, isNew } = await client.submit(submission, {
      ...(key !== undefined && { key }),
      ...(signal !== undefined && { signal }),
      ...(traceparent !== undefined && { traceparent }),
    });
    const result = async (call: CallOptions = {}) => {
      const task = await client.wait(id, call);
      if (task.state === "success") return task.output ?? null;
      throw new TaskFailedError(id, task.state === "cancelled" ? "cancelled" : "failed", task.error ?? null);
    };
    return { id, isNew, result };
  }

  async execute(input: Json, ctx: TaskContext): Promise<unknown> {
    const { input: schema, output: outputSchema } = this.#options;
    const checked = schema === undefined ? input : await validated(schema, input, "The input is not valid");
    const output = await this.#options.run(checked as never, ctx);
    return outputSchema === undefined ? output : validated(outputSchema, output, "The result is not valid");
  }

  /** The input travels as it was given: the worker's copy of the schema transforms it. */
  #toSubmission(input: unknown, options: TaskOptions): Submission | Promise<Submission> {
    const { input: schema } = this.#options;
    const submission = { ...defaultsOf(this.#options), ...options, kind: this.name, input: input as Json };
    if (schema === undefined) return submission;
    const result = schema["~standard"].validate(input);
    if (result instanceof Promise) {
      return result.then((settled) => {
        refuse(this.name, settled.issues);
        return submission;
      });
    }
    refuse(this.name, result.issues);
    return submission;
  }
}

function defaultsOf(options: DefinitionOptions): TaskDefaults {
  const given = defaultNames.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]]));
  return Object.fromEntries(given) as TaskDefaults;
}

function refuse(name: string, issues: Parameters<typeof describeIssues>[0] | undefined): void {
  if (issues === undefined) return;
  throw new OutlastError("invalid", `The input of "${name}" is not valid: ${describeIssues(issues)}.`, {
    path: "/input",
  });
}

async function validated(schema: StandardSchema, value: unknown, complaint: string): Promise<unknown> {
  const result = await schema["~standard"].validate(value);
  if (result.issues === undefined) return result.value;
  throw new NonRetryableError(`${complaint}: ${describeIssues(result.issues)}.`);
}

const namePattern = new RegExp(`^[A-Za-z][A-Za-z0-9._-]{0,${limits.kindLengthMax - 1}}$`);

/** @throws OutlastError whose stack begins where `caller` was called */
function checkName(name: string, caller: (...args: never) => unknown): void {
  const refusal = refusalOf(name);
  if (refusal === null) return;
  Error.captureStackTrace(refusal, caller);
  throw refusal;
}

function refusalOf(name: string): OutlastError | null {
  if (!namePattern.test(name)) {
    const hint = `A name is a letter and up to ${limits.kindLengthMax - 1} letters, digits and . _ - after it.`;
    return new OutlastError("invalid", `${JSON.stringify(name)} cannot be the name of a task.`, { hint });
  }
  if (!innerKinds.includes(name) && !builtInKinds.some((kind) => kind.name === name)) return null;
  return new OutlastError("invalid", `"${name}" is the name of a built-in kind.`, { hint: "Choose another name." });
}

/** The file and line that called `caller`. */
function placeOfCall(caller: (...args: never) => unknown): string | null {
  const holder: { stack?: string } = {};
  Error.captureStackTrace(holder, caller);
  const line = holder.stack?.split("\n")[1] ?? "";
  const place = /(file:\/\/)?(\/[^()]*|[A-Za-z]:[^()]*):(\d+):\d+\)?$/.exec(line);
  if (place === null) return null;
  const [, scheme, path = "", number = ""] = place;
  return `${scheme === undefined ? path : decodeURIComponent(path)}:${number}`;
}

/** True for what `defineTask` returned, in this copy of the package or another. */
export function isDefinition(value: unknown): value is AnyTaskDefinition {
  return (
    typeof value === "object" && value !== null && (value as { [definitionMark]?: unknown })[definitionMark] === true
  );
}
