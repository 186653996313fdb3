/** From a template and values to a task: one pure function, so that a master and everybody else come to the same task. */
import { OutlastError } from "../errors.ts";
import type { TaskId } from "../ids.ts";
import type { Json, JsonObject } from "../json.ts";
import { isObject, quote } from "../kinds/kind.ts";
import { findKind } from "../kinds/table.ts";
import { limits } from "../limits.ts";
import type { Schema } from "../schema.ts";
import { checkSchema } from "../schemaCheck.ts";
import { checkSubmission, type Submission, submissionSchema, toSpec } from "../submission.ts";
import { hasPlaceholders, piecesOf, placeholdersIn } from "./placeholders.ts";
import { type TemplateContent, templateSchema } from "./template.ts";
import { type Problem, problemsOfVariable, resolveVariables, toError } from "./variables.ts";

export interface Expanded {
  readonly task: Submission;
  /** All values that were put in, those of defaults included. */
  readonly variables: JsonObject;
}

/**
 * The task that a template makes of these values.
 * @throws OutlastError `invalid`, which lists all variables that are unknown, missing or wrong, or says what is wrong with the task
 */
export function expandTemplate(content: TemplateContent, given: JsonObject): Expanded {
  const variables = resolveVariables(content.variables ?? {}, given);
  const task = new Expansion(variables).expand(content.task, {
    path: "/task",
    depth: 0,
    schema: schemaOf(content.task),
  });
  checkTask(task);
  return { task, variables };
}

function checkTask(task: Json): asserts task is Json & Submission {
  checkSubmission(task, "/task");
  toSpec(task, { id: "expanded" as TaskId, fingerprint: null, now: 0 }, "/task");
}

/** Where a value stands in the task, and what is known of values that may stand there. */
interface Place {
  readonly path: string;
  readonly depth: number;
  readonly schema: Schema;
}

/** Where a task takes text only, such as an argument of a command, every value becomes its text. */
function schemaOf({ kind }: JsonObject): Schema {
  const input = typeof kind === "string" ? findKind(kind)?.inputSchema : undefined;
  return { ...submissionSchema, properties: { ...(submissionSchema["properties"] as object), input: input ?? {} } };
}

function memberSchema({ properties = {}, additionalProperties }: Schema, name: string): Schema {
  if (Object.hasOwn(properties as object, name)) return (properties as { readonly [name: string]: Schema })[name] ?? {};
  return isObject(additionalProperties as Json) ? (additionalProperties as Schema) : {};
}

/** Puts values into one task, and counts what that comes to: a large value may stand in many places. */
class Expansion {
  readonly #values: JsonObject;
  #length = 0;

  constructor(values: JsonObject) {
    this.#values = values;
  }

  expand(value: Json, place: Place): Json {
    const { path, depth, schema } = place;
    if (depth > limits.jsonDepthMax)
      throw tooLarge(path, "jsonDepthMax", `nested more than ${limits.jsonDepthMax} deep`);
    if (typeof value === "string") return this.#expandText(value, place);
    if (Array.isArray(value))
      return value.map((item, index) =>
        this.expand(item, { path: `${path}/${index}`, depth: depth + 1, schema: (schema["items"] ?? {}) as Schema }),
      );
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [
        name,
        this.expand(member, { path: `${path}/${name}`, depth: depth + 1, schema: memberSchema(schema, name) }),
      ]),
    );
  }

  #expandText(text: string, { path, depth, schema }: Place): Json {
    const pieces = piecesOf(text);
    const [only] = pieces;
    if (pieces.length === 1 && only !== undefined && "variable" in only && schema["type"] !== "string") {
      const value = this.#valueOf(only.variable);
      this.#count(JSON.stringify(value), path);
      if (depth + depthOf(value) > limits.jsonDepthMax) {
        throw tooLarge(path, "jsonDepthMax", `nested more than ${limits.jsonDepthMax} deep`);
      }
      return value;
    }
    const parts: string[] = [];
    let bytes = 0;
    for (const piece of pieces) {
      const part = "variable" in piece ? toText(this.#valueOf(piece.variable)) : "text" in piece ? piece.text : "";
      bytes += part.length;
      if (bytes > limits.stringBytesMax) {
        throw tooLarge(path, "stringBytesMax", `longer than ${limits.stringBytesMax} characters`);
      }
      this.#count(part, path);
      parts.push(part);
    }
    return parts.join("");
  }

  #valueOf(name: string): Json {
    const value = Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
    if (value === undefined)
      throw new OutlastError("invalid", `The template uses ${quote(name)}, which it does not declare.`);
    return value;
  }

  #count(text: string, path: string): void {
    this.#length += text.length;
    if (this.#length > limits.bodyBytesMax) {
      throw tooLarge(path, "bodyBytesMax", `larger than ${limits.bodyBytesMax} bytes`);
    }
  }
}

