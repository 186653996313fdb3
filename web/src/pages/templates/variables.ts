/** The variables of a template as a form: what fields hold, and what that comes to. */
import type { Template } from "../../api/schema.ts";

export type Variables = NonNullable<Template["variables"]>;
export type Variable = Variables[string];

/** What the fields hold, by the names of variables. */
export type Texts = { readonly [name: string]: string };

/** What the fields hold at first, as text: these values, and the defaults of what has none. */
export function initialTexts(variables: Variables, values: { readonly [name: string]: unknown } = {}): Texts {
  return Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [name, textOf(variable, values[name] ?? variable.default)]),
  );
}

function textOf({ type }: Variable, value: unknown): string {
  if (value === undefined) return type === "boolean" ? "false" : "";
  return type === "string" && typeof value === "string" ? value : JSON.stringify(value);
}

/** What is wrong with fields, by the names of their variables; those that are well are left out. */
export type Problems = { readonly [name: string]: string };

/**
 * What can be told before the master is asked, in the order of the fields.
 * @param unreadable names of fields in which something stands that their browser cannot read as a number
 */
export function problemsOf(variables: Variables, texts: Texts, unreadable: readonly string[] = []): Problems {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, variable]) => {
      const problem = unreadable.includes(name) ? "This is not a number." : problemOf(variable, texts[name] ?? "");
      return problem === null ? [] : [[name, problem]];
    }),
  );
}

/** Null if the field is well. */
function problemOf({ type, minimum, maximum, default: value }: Variable, text: string): string | null {
  if (text === "") return value === undefined ? "A value is needed here." : null;
  if (type === "integer" || type === "number") {
    const number = Number(text);
    if (!Number.isFinite(number)) return "This is not a number.";
    if (type === "integer" && !Number.isInteger(number)) return "A whole number is needed here.";
    if (minimum !== undefined && number < minimum) return `It must be at least ${minimum}.`;
    if (maximum !== undefined && number > maximum) return `It must be at most ${maximum}.`;
    return null;
  }
  return type !== "json" || isJson(text) ? null : "This is not valid JSON.";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The values to send. A field that is empty is left out, so that the master says what is missing. @throws SyntaxError */
export function valuesOf(variables: Variables, texts: Texts): { readonly [name: string]: unknown } {
  const values: { [name: string]: unknown } = {};
  for (const [name, { type }] of Object.entries(variables)) {
    const text = texts[name] ?? "";
    if (text === "" && type !== "string") continue;
    if (type === "string") {
      if (text !== "" || variables[name]?.default !== undefined) values[name] = text;
    } else values[name] = JSON.parse(text) as unknown;
  }
  return values;
}
