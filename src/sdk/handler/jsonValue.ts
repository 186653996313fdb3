/** What handlers give back, as it will be read again: as JSON. */
import type { Json } from "../../model/json.ts";
import { describeJsonProblem, problemOfJson, reportedDepthMax } from "../../model/strictJson.ts";
import { messageOf } from "../../model/thrown.ts";
import { NonRetryableError } from "./errors.ts";

/**
 * The value as JSON; null for undefined. The first reader and all later ones get the same.
 * @throws NonRetryableError if it has no JSON form
 */
export function toJson(value: unknown, what: string): Json {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw new NonRetryableError(`${what} cannot be written as JSON: ${messageOf(error)}`, { cause: error });
  }
  if (text !== undefined) return kept(JSON.parse(text) as Json, what);
  if (value === undefined) return null;
  throw new NonRetryableError(`${what} cannot be written as JSON: it is a ${typeof value}.`);
}

/** @throws NonRetryableError for what masters do not take, such as numbers that are too large to be exact */
function kept(value: Json, what: string): Json {
  const problem = problemOfJson(value, reportedDepthMax);
  if (problem === null) return value;
  throw new NonRetryableError(describeJsonProblem(`${what} cannot be kept`, problem));
}
