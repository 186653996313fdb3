/** The variables of a template as a form: what fields hold, and what that comes to. */
import type { Template } from "../../api/schema.ts";

export type Variables = NonNullable<Template["variables"]>;
export type Variable = Variables[string];

/** What the fields hold at first: the defaults, as text. */
export function initialTexts(variables: Variables): { readonly [name: string]: string } {
  return Object.fromEntries(
    Object.entries(variables).map(([name, variable]) => [name, textOf(variable, variable.default)]),
  );
}

function textOf({ type }: Variable, value: unknown): string {
  if (value === undefined) return type === "boolean" ? "false" : "";
  return type === "string" && typeof value === "string" ? value : JSON.stringify(value);
}

/** The values to send. A field that is empty is left out, so that the master says what is missing. @throws SyntaxError */
export function valuesOf(
  variables: Variables,
  texts: { readonly [name: string]: string },
): { readonly [name: string]: unknown } {
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
