/** Why a body can only be refused, judged by nothing but what the API's documents promise. */
import type { ApiDocument, Schema } from "./operations.ts";

const depthMax = 32;
const keysMax = 1000;
const prototypeNames = ["__proto__", "constructor", "prototype"];

/** A sentence, or null if the body may be taken. */
export function whyRefused(body: Uint8Array, schema: Schema, document: ApiDocument): string | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body));
  } catch {
    return "it is no JSON in UTF-8";
  }
  return trapIn(value, 0) ?? document.misfit(schema, value);
}

function trapIn(value: unknown, depth: number): string | null {
  if (typeof value === "string") return value.isWellFormed() ? null : "it holds half of a surrogate pair";
  if (typeof value === "number") {
    return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))
      ? "it holds a number that is not exact"
      : null;
  }
  if (value === null || typeof value !== "object") return null;
  if (depth >= depthMax) return `it is nested more than ${depthMax} levels deep`;
  const names = Array.isArray(value) ? [] : Object.keys(value);
  if (names.length > keysMax) return `it has an object of more than ${keysMax} keys`;
  const trap = names.find((name) => prototypeNames.includes(name));
  if (trap !== undefined) return `it has a key ${trap}`;
  for (const name of names) if (!name.isWellFormed()) return "it holds half of a surrogate pair";
  for (const item of Object.values(value)) {
    const found = trapIn(item, depth + 1);
    if (found !== null) return found;
  }
  return null;
}
