/** Parses JSON bodies, and refuses values that are valid JSON but unsafe or ambiguous for programs. */
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { problemOfJson } from "../../model/strictJson.ts";
import { scanJson } from "./jsonScan.ts";

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
  if (isSuspicious) refuseTraps(value);
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

function refuseTraps(value: Json): void {
  const problem = problemOfJson(value);
  if (problem === null) return;
  const { message, path, hint } = problem;
  throw new OutlastError("bad-json", message, { path, ...(hint !== undefined && { hint }) });
}
