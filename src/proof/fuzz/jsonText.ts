/** Writes JSON that `JSON.stringify` could not: equal keys, numbers beyond all bounds, broken text, and what is no JSON at all. */

/** Stands in a value for text that is written as it is. */
export class RawText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object by its members, in order; their names may be equal, and may name prototypes. */
export class Members {
  readonly entries: readonly (readonly [name: string, value: unknown])[];

  constructor(entries: readonly (readonly [name: string, value: unknown])[]) {
    this.entries = entries;
  }
}

export function toJsonText(value: unknown): string {
  if (value instanceof RawText) return value.text;
  if (value instanceof Members) return objectText(value.entries);
  if (Array.isArray(value)) return `[${value.map(toJsonText).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  return objectText(Object.entries(value));
}

function objectText(entries: readonly (readonly [string, unknown])[]): string {
  return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${toJsonText(value)}`).join(",")}}`;
}

export type Path = readonly (string | number)[];

/** Where there is a value inside of a value, itself included, down to so many. */
export function pathsIn(value: unknown, max: number, path: Path = [], found: Path[] = []): Path[] {
  if (found.length >= max) return found;
  found.push(path);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) pathsIn(item, max, [...path, index], found);
  } else if (isPlain(value)) {
    for (const [name, item] of Object.entries(value)) pathsIn(item, max, [...path, name], found);
  }
  return found;
}

export function valueAt(value: unknown, [first, ...rest]: Path): unknown {
  if (first === undefined) return value;
  return valueAt((value as { [name: string | number]: unknown })[first], rest);
}

/** A copy in which the value at a path is another one. */
export function replaceAt(value: unknown, [first, ...rest]: Path, change: (old: unknown) => unknown): unknown {
  if (first === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((item: unknown, index) => (index === first ? replaceAt(item, rest, change) : item));
  if (!isPlain(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, name === first ? replaceAt(item, rest, change) : item]),
  );
}

export function isPlain(value: unknown): value is { readonly [name: string]: unknown } {
  return (
    value !== null &&
    typeof value === "object" &&
    !Array.isArray(value) &&
    !(value instanceof RawText) &&
    !(value instanceof Members)
  );
}
