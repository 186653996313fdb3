/** The collection `inputs`: inputs into which outputs of other tasks have been put, once per generation. The id is `<task>/<epoch>`. */
import type { Json } from "../json.ts";
import { type Collection, isObject } from "./collection.ts";

export interface ResolvedInput {
  readonly input: Json;
}

/** The id of the record of a task in one generation. */
export function inputId(task: string, epoch: number): string {
  return `${task}/${epoch}`;
}

export const inputs = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: true,

  problemOf: (_id, value) => (isObject(value) && "input" in value ? null : "holds no input"),

  digestOf: (_input: ResolvedInput) => null,

  toEvent: () => null,
} as const satisfies Collection<ResolvedInput>;
