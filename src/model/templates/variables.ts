/** Values of variables: checked against their types, and completed with defaults. Everything that is wrong is told at once. */
import type { Json, JsonObject } from "../json.ts";
import { quote } from "../kinds/kind.ts";
import { limits } from "../limits.ts";
import { type Problem, toError } from "../problems.ts";
import { suggest } from "../suggestion.ts";
import { type TemplateVariable, type TemplateVariables, variableName } from "./template.ts";

/**
 * The values of all variables.
 * @throws OutlastError `invalid`, which lists every variable that is unknown, missing or has a wrong value
 */
export function resolveVariables(variables: TemplateVariables, given: JsonObject, path = "/variables"): JsonObject {
  const problems: Problem[] = [];
  const values = new Map<string, Json>();
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(variables, name)) continue;
    const meant = suggest(name, Object.keys(variables));
    const more = meant === null ? "" : ` Did you mean ${quote(meant)}?`;
    problems.push({ path: `${path}/${name.slice(0, 80)}`, message: `Unknown variable ${quote(name)}.${more}` });
  }
  for (const [name, variable] of Object.entries(variables)) {
    const value = Object.hasOwn(given, name) ? given[name] : variable.default;
    const problem = value === undefined ? "is missing" : problemOfValue(variable, value);
    if (problem !== null) problems.push({ path: `${path}/${name}`, message: `Variable ${quote(name)} ${problem}.` });
    else if (value !== undefined) values.set(name, value);
  }
  if (problems.length > 0) throw toError(problems, "the variables", declared(variables));
  return Object.fromEntries(values);
}

function declared(variables: TemplateVariables): string {
  const names = Object.entries(variables).map(([name, { type }]) => `${name} (${type})`);
  if (names.length === 0) return "The template has no variables.";
  return `Its variables: ${names.slice(0, limits.problemsShownMax).join(", ")}.`;
}

const typeTests: { readonly [Type in TemplateVariable["type"]]: (value: Json) => boolean } = {
  string: (value) => typeof value === "string",
  integer: (value) => Number.isSafeInteger(value),
  number: (value) => typeof value === "number" && Number.isFinite(value),
  boolean: (value) => typeof value === "boolean",
  json: () => true,
};

const typeWords = {
  string: "a string",
  integer: "a whole number",
  number: "a number",
  boolean: "true or false",
  json: "JSON",
} as const;

/** What is wrong with a value, as the end of a sentence; null if nothing is. */
function problemOfValue({ type, minimum, maximum, enum: allowed }: TemplateVariable, value: Json): string | null {
  if (!typeTests[type](value)) return `must be ${typeWords[type]}`;
  if (minimum !== undefined && Number(value) < minimum) return `must be at least ${minimum}`;
  if (maximum !== undefined && Number(value) > maximum) return `must be at most ${maximum}`;
  if (allowed !== undefined && !allowed.includes(value)) {
    return `must be one of ${allowed.slice(0, limits.problemsShownMax).map(quote).join(", ")}`;
  }
  return null;
}

/** What is wrong with the declaration of a variable itself. */
export function* problemsOfVariable(name: string, variable: TemplateVariable, path: string): Generator<Problem> {
  const { type, minimum, maximum, enum: allowed } = variable;
  const says = (message: string, place = path): Problem => ({
    path: place,
    message: `Variable ${quote(name)} ${message}.`,
  });
  if (!variableName.test(name)) {
    yield { path, message: `${quote(name)} is no name of a variable: a letter, then up to 63 letters, digits and _.` };
  }
  const isNumber = type === "integer" || type === "number";
  if (!isNumber && (minimum !== undefined || maximum !== undefined)) {
    yield says("has a minimum or maximum, which are for integer and number only");
  } else if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
    yield says("has a minimum above its maximum");
  }
  if (type === "json" && allowed !== undefined) yield says("has an enum, which is not for json", `${path}/enum`);
  for (const [index, value] of (allowed ?? []).entries()) {
    if (!typeTests[type](value)) {
      yield says(`has a value in its enum that is not ${typeWords[type]}`, `${path}/enum/${index}`);
    }
  }
  const problem = variable.default === undefined ? null : problemOfValue(variable, variable.default);
  if (problem !== null) yield says(`has a wrong default: it ${problem}`, `${path}/default`);
}
