/** The collection `steps`: what tasks remember under their keys, for all later attempts. The id is `<task>/<epoch>.<key>`. */
import type { StepRecord } from "../family.ts";
import { type Collection, isObject } from "./collection.ts";

const parts = ["value", "children", "slept", "signal"];

export const steps = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: true,

  problemOf: (_id, value) =>
    isObject(value) && parts.some((part) => part in value) ? null : "does not say what is remembered",

  digestOf: (_step: StepRecord) => null,

  toEvent: () => null,
} as const satisfies Collection<StepRecord>;
