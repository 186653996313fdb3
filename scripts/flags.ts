/** Parsers for the numbers that scripts take; what is not one is refused with a sentence, so that no run proves nothing. */
import { InvalidArgumentError } from "commander";
import { wholeNumber } from "../src/cli/arguments.ts";

export const count = wholeNumber(1, Number.MAX_SAFE_INTEGER);
/** Seeds, and numbers of cases. */
export const ordinal = wholeNumber(0, Number.MAX_SAFE_INTEGER);

export function minutes(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError("A number of minutes above 0 is wanted.");
  return value;
}
