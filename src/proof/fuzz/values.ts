/** Draws values that a schema allows, from its edges more often than from its middle, and spoils them. */
import type { Random } from "../simulation/random.ts";
import { badMembers, badValue } from "./badValues.ts";
import { isPlain, type Path, pathsIn, replaceAt } from "./jsonText.ts";
import { type ApiDocument, nameOf, type Schema } from "./operations.ts";

/** A value of one's own for some schemas, by their names: what fits more than by its shape. */
export type Makers = { readonly [schema: string]: (random: Random) => unknown };

const pathsMax = 200;
const depthMax = 6;

export class Values {
  readonly #document: ApiDocument;
  readonly #makers: Makers;

  constructor(document: ApiDocument, makers: Makers = {}) {
    this.#document = document;
    this.#makers = makers;
  }

  draw(schema: Schema, random: Random, depth = 0): unknown {
    const name = nameOf(schema);
    const make = name === null ? undefined : this.#makers[name];
    if (make !== undefined) return make(random);
    const chosen = this.#document.choose(schema, random);
    if (chosen["const"] !== undefined) return chosen["const"];
    if (Array.isArray(chosen["enum"])) return random.pick(chosen["enum"] as unknown[]);
    switch (this.#typeOf(chosen, random)) {
      case "integer":
        return integerIn(chosen, random);
      case "number":
        return random.chance(0.5) ? integerIn(chosen, random) : numberIn(chosen, random);
      case "boolean":
        return random.chance(0.5);
      case "string":
        return textFor(chosen, random);
      case "array":
        return this.#list(chosen, random, depth);
      case "object":
        return this.#object(chosen, random, depth);
      case "null":
        return null;
      default:
        return random.pick([null, 0, "any", [1, { a: null }], { deep: { er: [true] } }]);
    }
  }

  /** A copy with one to three things wrong somewhere in it, or perhaps only odd. */
  spoil(value: unknown, schema: Schema, random: Random): unknown {
    let spoiled = value;
    for (let left = random.pick([1, 1, 1, 2, 3]); left > 0; left--) {
      const path = random.pick(pathsIn(spoiled, pathsMax));
      const place = this.#schemaAt(schema, path);
      spoiled = replaceAt(spoiled, path, (old) =>
        isPlain(old) && random.chance(0.7) ? badMembers(random, old) : badValue(random, place),
      );
    }
    return spoiled;
  }

  #typeOf(schema: Schema, random: Random): string {
    const { type } = schema;
    if (Array.isArray(type)) return String(random.pick(type as unknown[]));
    if (typeof type === "string") return type;
    return isPlain(schema["properties"]) ? "object" : "any";
  }

  #list(schema: Schema, random: Random, depth: number): unknown[] {
    const min = typeof schema["minItems"] === "number" ? schema["minItems"] : 0;
    const items = (schema["items"] ?? {}) as Schema;
    const length = depth > depthMax ? min : min + random.pick([0, 1, 1, 2, 5]);
    return Array.from({ length }, () => this.draw(items, random, depth + 1));
  }

  #object(schema: Schema, random: Random, depth: number): object {
    const properties = (schema["properties"] ?? {}) as { readonly [name: string]: Schema };
    const required = new Set((schema["required"] ?? []) as string[]);
    const entries = Object.entries(properties)
      .filter(([name]) => required.has(name) || random.chance(0.3))
      .map(([name, property]) => [name, this.draw(property, random, depth + 1)]);
    return Object.fromEntries(entries) as object;
  }

  /** What is said of the place that a path leads to; null if nothing is. */
  #schemaAt(schema: Schema, path: Path): Schema | null {
    let place = this.#document.resolve(schema);
    for (const step of path) {
      const properties = (place["properties"] ?? {}) as { readonly [name: string]: Schema };
      const next = typeof step === "number" ? place["items"] : properties[step];
      if (next === undefined) return null;
      place = this.#document.resolve(next as Schema);
    }
    return place;
  }
}

function integerIn(schema: Schema, random: Random): number {
  const min = typeof schema["minimum"] === "number" ? schema["minimum"] : 0;
  const max = typeof schema["maximum"] === "number" ? schema["maximum"] : 1_000_000;
  return random.pick([
    () => min,
    () => max,
    () => min + 1,
    () => random.integer(min, Math.min(max, min + 10)),
    () => random.integer(min, max),
  ])();
}

function numberIn(schema: Schema, random: Random): number {
  const min = typeof schema["minimum"] === "number" ? schema["minimum"] : 0;
  return min + random.next();
}

function textFor(schema: Schema, random: Random): string {
  if (typeof schema["pattern"] === "string") return textLike(schema["pattern"], random);
  if (schema["contentEncoding"] === "base64") return Buffer.from(random.name(random.integer(0, 40))).toString("base64");
  const max = typeof schema["maxLength"] === "number" ? schema["maxLength"] : 100;
  return random.pick(["a", "ä", "a b", random.name(8), "n".repeat(Math.min(max, 200))]).slice(0, max);
}

/** For the few patterns that APIs need: classes and single characters, each perhaps with `{from,to}`. */
export function textLike(pattern: string, random: Random): string {
  let text = "";
  for (const [, set, single, from, to] of pattern
    .replace(/^\^|\$$/g, "")
    .matchAll(/(?:\[([^\]]+)\]|(.))(?:\{(\d+),(\d+)\})?/g)) {
    const min = Number(from ?? 1);
    const max = Math.min(Number(to ?? min), 24);
    for (let left = random.integer(min, Math.max(min, max)); left > 0; left--) {
      text += set === undefined ? single : random.pick(lettersOf(set));
    }
  }
  return text;
}

function lettersOf(set: string): string[] {
  const letters: string[] = [];
  const plain = set.replace(/\\x([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  for (let index = 0; index < plain.length; index++) {
    const first = plain.charCodeAt(index);
    const isRange = plain[index + 1] === "-" && index + 2 < plain.length;
    const last = isRange ? plain.charCodeAt(index + 2) : first;
    for (let code = first; code <= last; code++) letters.push(String.fromCharCode(code));
    if (isRange) index += 2;
  }
  return letters;
}
