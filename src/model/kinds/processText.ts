/** Texts that reach a process as arguments and variables: their schemas, and what no process can be given. */
import type { Json } from "../json.ts";
import { limits } from "../limits.ts";
import { limitKeyword, type Schema } from "../schema.ts";
import { utf8Bytes } from "../utf8.ts";
import { invalid, isObject, quote } from "./kind.ts";

/** Text that reaches a process as one argument or variable. */
export const processText: Schema = {
  type: "string",
  maxLength: limits.stringBytesMax,
  [limitKeyword]: "stringBytesMax",
};

export const variables: Schema = {
  type: "object",
  maxProperties: limits.execEnvironmentMax,
  [limitKeyword]: "execEnvironmentMax",
  additionalProperties: processText,
};

/** @param forbidden names that belong to the worker */
export function checkVariables(given: Json, path: string, forbidden: RegExp): void {
  for (const [name, value] of Object.entries(isObject(given) ? given : {})) {
    checkText(value as string, `${path}/${name}`);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      throw invalid(`${path}/${name}`, `${quote(name)} is not a valid name of an environment variable.`);
    if (forbidden.test(name)) throw invalid(`${path}/${name}`, `A task may not set ${name}: it belongs to the worker.`);
  }
}

export function checkApart(env: Json, secretEnv: Json, path: string): void {
  for (const name of isObject(secretEnv) && isObject(env) ? Object.keys(secretEnv) : []) {
    if (isObject(env) && Object.hasOwn(env, name))
      throw invalid(`${path}/secretEnv/${name}`, `${name} is in env, too.`);
  }
}

/** No process can be given a NUL byte, a lone surrogate has no UTF-8, and Linux takes no argument of more than 128 KiB. */
export function checkText(value: string, path: string): void {
  const bytes = utf8Bytes(value);
  if (bytes > limits.stringBytesMax) {
    const message = `The text has ${bytes} bytes; ${limits.stringBytesMax} are allowed.`;
    throw invalid(path, message, "stringBytesMax");
  }
  if (value.includes("\0") || !value.isWellFormed())
    throw invalid(path, "NUL and broken characters are not allowed here.");
}

export function shellWord(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
