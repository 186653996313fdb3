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
  partBytes: 5 * mebibyte,
  /** Parts of one upload that are on their way. So many are in memory, and as much again while the next is put together. */
  partsAtOnce: 1,
  /** Uploads of one master that take content; others wait. With those above, they bound its memory. */
  uploadsMax: 50,
  /** Deletions, and copies, that are on their way together. */
  requestsAtOnce: 16,
  /** What is copied by one request: S3 takes at most 5 GiB. */
  copiedPartBytes: 1024 * mebibyte,
  /** What a map asks for at once of a large object. */
  windowBytes: 16 * mebibyte,
  /** What is read of the end of a file of a map, to find its index: enough for 100 reduces and more than 30 runs. */
  tailBytes: 64 * 1024,
  /** A task of a MapReduce job waits for so long when S3 is away; less than a record may take. */
  outageMsMax: 45 * second,
  outageWaitMs: 200,
  outageWaitMsMax: 5 * second,
  /** Of a key, in bytes: what S3 allows. */
  keyBytesMax: 1024,
} as const;
