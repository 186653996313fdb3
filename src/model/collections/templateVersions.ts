/** The collection `templateVersions`: what each version of a template says. A version never changes. */
import { type TemplateVersion, versionId } from "../templates/template.ts";
import { type Collection, isObject } from "./collection.ts";

export const templateVersions = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isObject(value)) return "is not an object";
    if (versionId(String(value["name"]), Number(value["version"])) !== id)
      return "has a name or version that is not its id";
    return isObject(value["task"]) ? null : "has no task";
  },

  digestOf: ({ name, version }) => ({ name, version }),

  toEvent: () => null,
} as const satisfies Collection<TemplateVersion>;
