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
