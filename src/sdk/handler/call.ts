/** A task that a handler or a program asks for: a definition's name with an input, checked against its schema. */
import { OutlastError } from "../../model/errors.ts";
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

/** @throws OutlastError `invalid` for a call to which something was added by a spread: it would be lost without a word */
export function toSubmission(call: ChildCall): Submission | Promise<Submission> {
  if (!("toSubmission" in call)) return call;
  const added = Object.keys(call).filter((name) => name !== "toSubmission");
  if (added.length === 0) return call.toSubmission();
  const names = added.map((name) => JSON.stringify(name)).join(", ");
  throw new OutlastError("invalid", `${names} cannot be added to the call of a definition.`, {
    hint: `Give it as an option: definition.task(input, { ${added[0]}: … }).`,
  });
}
