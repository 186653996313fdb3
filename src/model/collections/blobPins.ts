/** The collection `blobPins`: which tasks name which blobs. The id begins with the blob, so that its pins stand together. */
import type { BlobPin } from "../blob.ts";
import { type Collection, isObject } from "./collection.ts";

export const blobPins = {
  version: 1,
  keeping: "cold",
  isOwnedByTask: false,

  problemOf: (_id, value) =>
    isObject(value) && typeof value["task"] === "string" && Number.isSafeInteger(value["createdAt"])
      ? null
      : "does not say which task names the blob",

  digestOf: (_pin: BlobPin) => null,

  toEvent: () => null,
} as const satisfies Collection<BlobPin>;
