/** Blobs: files by their content. What is known of one is a record in the journal; the bytes are in the blobs port. */

/** The record of a blob. Its id is the SHA-256 of the content, as 64 hex digits. */
export interface BlobRecord {
  /** In bytes. */
  readonly size: number;
  /** The object that holds the content. A blob that is removed and uploaded again has another one. */
  readonly object: string;
  /** Until this instant it is kept although nothing refers to it. */
  readonly leasedUntil: number;
}

export const sha256Pattern = "^[0-9a-f]{64}$";
const sha256 = new RegExp(sha256Pattern);

export function isSha256(text: unknown): text is string {
  return typeof text === "string" && sha256.test(text);
}

/** Where blobs are in the blobs port, and where objects that clients name are. */
export const blobFolder = "blobs";
export const objectFolder = "objects";
