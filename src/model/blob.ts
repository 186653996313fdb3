/** Blobs: files by their content. What is known of one is a record in the journal; the bytes are in the blobs port. */
import type { TaskId } from "./ids.ts";
import type { Json } from "./json.ts";

/** The record of a blob. Its id is the SHA-256 of the content, as 64 hex digits. */
export interface BlobRecord {
  /** In bytes. */
  readonly size: number;
  /** The object that holds the content. A blob that is removed and uploaded again has another one. */
  readonly object: string;
  /** Until this instant it is kept although nothing refers to it. */
  readonly leasedUntil: number;
  /** Nothing referred to it when it was looked for: it is removed after this instant, unless something names it before. */
  readonly removeAt?: number;
}

export const sha256Pattern = "^[0-9a-f]{64}$";
const sha256 = new RegExp(sha256Pattern);

export function isSha256(text: unknown): text is string {
  return typeof text === "string" && sha256.test(text);
}

/** Where blobs are in the blobs port, and where objects that clients name are. */
export const blobFolder = "blobs";
export const objectFolder = "objects";

/** How JSON names a blob: wherever such a text stands, in an input, a step or an output, the blob is kept as long as that is. */
const reference = /^sha256:([0-9a-f]{64})$/;
export const blobReferencePattern = "^sha256:[0-9a-f]{64}$";
const referenceLength = 71;

export function toBlobReference(sha256: string): string {
  return `sha256:${sha256}`;
}

/** The SHA-256 of a reference; null for any other text. */
export function sha256Of(text: string): string | null {
  return text.length === referenceLength ? (reference.exec(text)?.[1] ?? null) : null;
}

/** The blobs that a JSON value names, each once. Keys of objects name none. */
export function blobsNamedIn(value: Json): readonly string[] {
  return [...(collect(value, null) ?? [])];
}

/** Most values name none, and need no set. */
function collect(value: Json | undefined, before: Set<string> | null): Set<string> | null {
  if (typeof value === "string") {
    const sha256 = sha256Of(value);
    return sha256 === null ? before : (before ?? new Set()).add(sha256);
  }
  let found = before;
  if (Array.isArray(value)) for (const item of value) found = collect(item, found);
  else if (typeof value === "object" && value !== null) for (const key in value) found = collect(value[key], found);
  return found;
}

/** A task that names a blob. It keeps the blob as long as that task is kept. */
export interface BlobPin {
  readonly task: TaskId;
  /** Tells the task from a later one of the same id. */
  readonly createdAt: number;
  /** Of an artifact: the attempt that has left it. */
  readonly attempt?: number;
}

/** Pins of one blob begin with `pinPrefix`. */
export function pinId(sha256: string, { task, attempt }: BlobPin): string {
  return `${pinPrefix(sha256)}${task}${attempt === undefined ? "" : `!${attempt}`}`;
}

export function pinPrefix(sha256: string): string {
  return `${sha256}!`;
}

/** One file that an attempt has left to be kept. It is shown once its attempt is the committed one. */
export interface ArtifactRecord {
  readonly attempt: number;
  /** Relative, with slashes. */
  readonly path: string;
  readonly sha256: string;
  /** In bytes. */
  readonly size: number;
}

/** The key of an artifact's record: those of one attempt stand together, in order. */
export function artifactKey(attempt: number, index: number): string {
  return `${artifactPrefix(attempt)}${String(index).padStart(5, "0")}`;
}

export function artifactPrefix(attempt: number): string {
  return `${attempt}.`;
}
