/** The collection `templates`: the latest version of each template. The versions themselves are in `templateVersions`. */
import { isId } from "../ids.ts";
import type { TemplateRecord } from "../templates/template.ts";
import { type Collection, isObject } from "./collection.ts";

export const templates = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (!isId(value["name"]) || value["name"] !== id) return "has a name that is not its id";
    if (!Number.isSafeInteger(value["version"])) return "has no version";
    return typeof value["fingerprint"] === "string" ? null : "has no fingerprint";
  },

  digestOf: ({ version, fingerprint, isRemoved = false }) => ({ version, fingerprint, isRemoved }),

  toEvent: () => null,
} as const satisfies Collection<TemplateRecord>;
