/** Placeholders in the strings of a JSON value: `${n}` stands for the variable `n`, `$${` for a plain `${`. */
import type { Json } from "../json.ts";
import { isObject } from "../kinds/kind.ts";
import { variableName } from "./template.ts";

/** A piece of a string: text as it is, or a variable. */
export type Piece = { readonly text: string } | { readonly variable: string } | { readonly malformed: string };

const token = /\$\$\{|\$\{([^{}]*)(\}?)/g;
/** The same where `${tasks.…}` and `$${tasks.…}` are not ours: they are read when the task that they stand in starts. */
const tokenBesideReferences = /\$\$\{(?!tasks\.)|(?<!\$)\$\{(?!tasks\.)([^{}]*)(\}?)/g;

/**
 * Splits a string. The pieces are read once, from left to right: the text of a value is never searched for placeholders.
 * @param hasReferences true for a task into which outputs of other tasks are put later
 */
export function piecesOf(text: string, hasReferences = false): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(hasReferences ? tokenBesideReferences : token)) {
    if (match.index > from) pieces.push({ text: text.slice(from, match.index) });
    from = match.index + match[0].length;
    pieces.push(pieceOf(match[0], match[1], match[2] === "}"));
  }
  if (from < text.length || pieces.length === 0) pieces.push({ text: text.slice(from) });
  return pieces;
}

function pieceOf(all: string, name: string | undefined, isClosed: boolean): Piece {
  if (name === undefined) return { text: "${" };
  return isClosed && variableName.test(name) ? { variable: name } : { malformed: all };
}

/** Every piece of every string in a value that is not text, with its place as a JSON pointer. Names of properties have none. */
export function* placeholdersIn(
  value: Json,
  path: string,
  hasReferences = false,
): Generator<{ readonly path: string; readonly piece: Exclude<Piece, { text: string }> }> {
  if (typeof value === "string") {
    for (const piece of piecesOf(value, hasReferences)) if (!("text" in piece)) yield { path, piece };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* placeholdersIn(item, `${path}/${index}`, hasReferences);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) yield* placeholdersIn(member, `${path}/${name}`, hasReferences);
  }
}

export function hasPlaceholders(value: Json, hasReferences = false): boolean {
  return placeholdersIn(value, "", hasReferences).next().done !== true;
}
