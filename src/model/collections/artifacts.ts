/** The collection `artifacts`: the files that attempts have left to be kept. The id is `<task>/<attempt>.<index>`. */
import { type ArtifactRecord, isSha256 } from "../blob.ts";
import { type Collection, isObject } from "./collection.ts";

export const artifacts = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: true,

  problemOf(_id, value) {
    if (!isObject(value) || !isSha256(value["sha256"])) return "names no blob";
    return typeof value["path"] === "string" && Number.isSafeInteger(value["size"]) ? null : "has no path or size";
  },

  digestOf: (_artifact: ArtifactRecord) => null,

  toEvent: () => null,
} as const satisfies Collection<ArtifactRecord>;
