/** A template as a form: what its fields hold, and the template that they come to. */
import { variableName, variableTypes } from "../../../../src/model/templates/template.ts";
import type { Template } from "../../api/schema.ts";
import { linesOf, taskOf, UnreadableField } from "../../parts/fieldTexts.ts";
import { mistakeOf, textOf, type Variable, valueOf } from "./variables.ts";

export { variableTypes };

/** One variable, all of it text. */
export interface VariableDraft {
  /** Keeps its place in the form, whatever it is called. */
  readonly key: number;
  readonly name: string;
  readonly type: Variable["type"];
  readonly description: string;
  /** True if whoever runs the template must give a value. */
  readonly isNeeded: boolean;
  /** The value if none is given; means nothing where one is needed. */
  readonly value: string;
  /** For numbers; empty for no bound. */
  readonly minimum: string;
  readonly maximum: string;
  /** Each line is a value that is allowed; empty for any. Not for `json`. */
  readonly allowed: string;
  /** What it was before; null for a new one. */
  readonly before: Variable | null;
}

export interface Draft {
  /** Empty for none. */
  readonly description: string;
  readonly variables: readonly VariableDraft[];
  readonly runs: "command" | "task";
  /** Each line is one argument. */
  readonly command: string;
  /** Empty for the default one, and for the name of the template. */
  readonly queue: string;
  readonly taskName: string;
  /** JSON of the task, where it is more than a command. */
  readonly task: string;
}

type Content = Pick<Template, "description" | "variables" | "task">;

const exampleTask = { kind: "exec", input: { command: ["echo", "hello"] } };

/** What the fields hold at first: of the latest version, or of a new template. */
export function draftOf(before: Content | null): Draft {
  const command = before === null ? { command: "", queue: "", taskName: "" } : commandOf(before.task);
  return {
    description: before?.description ?? "",
    variables: Object.entries(before?.variables ?? {}).map(([name, variable], key) =>
      draftOfVariable(key, name, variable),
    ),
    runs: command === null ? "task" : "command",
    ...(command ?? { command: "", queue: "", taskName: "" }),
    task: JSON.stringify(before?.task ?? exampleTask, null, 2),
  };
}

/** The fields of a task that is a command and no more; null for any other. */
function commandOf(task: Content["task"]): Pick<Draft, "command" | "queue" | "taskName"> | null {
  const { kind, input, queue = "", name = "", ...rest }: { readonly [name: string]: unknown } = { ...task };
  const { command, ...more } = Object(input) as { readonly command?: unknown };
  const isPlain = kind === "exec" && Object.keys({ ...rest, ...more }).length === 0;
  if (!isPlain || typeof queue !== "string" || typeof name !== "string" || !Array.isArray(command)) return null;
  // What a line cannot hold as it is stays JSON.
  const isLine = (part: unknown) =>
    typeof part === "string" && part !== "" && part === part.trim() && !part.includes("\n");
  return command.every(isLine) ? { command: command.join("\n"), queue, taskName: name } : null;
}

export function newVariable(others: readonly VariableDraft[]): VariableDraft {
  const key = Math.max(-1, ...others.map((each) => each.key)) + 1;
  return { ...draftOfVariable(key, "", { type: "string" }), before: null };
}

function draftOfVariable(key: number, name: string, variable: Variable): VariableDraft {
  const { type, description = "", minimum, maximum, default: value } = variable;
  return {
    ...{ key, name, type, description },
    isNeeded: value === undefined,
    value: textOf(variable, value),
    minimum: minimum === undefined ? "" : String(minimum),
    maximum: maximum === undefined ? "" : String(maximum),
    allowed: allowedText(variable),
    before: variable,
  };
}

function allowedText(variable: Variable): string {
  return (variable.enum ?? []).map((each) => textOf(variable, each)).join("\n");
}

/** Whether its values can be listed, one on each line. */
export function takesAllowed(type: Variable["type"]): boolean {
  return type !== "json" && type !== "boolean";
}

export function isNumeric(type: Variable["type"]): boolean {
  return type === "integer" || type === "number";
}

/** What the name of a variable has wrong; undefined if nothing. */
export function nameMistake({ key, name }: VariableDraft, all: readonly VariableDraft[]): string | undefined {
  if (name === "") return undefined;
  if (!variableName.test(name)) return "A letter first, then letters, digits and _.";
  return all.some((each) => each.key !== key && each.name === name)
    ? "There is another variable of this name."
    : undefined;
}

/** What the lines of allowed values have wrong; undefined if nothing. */
export function allowedMistake({ type, allowed }: VariableDraft): string | undefined {
  const wrong = (linesOf(allowed) ?? []).find((line) => mistakeOf({ type }, line) !== undefined);
  return wrong === undefined ? undefined : `“${wrong}” is not of the type ${type}.`;
}

/** The variable that the fields of one come to. @throws SyntaxError where a field holds what it cannot */
export function variableOf(draft: VariableDraft): Variable {
  const { type, description, isNeeded, value, minimum, maximum, before } = draft;
  const values = before?.type === type && allowedText(before) === draft.allowed ? before.enum : valuesIn(draft);
  return {
    type,
    ...(description !== "" && { description }),
    ...(isNumeric(type) && minimum !== "" && { minimum: Number(minimum) }),
    ...(isNumeric(type) && maximum !== "" && { maximum: Number(maximum) }),
    ...(values !== undefined && { enum: values }),
    ...(!isNeeded && { default: valueOf(type, value) }),
  } as Variable;
}

function valuesIn({ type, allowed }: VariableDraft): readonly unknown[] | undefined {
  return takesAllowed(type) ? linesOf(allowed)?.map((line) => valueOf(type, line)) : undefined;
}

/** The template to put. @throws UnreadableField */
export function templateOf(draft: Draft): Template {
  const variables = Object.fromEntries(draft.variables.map((each) => [each.name, variableOf(each)]));
  const { description } = draft;
  return {
    ...(description !== "" && { description }),
    ...(draft.variables.length > 0 && { variables }),
    task: draft.runs === "command" ? commandTask(draft) : taskOf(draft.task),
  };
}

function commandTask({ command, queue, taskName }: Draft): Template["task"] {
  return {
    kind: "exec",
    ...(taskName !== "" && { name: taskName }),
    ...(queue !== "" && { queue }),
    input: { command: linesOf(command) ?? [] },
  };
}

/** What the JSON of a task has wrong; undefined if nothing. */
export function taskMistake(text: string): string | undefined {
  if (text.trim() === "") return undefined;
  try {
    taskOf(text);
    return undefined;
  } catch (error) {
    if (error instanceof UnreadableField) return error.message;
    throw error;
  }
}
