/**
 * References in the inputs of tasks: `${tasks.NAME.output.FIELD}` takes the output of a task, `${tasks.NAME.artifacts.PATH}` a file that
 * it has left, `$${tasks.` is a plain `${tasks.`.
 */
import { OutlastError } from "../errors.ts";
import { Expansion, type FilledPiece } from "../expansion.ts";
import type { Json, JsonObject } from "../json.ts";
import { isObject, quote } from "../kinds/kind.ts";
import type { Schema } from "../schema.ts";

/** What `${…}` says between its braces, after `tasks.`. */
export interface Reference {
  readonly name: string;
  readonly part: (typeof parts)[number];
  /** Of an output: names of members, and indices of lists. Of artifacts: the path of one file, or nothing for all of them. */
  readonly path: readonly string[];
}

const parts = ["output", "artifacts"] as const;

type Piece = { readonly text: string } | { readonly escape: true } | { readonly body: string; readonly all: string };

const token = /\$\$\{tasks\.|\$\{tasks\.([^{}]*)(\}?)/g;
/** How a plain `${tasks.` is written where references are looked for. */
const escaped = "$${tasks.";
const plain = "${tasks.";

/** Splits a string. The pieces are read once: the text of a value is never searched. Any other `${…}` is text. */
function piecesOf(text: string): readonly Piece[] {
  if (!text.includes(plain)) return [{ text }];
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(token)) {
    if (match.index > from) pieces.push({ text: text.slice(from, match.index) });
    const [all, body] = match;
    from = match.index + all.length;
    pieces.push(body === undefined ? { escape: true } : { body: match[2] === "}" ? body : "", all });
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

const memberPattern = /^[A-Za-z0-9_-]+$/;

/** @param names of the tasks that may be meant; a name may hold dots. Null if it means none of them, or cannot be read */
export function parseReference(body: string, names: readonly string[]): Reference | null {
  let found: Reference | null = null;
  for (const name of names) {
    for (const part of parts) {
      if (!body.startsWith(`${name}.${part}`) || name.length <= (found?.name.length ?? -1)) continue;
      const path = pathOf(part, body.slice(name.length + part.length + 1));
      if (path !== null) found = { name, part, path };
    }
  }
  return found;
}

/** @param rest what follows `output` or `artifacts`. Null if it cannot be read */
function pathOf(part: Reference["part"], rest: string): readonly string[] | null {
  if (rest === "") return [];
  if (!rest.startsWith(".")) return null;
  if (part === "artifacts") return rest === "." ? null : [rest.slice(1)];
  const path = rest.slice(1).split(".");
  return path.every((member) => memberPattern.test(member)) ? path : null;
}

/** Every reference in a task's input with its place, those in a graph's own nodes excepted where they mean one of its own. */
export function* referencesIn(
  { kind, input }: { readonly kind?: Json; readonly input?: Json },
  path: string,
): Generator<{ readonly path: string; readonly body: string; readonly all: string }> {
  for (const { text, path: place } of textsOf(kind ?? "", input ?? null, path)) {
    for (const piece of piecesOf(text)) if ("body" in piece) yield { path: place, body: piece.body, all: piece.all };
  }
}

/** True if the input must be filled before the task starts: it holds references, or plain text that is written like one. */
export function takesOutputs(kind: string, input: Json): boolean {
  for (const { text } of textsOf(kind, input, "")) if (text.includes(plain)) return true;
  return false;
}

/** The strings of an input in which references are looked for: of a graph, those in the inputs of its nodes. */
function* textsOf(kind: Json, value: Json, path: string): Generator<{ readonly text: string; readonly path: string }> {
  if (kind === "graph") {
    for (const [name, node] of nodesOf(value)) {
      yield* textsOf(node["kind"] ?? "", node["input"] ?? null, `${path}/tasks/${name}/input`);
    }
  } else if (typeof value === "string") {
    yield { text: value, path };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* textsOf("", item, `${path}/${index}`);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) yield* textsOf("", member, `${path}/${name}`);
  }
}

/** The nodes of a graph's input that are objects. */
export function nodesOf(input: Json): [string, JsonObject][] {
  const tasks = isObject(input) ? (input["tasks"] ?? null) : null;
  return Object.entries(isObject(tasks) ? tasks : {}).filter((entry): entry is [string, JsonObject] =>
    isObject(entry[1]),
  );
}

/** What has become of a task that another one waits for. */
export interface EndedTask {
  readonly isSuccess: boolean;
  readonly output: Json;
  /** References of the files that it has left, by their paths: `sha256:…`. Left out where nobody asks for them. */
  readonly artifacts?: ReadonlyMap<string, string>;
}

/**
 * The input with outputs in the place of references. Everything of a task that did not succeed is null. In a graph, a reference
 * means the nearest task of that name: those that mean a node of its own are left as they are, to be filled when that has ended.
 * @param schemaOf of the input of a kind: where it takes text only, every value becomes its text
 * @throws OutlastError `invalid` if an output has no such member, or a task has left no such file, or the result is too large
 */
export function fillInput(
  { kind, input }: { readonly kind: string; readonly input: Json },
  tasks: ReadonlyMap<string, EndedTask>,
  schemaOf: (kind: string) => Schema,
): Json {
  const names = [...tasks.keys()];
  const expansion = (known: readonly string[], isNested: boolean): Expansion =>
    new Expansion((text, path) => fill(text, path, { tasks, names: known, isNested }), "With these outputs");
  const walk = (kindName: string, value: Json, known: readonly string[], isNested: boolean): Json => {
    if (kindName !== "graph" || !isObject(value))
      return expansion(known, isNested).expand(value, { path: "/input", depth: 0, schema: schemaOf(kindName) });
    const nodes = nodesOf(value);
    const own = new Set(nodes.map(([name]) => name));
    const outer = known.filter((name) => !own.has(name));
    const filled = nodes.map(([name, node]): [string, Json] => {
      const { kind: of, input: inner } = node;
      if (inner === undefined) return [name, node];
      return [name, { ...node, input: walk(typeof of === "string" ? of : "", inner, outer, true) }];
    });
    return { ...value, tasks: Object.fromEntries(filled) };
  };
  return walk(kind, input, names, false);
}

interface Filling {
  readonly tasks: ReadonlyMap<string, EndedTask>;
  readonly names: readonly string[];
  /** The string belongs to a node of a graph, and is filled once more when that node starts. */
  readonly isNested: boolean;
}

function fill(text: string, path: string, { tasks, names, isNested }: Filling): readonly FilledPiece[] {
  return piecesOf(text).map((piece) => {
    if ("text" in piece) return piece;
    if ("escape" in piece) return { text: isNested ? escaped : plain };
    const reference = parseReference(piece.body, names);
    const task = reference === null ? undefined : tasks.get(reference.name);
    if (reference === null || task === undefined) return { text: piece.all };
    const value = task.isSuccess ? valueOf(task, reference, path) : null;
    return { value: isNested ? escapeReferences(value) : value };
  });
}

function valueOf({ output, artifacts = new Map() }: EndedTask, reference: Reference, place: string): Json {
  if (reference.part === "output") return memberOf(output, reference, place);
  const { name, path } = reference;
  const [file] = path;
  if (file === undefined) return Object.fromEntries(artifacts);
  const found = artifacts.get(file);
  if (found !== undefined) return found;
  const names = [...artifacts.keys()];
  const rest = names.length > filesNamed ? ` and ${names.length - filesNamed} more` : "";
  const known = names.length === 0 ? "It has left none" : `It has left ${names.slice(0, filesNamed).join(", ")}${rest}`;
  const message = `${quote(name)} has left no artifact ${quote(file)}. ${known}: a command keeps what its "artifacts" match.`;
  throw new OutlastError("invalid", message, { path: place });
}

/** Files that an error names. */
const filesNamed = 10;

function memberOf(output: Json, { name, path }: Reference, place: string): Json {
  let value: Json | undefined = output;
  for (const [index, member] of path.entries()) {
    const isThere: boolean = value !== null && typeof value === "object" && Object.hasOwn(value, member);
    value = isThere ? (value as JsonObject)[member] : undefined;
    if (value === undefined) {
      const where = ["output", ...path.slice(0, index)].join(".");
      throw new OutlastError("invalid", `The ${where} of ${quote(name)} has no ${quote(member)}.`, { path: place });
    }
  }
  return value;
}

export function escapeText(text: string): string {
  return text.replaceAll(plain, () => escaped);
}

/** A value whose text is searched for references later must not bring any. */
export function escapeReferences(value: Json): Json {
  if (typeof value === "string") return escapeText(value);
  if (Array.isArray(value)) return value.map(escapeReferences);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, escapeReferences(member)]));
}
