/** A task that a handler or a program asks for: a definition's name with an input, checked against its schema. */
import type { Json } from "../../model/json.ts";
import type { Submission } from "../../model/submission.ts";

declare const outputType: unique symbol;

/** A task of a definition. Made by `definition.task(input)`. */
export interface TaskCall<Output> {
  /** Checks the input. @throws NonRetryableError if the definition's schema refuses it */
  toSubmission(): Submission | Promise<Submission>;
  /** Only for the compiler. */
  readonly [outputType]?: Output;
}

/** What children are made of: calls of definitions, or plain submissions such as `{ kind: "exec", input: … }`. */
export type ChildCall = TaskCall<unknown> | Submission;

/** The type of a child's result; any JSON for a plain submission. */
export type OutputOf<Call> = Call extends TaskCall<infer Output> ? Output : Json;

/** All of a submission but what it is and works on. */
export type TaskOptions = Omit<Submission, "kind" | "input">;

export function toSubmission(call: ChildCall): Submission | Promise<Submission> {
  return "toSubmission" in call ? call.toSubmission() : call;
}
