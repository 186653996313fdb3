/** What masters take of JSON besides its grammar: whatever is on its way to them is checked by the same rules where it is made. */
import type { Json } from "./json.ts";
import { limits } from "./limits.ts";

export interface JsonProblem {
  readonly message: string;
  /** Where in the value, as a JSON pointer. */
  readonly path: string;
  readonly hint?: string;
}

/** Keys that could change an object's prototype when copied carelessly. */
export const forbiddenKeys: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** How deep a value may be that stands in an item of a report: the report, the list of items and the item are around it. */
export const reportedDepthMax = limits.jsonDepthMax - 3;

/**
 * Why masters would refuse this value; null if they take it.
 * @param depthMax how deep it may be nested: less than `limits.jsonDepthMax` for what stands inside of something
 */
export function problemOfJson(value: Json, depthMax: number = limits.jsonDepthMax, path = ""): JsonProblem | null {
  if (typeof value === "number") return problemOfNumber(value, path);
  if (typeof value === "string") return problemOfText(value, path);
  if (value === null || typeof value !== "object") return null;
  if (depthMax <= 0) return { message: "A value is nested too deep.", path };
  return Array.isArray(value) ? problemOfList(value, depthMax, path) : problemOfObject(value, depthMax, path);
}

function problemOfList(list: readonly Json[], depthMax: number, path: string): JsonProblem | null {
  for (const [index, item] of list.entries()) {
    const problem = problemOfJson(item, depthMax - 1, `${path}/${index}`);
    if (problem !== null) return problem;
  }
  return null;
}

function problemOfObject(value: object, depthMax: number, path: string): JsonProblem | null {
  const entries = Object.entries(value) as [string, Json][];
  if (entries.length > limits.jsonKeysPerObjectMax)
    return { message: `An object has more than ${limits.jsonKeysPerObjectMax} keys.`, path };
  for (const [key, item] of entries) {
    if (forbiddenKeys.has(key))
      return { message: `The key ${JSON.stringify(key)} is not allowed.`, path: `${path}/${key}` };
    const problem = problemOfText(key, path) ?? problemOfJson(item, depthMax - 1, `${path}/${key}`);
    if (problem !== null) return problem;
  }
  return null;
}

function problemOfNumber(value: number, path: string): JsonProblem | null {
  if (Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value))) return null;
  const hint = `The largest whole number is ${Number.MAX_SAFE_INTEGER}; send larger ones as strings.`;
  return { message: "A number is too large to be exact.", path, hint };
}

function problemOfText(value: string, path: string): JsonProblem | null {
  return value.isWellFormed() ? null : { message: "A string contains half of a surrogate pair.", path };
}

/** `The result of step "a": A number is too large to be exact (at /id). …` */
export function describeJsonProblem(what: string, { message, path, hint }: JsonProblem): string {
  const place = path === "" ? message : `${message.slice(0, -1)} (at ${path.slice(0, limits.nameLengthMax)}).`;
  return `${what}: ${place}${hint === undefined ? "" : ` ${hint}`}`.toWellFormed();
}
