/** What handlers give back, as it will be read again: as JSON. */
import type { Json } from "../../model/json.ts";
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
    const reason = error instanceof Error ? error.message : String(error);
    throw new NonRetryableError(`${what} cannot be written as JSON: ${reason}`, { cause: error });
  }
  if (text !== undefined) return JSON.parse(text) as Json;
  if (value === undefined) return null;
  throw new NonRetryableError(`${what} cannot be written as JSON: it is a ${typeof value}.`);
}
