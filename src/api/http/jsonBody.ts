/** Parses JSON bodies, and refuses values that are valid JSON but unsafe or ambiguous for programs. */
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { forbiddenKeys, scanJson } from "./jsonScan.ts";

/** Some editors and shells begin a file with a byte order mark. The decoder skips it. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * If an object has a key twice, the last value counts, as always in JavaScript.
 * @param what the bytes are, as the beginning of a sentence
 * @throws OutlastError `bad-json`
 */
export function parseJson(bytes: Uint8Array, what = "The body"): Json {
  const { isSuspicious } = scanJson(bytes);
  const value = parse(decode(bytes, what), what);
  if (isSuspicious) refuseTraps(value, "");
  return value;
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new OutlastError("bad-json", `${what} is not valid UTF-8.`);
  }
}

function parse(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    // V8's message quotes the text around the error; only the reason and the position are passed on.
    const reason =
      error instanceof SyntaxError ? error.message.replace(/, ".*" is not valid JSON$/s, "").slice(0, 200) : "";
    throw new OutlastError("bad-json", `${what} is not valid JSON.`, reason === "" ? {} : { reason });
  }
}

/** Recursion is safe: the scan has limited the depth. */
function refuseTraps(value: Json, path: string): void {
  if (typeof value === "number") return refuseBadNumber(value, path);
  if (typeof value === "string") return refuseBrokenText(value, path);
  if (value === null || typeof value !== "object") return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseTraps(item, `${path}/${index}`);
    return;
  }
  for (const [key, item] of Object.entries(value)) {
    if (forbiddenKeys.has(key)) {
      throw new OutlastError("bad-json", `The key ${JSON.stringify(key)} is not allowed.`, {
        path: `${path}/${key}`,
      });
    }
    refuseBrokenText(key, path);
    refuseTraps(item, `${path}/${key}`);
  }
}

function refuseBadNumber(value: number, path: string): void {
  if (Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value))) return;
  throw new OutlastError("bad-json", "A number is too large to be exact.", {
    path,
    hint: `The largest whole number is ${Number.MAX_SAFE_INTEGER}; send larger ones as strings.`,
  });
}

function refuseBrokenText(value: string, path: string): void {
  if (value.isWellFormed()) return;
  throw new OutlastError("bad-json", "A string contains half of a surrogate pair.", { path });
}