function toText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function depthOf(value: Json): number {
  if (value === null || typeof value !== "object") return 0;
  let deepest = 0;
  for (const member of Object.values(value)) deepest = Math.max(deepest, depthOf(member));
  return deepest + 1;
}

function tooLarge(path: string, limit: string, what: string): OutlastError {
  return new OutlastError("invalid", `With these variables the task is ${what}.`, { path, limit });
}

/**
 * Checks what a user wrote. What depends on values that are not known yet is checked when the template is run.
 * @throws OutlastError `invalid`, which lists everything that is wrong with variables and placeholders
 */
export function checkTemplate(content: Json): asserts content is Json & TemplateContent {
  checkSchema(templateSchema, content, "", "The template");
  const { task, variables = {} } = content as unknown as TemplateContent;
  const problems: Problem[] = [];
  for (const [name, variable] of Object.entries(variables)) {
    problems.push(...problemsOfVariable(name, variable, `/variables/${name.slice(0, 80)}`));
  }
  for (const { path, piece } of placeholdersIn(task, "/task")) {
    if ("malformed" in piece) {
      problems.push({
        path,
        message: `${quote(piece.malformed)} at ${path} is no placeholder: write "$\${" for a plain "\${".`,
      });
    } else if (!Object.hasOwn(variables, piece.variable)) {
      problems.push({
        path,
        message: `The variable ${quote(piece.variable)} at ${path} is not declared; "$\${" is a plain "\${".`,
      });
    }
  }
  problems.push(...problemsOfWork(task));
  if (problems.length > 0) throw toError(problems, "the template");
  checkSchema(partialSchema(task), task, "/task", "The task");
  if (Object.values(variables).every((variable) => variable.default !== undefined))
    expandTemplate(content as unknown as TemplateContent, {});
}

function* problemsOfWork({ kind, id, input }: JsonObject): Generator<Problem> {
  if (id !== undefined) {
    yield { path: "/task/id", message: "The task of a template has no id: each run of it is a task of its own." };
  }
  if (typeof kind === "string" && hasPlaceholders(kind)) {
    yield { path: "/task/kind", message: "The kind of a template's task holds no placeholder." };
  }
  if (kind !== "exec" || !isObject(input)) return;
  const { shell = false, command = [] } = input;
  if (shell !== false && hasPlaceholders([shell, command])) {
    yield {
      path: "/task/input/command",
      message:
        'A shell would take a value for a part of its program. Pass it as an environment variable (env: {"N": "${n}"}) and write "$N" in the command, or leave out "shell".',
    };
  }
}

/** The schema of submissions without what is not known yet: the properties that hold placeholders. */
function partialSchema(task: JsonObject): typeof submissionSchema {
  const properties = submissionSchema["properties"] as { readonly [name: string]: Json };
  const known = Object.entries(properties).filter(([name]) => name !== "id");
  return {
    ...submissionSchema,
    properties: Object.fromEntries(
      known.map(([name, schema]) => [name, hasPlaceholders(task[name] ?? null) ? {} : schema]),
    ),
  };
}
