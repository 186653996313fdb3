/** Every bound of the system, with its unit in its name. Nothing else in the code invents a maximum. */

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export const limits = {
  // Names and shapes of what clients send (RELIABILITY, section 4).
  idLengthMax: 128,
  nameLengthMax: 200,
  jsonDepthMax: 32,
  jsonKeysPerObjectMax: 1000,
  stringBytesMax: 64 * kibibyte,
  bodyBytesMax: 1 * mebibyte,
  batchBodyBytesMax: 16 * mebibyte,
  batchTasksMax: 10_000,
  headerBytesMax: 16 * kibibyte,

  // Times.
  durationMsMax: 366 * day,
  instantMsMin: 0,
  /** 2200-01-01T00:00:00Z. */
  instantMsMax: 7_258_118_400_000,

  // Tasks.
  priorityMin: -1000,
  priorityMax: 1000,
  attemptsMaxMax: 1000,
  killsMaxMax: 1_000_000,
  liveTasksMax: 5_000_000,
  resultBytesMax: 256 * kibibyte,
  errorMessageLengthMax: 4 * kibibyte,
  execArgumentsMax: 1000,
  execEnvironmentMax: 200,

  // Queues and workers.
  queuesMax: 1000,
  workerQueuesMax: 100,
  workersMax: 10_000,
  capacityMax: 10_000,

  // Lists and streams.
  pageDefault: 100,
  pageMax: 1000,
  eventSubscribersMax: 1000,
  subscriberBufferBytesMax: 1 * mebibyte,
  subscriberStallMsMax: 10 * second,

  // Logs.
  logChunkBytesMax: 64 * kibibyte,
  logAttemptBytesMax: 64 * mebibyte,
  logPostBytesMax: 1 * mebibyte,
  logPageBytesMax: 1 * mebibyte,

  // Worker protocol.
  reportItemsMax: 5_000,
  reportBodyBytesMax: 16 * mebibyte,
  assignBatchMax: 1_000,
  tombstonesMax: 100_000,
  tombstoneMsMin: 10 * minute,

  // The leader's loop.
  inboxMax: 100_000,
  inputsPerCommitMax: 2_000,
  writesPerEntryMax: 50_000,
  /** An entry is closed once its body is larger: MongoDB's documents end at 16 MiB. */
  entryBytesMax: 8 * mebibyte,
  commitWaitMsMax: 5 * second,
  payloadCacheBytesMax: 64 * mebibyte,
} as const;

/** What holds where nobody said otherwise. Each can be set, by task, by worker or by master. */
export const defaults = {
  queue: "default",
  priority: 0,
  attemptsMax: 3,
  backoffBaseMs: 1 * second,
  backoffFactor: 2,
  backoffMaxMs: 5 * minute,

  port: 7070,
  address: "127.0.0.1",
  capacity: 1,
  drainTimeoutMs: 5 * minute,
  /** From SIGTERM to SIGKILL for the process group of an aborted attempt. */
  killGraceMs: 5 * second,
  /** How long the last output of an ended command is waited for, when a grandchild still holds the pipe. */
  outputDrainMs: 2 * second,

  // Evidence of death (RELIABILITY, 3.2).
  heartbeatMs: 1 * second,
  suspectMs: 3 * second,
  lostGraceMs: 15 * second,
  abruptGraceMs: 500,
  failoverGraceMs: 10 * second,
  /** What the leader adds to an attempt's time-out before it ends the attempt itself: the worker should have done so. */
  timeoutBackstopMs: 5 * second,
  massLossWindowMs: 1 * second,
  massLossShare: 0.3,
  massLossMin: 3,

  // Leadership (RELIABILITY, 3.3).
  leaseTtlMs: 2 * second,
  leaseRenewMs: 400,
  leaderIdleMsMax: 1500,
  standbyJitterMs: 250,
  tailPollMs: 50,
} as const;
