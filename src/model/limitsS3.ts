/** The bounds of every use of S3, with their units in their names. */

const mebibyte = 1024 * 1024;
const second = 1000;

export const s3Limits = {
  /** How long a connection may take to be made. */
  connectMsMax: 3 * second,
  /** After so long without a byte in either direction a request is given up; a read goes on where it was. */
  silenceMsMax: 10 * second,
  /** How often a request is made: again after an answer that asks for patience (503, 429), one of 500, or none at all. */
  attemptsMax: 4,
  /** How often a read of one object is begun again without having got a byte. */
  readsMax: 3,
  connectionsMax: 100,
  /** What is larger than one part is uploaded in parts. S3 takes at most 10 000 of them, and none below 5 MiB but the last. */
  partBytes: 8 * mebibyte,
  /** Parts of one upload that are on their way. So many, and one that is being filled, are in memory. */
  partsAtOnce: 2,
  /** Deletions, and copies, that are on their way together. */
  requestsAtOnce: 16,
  /** Of a key, in bytes: what S3 allows. */
  keyBytesMax: 1024,
} as const;
