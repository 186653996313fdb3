/** Schemas of files. */
import { sha256Pattern } from "../../model/blob.ts";
import { open, safeCount, text } from "../../model/schema.ts";

const sha256 = { type: "string", pattern: sha256Pattern };

export const blobSchemas = {
  Blob: open({ sha256, size: { ...safeCount, description: "In bytes." } }),
  BlobReleased: open({ sha256, isReleased: { const: true } }),
  ObjectDeleted: open({ name: text, isDeleted: { const: true } }),
};
