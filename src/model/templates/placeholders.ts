/** Placeholders in the strings of a JSON value: `${n}` stands for the variable `n`, `$${` for a plain `${`. */
import type { Json } from "../json.ts";
import { isObject } from "../kinds/kind.ts";
import { variableName } from "./template.ts";

/** A piece of a string: text as it is, or a variable. */
export type Piece = { readonly text: string } | { readonly variable: string } | { readonly malformed: string };

const token = /\$\$\{|\$\{([^{}]*)(\}?)/g;

/** Splits a string. The pieces are read once, from left to right: the text of a value is never searched for placeholders. */
export function piecesOf(text: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(token)) {
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
): Generator<{ readonly path: string; readonly piece: Exclude<Piece, { text: string }> }> {
  if (typeof value === "string") {
    for (const piece of piecesOf(value)) if (!("text" in piece)) yield { path, piece };
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* placeholdersIn(item, `${path}/${index}`);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) yield* placeholdersIn(member, `${path}/${name}`);
  }
}

export function hasPlaceholders(value: Json): boolean {
  return placeholdersIn(value, "").next().done !== true;
}
