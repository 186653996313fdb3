/** Schemas of files. */
import { blobReferencePattern, sha256Pattern } from "../../model/blob.ts";
import { limits } from "../../model/limits.ts";
import { list, open, ref, safeCount, text } from "../../model/schema.ts";

const sha256 = { type: "string", pattern: sha256Pattern };

export const blobSchemas = {
  Blob: open({
    sha256,
    size: { ...safeCount, description: "In bytes." },
    blob: { type: "string", pattern: blobReferencePattern, description: "The reference that tasks take." },
  }),
  StoredObject: open({ sha256, size: { ...safeCount, description: "In bytes." } }),
  BlobReleased: open({ sha256, isReleased: { const: true } }),
  ArtifactList: open({ task: text, artifacts: list(ref("Artifact")) }),
  Artifact: open({
    path: { type: "string", minLength: 1, maxLength: limits.filePathBytesMax },
    sha256,
    size: { ...safeCount, description: "In bytes." },
  }),
  ObjectDeleted: open({ name: text, isDeleted: { const: true } }),
};
