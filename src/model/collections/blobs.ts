/** The collection `blobs`: which contents are kept, and in which object each is. The id is the SHA-256 of the content. */
import { type BlobRecord, isSha256 } from "../blob.ts";
import { type Collection, isObject } from "./collection.ts";

export const blobs = {
  version: 1,
  keeping: "hot",
  isOwnedByTask: false,

  problemOf(id, value) {
    if (!isSha256(id)) return "has an id that is no SHA-256";
    if (!isObject(value)) return "is not an object";
    if (!Number.isSafeInteger(value["size"])) return "has no size";
    if (!Number.isSafeInteger(value["leasedUntil"])) return "has no lease";
    return typeof value["object"] === "string" ? null : "does not name its object";
  },

  digestOf: ({ size, object, leasedUntil, removeAt = 0 }) => ({ size, object, leasedUntil, removeAt }),

  toEvent: () => null,
} as const satisfies Collection<BlobRecord>;
