/** What makes a kind of task. All that is known of a built-in kind stands in its own file beside this one. */
import { OutlastError } from "../errors.ts";
import type { Json, JsonObject } from "../json.ts";
import type { Schema } from "../schema.ts";

export interface KindDefinition {
  readonly name: string;
  /** What its input is called in the OpenAPI document. */
  readonly inputName: string;
  /** JSON Schema of its input; the API checks each submission against it. */
  readonly inputSchema: Schema;
  /** Members of its input whose values are hidden from those who may only read: objects, of which the names stay visible. */
  readonly secretMembers?: readonly string[];
  /** True if the masters decide it: no worker runs it, and what is said of attempts does not apply. */
  readonly needsNoWorker?: true;
  /** True if what it remembers is of no use once it has failed: a retry begins from scratch. */
  readonly beginsAnew?: true;
  /** True if its children are parts of its own work: what they leave out of queue, priority and required labels, they have from it. */
  readonly childrenShareItsLane?: true;
  /** How an operator starts a worker that runs it, if not every worker does. */
  readonly workerCommand?: string;
  /** The one form of an input that may be written in several: what is stored, and what workers are given. It need not be valid. */
  normalize?(input: JsonObject): JsonObject;
  /** Labels that a worker must carry to run a task with this input, besides those that the task names. */
  labels?(input: JsonObject): readonly string[];
  /**
   * Checks what a schema cannot express. `path` is where the input stands in the request, as a JSON pointer.
   * @throws OutlastError `invalid`
   */
  check?(input: JsonObject, path: string, scope: TaskScope): void;
  /** Checks what is known of an input into which outputs are put later: the members that hold no references. @throws OutlastError `invalid` */
  checkKnown?(known: JsonObject, path: string): void;
  /** The work in a few words, for people: `sleep 5s`, `make test`. Null if the input is not one of this kind. */
  describe(input: JsonObject): string | null;
}

/** What surrounds the task that is checked, for kinds whose input holds tasks. */
export interface TaskScope {
  /** Names of the tasks whose outputs it may take. */
  readonly visible: readonly string[];
  /** Graphs around it. */
  readonly depth: number;
  /** Somebody asks for it now. What is stored was checked by the version that took it, and is not checked more strictly later. */
  readonly isNew?: boolean;
  /** @throws OutlastError `invalid` if a task inside is not valid */
  checkTask(task: Json, path: string, scope: Omit<TaskScope, "checkTask">): void;
}

export function invalid(path: string, message: string, limit?: string): OutlastError {
  return new OutlastError("invalid", message, limit === undefined ? { path } : { path, limit });
}

export function quote(text: unknown): string {
  return JSON.stringify(text)?.slice(0, 80) ?? "nothing";
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
