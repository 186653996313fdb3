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

/** As a field holds it; empty for none. */
export function textOf({ type }: Variable, value: unknown): string {
  if (value === undefined) return type === "boolean" ? "false" : "";
  return type === "string" && typeof value === "string" ? value : JSON.stringify(value);
}

/** What is wrong with what stands in a field; undefined if nothing is. Whether it may be empty, its browser knows. */
export function mistakeOf({ type, minimum, maximum }: Variable, text: string): string | undefined {
  if (text === "") return undefined;
  if (type === "integer" || type === "number") {
    const number = Number(text);
    if (!Number.isFinite(number)) return "This is not a number.";
    if (type === "integer" && !Number.isInteger(number)) return "A whole number is needed here.";
    if (minimum !== undefined && number < minimum) return `It must be at least ${minimum}.`;
    if (maximum !== undefined && number > maximum) return `It must be at most ${maximum}.`;
    return undefined;
  }
  return type !== "json" || isJson(text) ? undefined : "This is not valid JSON.";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** @throws SyntaxError where the text is none of that type */
export function valueOf(type: Variable["type"], text: string): unknown {
  return type === "string" ? text : (JSON.parse(text) as unknown);
}

/** The values to send. A field that is empty is left out, so that the master says what is missing. @throws SyntaxError */
export function valuesOf(variables: Variables, texts: Texts): { readonly [name: string]: unknown } {
  const values: { [name: string]: unknown } = {};
  for (const [name, { type, default: value }] of Object.entries(variables)) {
    const text = texts[name] ?? "";
    // An empty text is a value where there is another one if none is given.
    if (text !== "" || (type === "string" && value !== undefined)) values[name] = valueOf(type, text);
  }
  return values;
}
