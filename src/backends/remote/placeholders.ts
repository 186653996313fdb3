/** Puts what is known of a run into the calls of a service: `${handle}`, `${job.queue}`, `${env.TOKEN}`. */
import type { Json } from "../../model/json.ts";
import { isObject } from "../../model/kinds/kind.ts";

const placeholder = /\$\$\{|\$\{([^}]*)\}/g;

export interface Values {
  readonly [name: string]: Json;
}

/** Every text in it filled. A text that is nothing but a placeholder takes the value with its type. */
export function fillAll(value: Json, values: Values): Json {
  if (typeof value === "string") {
    const only = /^\$\{([^}]*)\}$/.exec(value)?.[1];
    return only === undefined ? fillText(value, values) : (lookUp(values, only) ?? null);
  }
  if (Array.isArray(value)) return value.map((item) => fillAll(item, values));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, fillAll(member, values)]));
}

/** @param encode what is done with each value, but not with what stands around it */
export function fillText(text: string, values: Values, encode: (text: string) => string = (same) => same): string {
  return text.replace(placeholder, (whole, name?: string) => {
    if (name === undefined) return whole.slice(1);
    const value = lookUp(values, name);
    return encode(typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value));
  });
}

/** Names in these texts that are none of `known`. */
export function unknownPlaceholders(value: Json, known: readonly string[]): string[] {
  if (typeof value === "string") {
    const names = [...value.matchAll(placeholder)].flatMap(([, name]) => name ?? []);
    return names.filter((name) => !/^env\.\w+$/.test(name) && !known.includes(name.split(".", 1)[0] ?? ""));
  }
  if (Array.isArray(value)) return value.flatMap((item) => unknownPlaceholders(item, known));
  return isObject(value) ? Object.values(value).flatMap((item) => unknownPlaceholders(item, known)) : [];
}

function lookUp(values: Values, name: string): Json | undefined {
  let found: Json | undefined = values;
  for (const member of name.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, member)) return undefined;
    found = (found as Values)[member];
  }
  return found;
}
