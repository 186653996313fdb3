/** Reads one document from a file in JSON or YAML; the YAML parser is loaded only for what is not JSON. */

import { isId } from "../model/ids.ts";
import type { Json, JsonObject } from "../model/json.ts";
import { isObject } from "../model/kinds/kind.ts";
import { limits } from "../model/limits.ts";
import { UsageError } from "./failure.ts";
import { decodeUtf8 } from "./submissionFile.ts";

/** @throws UsageError with the line, if the file is neither JSON nor YAML, or no object */
export async function readContent(file: string): Promise<JsonObject> {
  const source = file === "-" ? "stdin" : file;
  const value = await parseContent(await readText(file), source);
  if (isObject(value)) return value;
  throw new UsageError(`${source} must hold one object, such as: name: nightly`);
}

/** The name of what a file holds, from the file or an option. @throws UsageError if there is none, or no master would take it */
export function nameOf(what: "schedule" | "template", name: unknown): string {
  if (isId(name)) return name;
  if (name === undefined || name === null)
    throw new UsageError(`The ${what} has no name.`, "Add `name: …` to the file, or --name.");
  const hint =
    typeof name === "string"
      ? `A name has 1 to ${limits.idLengthMax} characters: letters, digits and . _ : -`
      : "A name is a text: write a number in quotes.";
  throw new UsageError(`${JSON.stringify(name)} cannot be the name of a ${what}.`, hint);
}

/** A text file, or stdin for `-`. @throws UsageError if it cannot be read, or is not UTF-8 */
export async function readText(file: string): Promise<string> {
  return decodeUtf8(await readBytes(file), file === "-" ? "stdin" : file).replace(/^\ufeff/, "");
}

async function readBytes(file: string): Promise<Buffer> {
  if (file === "-") return (await import("node:stream/consumers")).buffer(process.stdin);
  const { readFile } = await import("node:fs/promises");
  return readFile(file).catch((error: unknown) => {
    throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
}

async function parseContent(text: string, source: string): Promise<Json> {
  try {
    const value = JSON.parse(text) as Json;
    if (text.includes('"tasks"')) await refuseRepeatedKeys(text, source);
    return value;
  } catch (jsonError) {
    if (jsonError instanceof UsageError) throw jsonError;
    const { parseDocument } = await import("yaml");
    const document = parseDocument(text, { version: "1.2", schema: "core" });
    const [error] = document.errors;
    if (error === undefined) return checked(document.toJS({ maxAliasCount: 100 }) as unknown, source);
    // What begins like JSON was meant to be JSON.
    const isJson = /^\s*[[{]/.test(text) && jsonError instanceof Error;
    throw new UsageError(`${source} is ${isJson ? `not JSON: ${jsonError.message}` : `not YAML: ${error.message}`}`);
  }
}

/** Of two nodes with one name, JSON would keep the last without a word. JSON is YAML, whose parser sees it. */
async function refuseRepeatedKeys(text: string, source: string): Promise<void> {
  const { parseDocument } = await import("yaml");
  const error = parseDocument(text, { version: "1.2" }).errors.find(({ code }) => code === "DUPLICATE_KEY");
  if (error !== undefined) throw new UsageError(`${source} has a key twice: ${error.message}`);
}

/** YAML knows values that JSON does not: `.nan`, `.inf`, bytes, keys that are no strings. */
function checked(value: unknown, source: string): Json {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item) => checked(item, source));
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, checked(member, source)]));
  }
  throw new UsageError(
    `${source} holds a value of type ${typeof value} that JSON cannot express, such as .nan or .inf.`,
  );
}
