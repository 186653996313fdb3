/** From a template and values to a task: one pure function, so that a master and everybody else come to the same task. */
import { OutlastError } from "../errors.ts";
import { Expansion, type FilledPiece } from "../expansion.ts";
import { escapeReferences, nodesOf } from "../graphs/references.ts";
import type { TaskId } from "../ids.ts";
import type { Json, JsonObject } from "../json.ts";
import { shellProgramOf } from "../kinds/exec.ts";
import { isObject, quote } from "../kinds/kind.ts";
import { shellProgramsIn } from "../kinds/shellPrograms.ts";
import { findKind } from "../kinds/table.ts";
import { type Problem, toError } from "../problems.ts";
import type { Schema } from "../schema.ts";
import { checkSchema } from "../schemaCheck.ts";
import { checkSubmission, submissionSchema, toSpec } from "../submission.ts";
import type { Submission } from "../submissionFields.ts";
import { namingVariables } from "./blame.ts";
import { hasPlaceholders, piecesOf, placeholdersIn } from "./placeholders.ts";
import { type TemplateContent, type TemplateVariable, type TemplateVariables, templateSchema } from "./template.ts";
import { problemsOfVariable, resolveVariables } from "./variables.ts";

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
  const isSearched = isSearchedForReferences(content.task);
  const expansion = new Expansion((text) => fill(text, variables, isSearched), "With these variables");
  const task = expansion.expand(content.task, { path: "/task", depth: 0, schema: schemaOf(content.task) });
  try {
    checkTask(task);
  } catch (error) {
    throw error instanceof OutlastError ? namingVariables(error, content.task, isSearched) : error;
  }
  return { task, variables };
}

/** True if outputs of other tasks are put into the task later: then `${tasks.…}` is left for that, and no value may bring any. */
function isSearchedForReferences({ kind, after }: JsonObject): boolean {
  return kind === "graph" || after !== undefined;
}

function fill(text: string, values: JsonObject, isSearched: boolean): readonly FilledPiece[] {
  return piecesOf(text, isSearched).map((piece) => {
    if ("text" in piece) return piece;
    const name = "variable" in piece ? piece.variable : piece.malformed;
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined)
      throw new OutlastError("invalid", `The template uses ${quote(name)}, which it does not declare.`);
    return { value: isSearched ? escapeReferences(value) : value };
  });
}

function checkTask(task: Json): asserts task is Json & Submission {
  checkSubmission(task, "/task");
  toSpec(task, { id: "expanded" as TaskId, fingerprint: null, now: 0 }, "/task", { isNew: true });
}

/** Where a task takes text only, such as an argument of a command, every value becomes its text; in the nodes of a graph, too. */
function schemaOf(task: JsonObject): Schema {
  return {
    ...submissionSchema,
    properties: { ...(submissionSchema["properties"] as object), input: inputSchemaOf(task) },
  };
}

function inputSchemaOf({ kind, input = null }: JsonObject): Schema {
  if (kind !== "graph") return (typeof kind === "string" ? findKind(kind)?.inputSchema : undefined) ?? {};
  const nodes = nodesOf(input).map(([name, node]): [string, Schema] => [
    name,
    { properties: { input: inputSchemaOf(node) } },
  ]);
  return { properties: { tasks: { properties: Object.fromEntries(nodes) } } };
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
  for (const { path, piece } of placeholdersIn(task, "/task", isSearchedForReferences(task))) {
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
  problems.push(...problemsOfWork(task), ...problemsOfShells(task, variables));
  if (problems.length > 0) throw toError(problems, "the template");
  checkSchema(partialSchema(task), task, "/task", "The task");
  if (Object.values(variables).every((variable) => variable.default !== undefined))
    expandTemplate(content as unknown as TemplateContent, {});
}

function* problemsOfWork(task: JsonObject, path = "/task"): Generator<Problem> {
  const { kind, id, input = null } = task;
  if (id !== undefined && path === "/task") {
    yield { path: "/task/id", message: "The task of a template has no id: each run of it is a task of its own." };
  }
  if (typeof kind === "string" && hasPlaceholders(kind)) {
    yield { path: `${path}/kind`, message: "The kind of a template's task holds no placeholder." };
  }
  if (kind === "graph") {
    for (const [name, node] of nodesOf(input)) yield* problemsOfWork(node, `${path}/input/tasks/${name}`);
  }
  if (kind !== "exec" || !isObject(input)) return;
  const shell = shellProgramOf(input);
  if (shell !== null && hasPlaceholders(shell.program, path !== "/task" || isSearchedForReferences(task))) {
    yield {
      path: `${path}/input/${shell.place}`,
      message:
        'A shell would take a value for a part of its program. Pass it as an environment variable (env: {"N": "${n}"}) and write "$N" in the command, or leave out "shell".',
    };
  }
}

/** A value that may be any text, in a place where a shell that a command starts would read it as a part of its program. */
function* problemsOfShells(
  { kind, input = null }: JsonObject,
  variables: TemplateVariables,
  path = "/task",
): Generator<Problem> {
  if (kind === "graph")
    for (const [name, node] of nodesOf(input)) yield* problemsOfShells(node, variables, `${path}/input/tasks/${name}`);
  if ((kind !== "exec" && kind !== "container") || !isObject(input)) return;
  for (const { place, program } of shellProgramsIn(input)) {
    const piece = piecesOf(program, true).find(
      (each) => "variable" in each && mayBeAnyText(variables[each.variable] ?? { type: "string" }),
    );
    if (piece === undefined || !("variable" in piece)) continue;
    const { variable } = piece;
    yield {
      path: `${path}/input/${place}`,
      message: `The shell would take the value of ${quote(variable)} for a part of its program. Pass it as an argument: ["sh", "-c", "echo \\"$1\\"", "sh", "\${${variable}}"], or as an environment variable (env).`,
    };
  }
}

/** Numbers, truth values and listed values hold nothing that the author of the template did not allow. */
function mayBeAnyText({ type, enum: values }: TemplateVariable): boolean {
  return (type === "string" || type === "json") && values === undefined;
}

/** The schema of submissions without what is not known yet: the properties that hold placeholders. */
function partialSchema(task: JsonObject): typeof submissionSchema {
  const properties = submissionSchema["properties"] as { readonly [name: string]: Json };
  const known = Object.entries(properties).filter(([name]) => name !== "id");
  return {
    ...submissionSchema,
    properties: Object.fromEntries(
      known.map(([name, schema]) => [
        name,
        hasPlaceholders(task[name] ?? null, isSearchedForReferences(task)) ? {} : schema,
      ]),
    ),
  };
}
