/** The bounds of the MongoDB store, with their units in their names. */

const mebibyte = 1024 * 1024;
const second = 1000;
const day = 24 * 60 * 60 * second;

export const mongodbLimits = {
  /** How long a server that can take writes is looked for before an operation fails. */
  selectMsMax: 5 * second,
  /** How often the driver looks at the server; so soon it notices that one can take writes again. */
  heartbeatMs: 1 * second,
  /** The same while a store is opened: the server may be starting, too. */
  openMsMax: 30 * second,
  connectMsMax: 3 * second,
  /** After this long without an answer the outcome is unknown, and the connection is given up. */
  socketMsMax: 20 * second,
  connectionsMax: 20,
  /** A text that is longer is split over several documents: MongoDB's end at 16 MiB. */
  textBytesMax: 12 * mebibyte,
  /** The view waits this long for more entries: what several say of one task is written once. */
  viewLingerMs: 200,
  /** Tasks that one round of writing the view takes on, and one command of it. */
  viewTasksMax: 4_000,
  viewStepMax: 200,
  /** The same for documents that become ours: their guards make them twice as long. */
  claimStepMax: 100,
  /** How many documents of others one answer of the server holds, which are read and checked in one go. */
  foreignReadMax: 100,
  /** How far the view is, is written down at most so often; a new leader reads the journal from there. */
  noteMsMax: 1 * second,
  retryMsMax: 2 * second,
  /** How far the journal may be ahead of the view before commits wait for it. */
  lagEntriesMax: 2_000,
  lagTextMax: 64 * mebibyte,
  /** What `outlast move` sends with one command, entries, tasks, records and output alike. */
  moveBatchMax: 500,
  moveBatchBytesMax: 8 * mebibyte,
  /** How long `close` waits for the view. */
  closeMsMax: 5 * second,
  /** Notes of forgotten tasks stay for so long. */
  tombstoneMs: 1 * day,
  /** Old ones are looked for at most so often. */
  tombstoneSweepMs: 60 * second,
} as const;
