/** Every bound of the system, with its unit in its name. Nothing else in the code invents a maximum. */

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

export const limits = {
  // Names and shapes of what clients send (docs/reliability.md, 4).
  idLengthMax: 128,
  nameLengthMax: 200,
  jsonDepthMax: 32,
  jsonKeysPerObjectMax: 1000,
  stringBytesMax: 64 * kibibyte,
  bodyBytesMax: 1 * mebibyte,
  batchBodyBytesMax: 16 * mebibyte,
  /** Of all bodies that are being read or answered, those of workers and those of everybody else each for themselves. */
  bodiesBytesMax: 128 * mebibyte,
  /** Smaller ones are always taken. */
  smallBodyBytesMax: 16 * kibibyte,
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
  backoffFactorMax: 100,
  attemptsMaxMax: 1000,
  killsMaxMax: 1_000_000,
  liveTasksMax: 5_000_000,
  resultBytesMax: 256 * kibibyte,
  errorMessageLengthMax: 4 * kibibyte,
  execArgumentsMax: 1000,
  execEnvironmentMax: 200,

  // Queues and workers.
  queuesMax: 1000,
  kindLengthMax: 100,
  labelLengthMax: 100,
  /** Labels that one task may require. */
  requiresMax: 16,
  /** Kinds that one worker may run, and labels that it may carry. */
  workerKindsMax: 1000,
  workerLabelsMax: 64,
  /** Different combinations of queue, kind and required labels among unfinished tasks. */
  lanesMax: 10_000,
  workerQueuesMax: 100,
  workersMax: 10_000,
  capacityMax: 10_000,

  // Lists and streams.
  pageDefault: 100,
  pageMax: 1000,
  /** A page of tasks ends where they come to this; in UTF-16 units. */
  pageTextMax: 4 * mebibyte,
  eventSubscribersMax: 1000,
  /** Ids in the filter of one event stream. */
  eventTasksMax: 5000,
  /** Ids in the filters of all event streams of a master. */
  watchedTasksMax: 1_000_000,
  /** A list of ids in a URL, in characters. */
  urlFilterLengthMax: 8192,
  subscriberBufferBytesMax: 1 * mebibyte,
  subscriberStallMsMax: 10 * second,
  /** A worker's stream may hold the payloads of all its slots at once, so it is given more room. */
  workerStreamBufferBytesMax: 64 * mebibyte,

  // Masters among themselves.
  /** Requests that a standby passes on to the leader at once; workers' streams are among them. */
  relaysMax: 5_000,
  /** Connections that are open only to show that this master lives. */
  livenessStreamsMax: 100,

  // HTTP.
  connectionsMax: 25_000,
  /** So many from one address, so that nobody can keep everybody else out. */
  connectionsPerAddressMax: 20_000,
  headersWaitMsMax: 10 * second,
  requestWaitMsMax: 30 * second,
  idleConnectionMsMax: 30 * second,
  /** How long a refused body is still read and thrown away, so that its sender gets to see the answer. */
  lingeringCloseMsMax: 2 * second,
  closeWaitMsMax: 5 * second,
  idempotencyKeyLengthMax: 128,
  urlParameterLengthMax: 512,
  cursorLengthMax: 512,
  /** 128 random bits in base64 are 22 characters; fewer than this cannot be a random token. */
  tokenLengthMin: 16,

  // Logs.
  logChunkBytesMax: 64 * kibibyte,
  logAttemptBytesMax: 64 * mebibyte,
  logPostBytesMax: 1 * mebibyte,
  logPageBytesMax: 1 * mebibyte,
  /** Attempts of which a master remembers whose they are, so that it need not look for each piece of output. */
  logOwnersMax: 20_000,

  // What one message to a person lists before it says "and more".
  problemsShownMax: 20,
  /** `submit --wait` shows the last lines of a command's output, out of this many last bytes. */
  waitTailLinesMax: 40,
  waitTailBytesMax: 64 * kibibyte,
  // What `outlast doctor` finds worth a word.
  diskFreeBytesMin: 512 * mebibyte,
  clockDifferenceMsMax: 2 * second,

  // The demo and the stress test: processes on one machine.
  demoWorkersMax: 50,
  demoMastersMax: 9,
  upMastersMax: 9,
  chaosMastersMax: 9,
  chaosRateMax: 1_000,

  // Worker protocol.
  reportItemsMax: 5_000,
  /** Results that wait on a worker's disk; a slot is given anew only once its result is settled, so they are hardly more than slots. */
  outboxAttemptsMax: 100_000,
  reportBodyBytesMax: 16 * mebibyte,
  /** Items of one attempt that wait for their acknowledgement. */
  attemptItemsMax: 1_000,
  attemptItemBytesMax: 320 * kibibyte,
  attemptItemsBytesMax: 4 * mebibyte,
  workerItemsBytesMax: 256 * mebibyte,
  /** Messages to one attempt of which the worker remembers that they were handed on. */
  attemptMessagesMax: 10_000,
  /** Running tasks whose progress a leader remembers. */
  progressTasksMax: 100_000,
  tombstonesMax: 100_000,
  tombstoneMsMin: 10 * minute,

  // The leader's loop.
  inboxMax: 100_000,
  /** How often a submit is looked up anew before the client is sent away. */
  lookupsMax: 5,
  /** Records that one entry is filled with, unless a single input brings more. */
  recordsPerCommitMax: 4_000,
  assignmentsPerBatchMax: 10_000,
  /** An entry is closed once its body is larger: MongoDB's documents end at 16 MiB. */
  entryBytesMax: 8 * mebibyte,
  expiredPerStepMax: 500,
  entriesPerCompactionMax: 1_000,
  /** A standby compares its memory with the leader's once in so many entries. */
  entriesPerDigest: 100,
  /** Entries read from the store at once, by a standby or for an event stream. */
  entriesPerReadMax: 500,
  /** Of the past that a master has told somebody, kept for the next one who asks; in UTF-16 units. */
  entryCacheTextMax: 8 * mebibyte,
  /** A commit that takes longer than this is trouble: those who wait are told to come back. */
  commitWaitMsMax: 5 * second,
  /** Samples kept of how long commits took. */
  commitSamplesMax: 1_000,
  /** With fewer samples than this, or older ones, how long slow commits take is not known. */
  slowCommitSamplesMin: 200,
  slowCommitAgeMsMax: 10 * minute,
  /** However slow the store is, a silent leader is replaced after this. */
  leaseTtlMsMax: 10 * second,
  payloadCacheBytesMax: 64 * mebibyte,
  /** Tasks that ended lately, remembered in case a client names their ids again. */
  settledMax: 100_000,
  /** Different combinations of task limits that are kept only once each. */
  sharedLimitsMax: 1_000,

  // A worker's machine.
  /** Results that wait on disk are rewritten without the settled ones once the file is this large and mostly garbage. */
  outboxCompactBytesMin: 8 * mebibyte,
  /** What is read of one process's environment when leftovers of an attempt are looked for. */
  processEnvironmentBytesMax: 2 * mebibyte,
  /** A process that survives SIGKILL for this long (stuck in the kernel) is no longer waited for. */
  processSweepMsMax: 10 * second,
  /** Log lines that wait for a slow terminal; later ones are dropped. */
  logBufferBytesMax: 16 * mebibyte,
  /** One answer of a master to a worker. */
  answerBytesMax: 16 * mebibyte,
  /** One message on a worker's stream: a batch of assignments with their inputs. */
  streamMessageBytesMax: 64 * mebibyte,

  // A process's memory.
  /** Up to this size a heap may grow as V8 likes it; a larger one is kept tight. */
  heapLooseBytesMax: 256 * mebibyte,

  // Stores.
  /** Another process may hold the database this long before a write of ours is `busy`; the loop stands still meanwhile. */
  storeBusyMsMax: 250,
  /** The same while opening, when nothing else waits. */
  storeOpenBusyMsMax: 10 * second,
  storeOpenRetryMs: 20,
  storeCacheBytesMax: 64 * mebibyte,
  /** Unfinished tasks whose rows the writer finds without looking; more than are usually in motion at a time. */
  storeCachedRowsMax: 100_000,
  /** Room for young objects in the store's thread, in MiB as V8 wants it; what it handles dies at once. */
  storeThreadYoungMiBMax: 24,
  /** Once the write-ahead log is longer, it is moved into the database file: longer means fewer but longer pauses. */
  storeWalBytesMax: 8 * mebibyte,
  /** How much of the journal's end is checked when a store is opened; `verify` checks all of it. */
  storeOpenEntriesMax: 1_000,
  storeOpenBytesMax: 64 * mebibyte,
  /** Up to this size a database file is checked as a whole when it is opened. */
  storeQuickCheckBytesMax: 32 * mebibyte,
  /** One step of a long read (a list with filters, the load of a view): between steps others have their turn. */
  storeStepRowsMax: 1_000,
  storeStepBytesMax: 1 * mebibyte,
  /** Entries read at once are closed off beyond this; in UTF-16 units. */
  storeReadTextMax: 8 * mebibyte,
  /** Rows of logs and records of forgotten tasks that are removed along with one entry. */
  storeSweepRowsMax: 128,
  /** Rows that one step of a migration looks at; between steps others have their turn. */
  storeMigrationRowsMax: 5_000,
  /** What is wrong with a damaged store is told up to this many findings. */
  storeFindingsMax: 100,
} as const;

/** What holds where nobody said otherwise. Each can be set, by task, by worker or by master. */
export const defaults = {
  queue: "default",
  priority: 0,
  attemptsMax: 3,
  backoffBaseMs: 1 * second,
  backoffFactor: 2,
  backoffMaxMs: 5 * minute,

  /** Inside the data directory. */
  storeFile: "outlast.db",
  port: 7070,
  address: "127.0.0.1",
  capacity: 1,
  /** How often a silent event stream says that it is alive, and how often stalled readers are looked for. */
  streamPingMs: 2 * second,
  /** Between two events of a stream of journal positions. */
  positionMs: 200,
  streamCheckMs: 1 * second,
  /** How often connections that are too slow to ask are looked for. */
  connectionCheckMs: 1 * second,
  /** How long a follower waits for the last bytes of a log after its task has ended. */
  logTailWaitMs: 2 * second,
  /** The same where the worker has said that there are more. */
  logMissingWaitMs: 10 * second,
  /** How often a standby looks for new output of what is followed there. */
  logPollMs: 250,
  drainTimeoutMs: 5 * minute,
  /** From SIGTERM to SIGKILL for the process group of an aborted attempt. */
  killGraceMs: 5 * second,
  /** How long the last output of an ended command is waited for, when a grandchild still holds the pipe. */
  outputDrainMs: 2 * second,

  /** The longest sleep of a task of the demo and of the stress test. */
  demoSleepMaxMs: 2 * second,
  chaosDurationMs: 10 * minute,
  chaosMasters: 3,
  chaosWorkers: 5,
  /** Tasks a second: about half of what five workers with four slots each can do. */
  chaosRate: 12,

  // Evidence of death (docs/reliability.md, 2).
  heartbeatMs: 1 * second,
  suspectMs: 3 * second,
  lostGraceMs: 15 * second,
  abruptGraceMs: 500,
  /** The same for a worker that comes through a standby: the standby may have died, and the worker must find another way. */
  relayedGraceMs: 3 * second,
  failoverGraceMs: 10 * second,
  /**
   * What the leader adds to an attempt's time-out before it ends the attempt itself: the worker should have done so. More than
   * `killGraceMs`, or the next attempt would start while the worker still waits for the end of this one.
   */
  timeoutBackstopMs: 10 * second,
  massLossWindowMs: 1 * second,
  massLossShare: 0.3,
  massLossMin: 3,

  // How a worker finds and keeps its master.
  reconnectBaseMs: 50,
  reconnectMaxMs: 2 * second,
  /** A master that has not answered an attach for this long is still waited for, while the next one is asked too. */
  attachHedgeMs: 100,
  /** How long a master may take to answer an attach at first; doubled each round, up to `limits.commitWaitMsMax`. */
  attachWaitMs: 500,
  /** A worker that a standby relays looks this often whether the leader can be reached directly, more or less by a quarter. */
  directRetryMs: 30 * second,
  /** A start is told this late, in the hope that its result is there by then and tells it too. */
  startedWaitMs: 25,
  /** The progress of one attempt is sent at most this often. */
  progressMs: 1 * second,
  /** How often a worker looks for new output of what it runs. */
  logSendMs: 200,
  /** How long an ending worker waits for its goodbye to be answered. */
  byeWaitMs: 3 * second,
  /** What a worker waits after its own disk, or a master that is there, could not do what was asked. */
  retryBaseMs: 100,
  retryMaxMs: 5 * second,

  // The leader's loop.
  /** A commit that takes longer than this has made the leader deaf: nobody's silence counts for so long. */
  clockGapCommitMs: 250,
  commitRetryMs: 10,
  commitRetryMsMax: 1 * second,

  // Leadership (docs/reliability.md, 2).
  leaseTtlMs: 2 * second,
  /** A leader's lease lasts for so many of its slow commits (the 99th of a hundred), if that is longer, up to `leaseTtlMsMax`. */
  leasePerCommit: 10,
  leaseRenewMs: 400,
  leaderIdleMsMax: 1500,
  standbyJitterMs: 250,
  refusalGapMs: 25,
  probesMax: 4,
  tailPollMs: 50,
  /** How often a standby knocks at workers that it has not found alive yet. */
  workerProbeMs: 500,
  memberRenewMs: 1 * second,
  /** A master whose note has not changed for this long holds nothing up any more. */
  memberTtlMs: 10 * second,
  memberForgetMs: 10 * minute,

  /** How long a standby holds a request while nobody leads, or the one who did cannot be reached. */
  electionWaitMs: 1 * second,
  /** The same for a worker's attach; less than `attachWaitMs`, or it would be answered to nobody. */
  attachElectionWaitMs: 300,
  leaderPollMs: 10,

  // Housekeeping.
  housekeepingMs: 5 * second,
  housekeepingStepMs: 20,
  retentionMs: 7 * day,
  finishedTasksMax: 5_000_000,
  journalMs: 1 * hour,
  journalBytesMax: 1024 * mebibyte,

  // Clients.
  /** How long one call goes on while no master can answer. */
  clientRetryForMs: 30 * second,
  /** One try of one master: connecting, and its whole answer. */
  clientTryMs: 30 * second,
  /** With several masters, one that does not begin to answer for so long is passed over; doubled each round. */
  clientPatienceMs: 2 * second,
  clientBackoffBaseMs: 50,
  clientBackoffMaxMs: 2 * second,
  /** A stream without a byte for this long comes from a master that stands still: silent ones are pinged every `streamPingMs`. */
  clientStreamStallMs: 8 * second,
  /** How often a wait looks by itself where streams are not to be had. */
  clientPollMs: 1 * second,
  /** The same on the command line, where a person waits. */
  commandRetryForMs: 5 * second,
  /** `outlast up`: how many workers, how long its running tasks have after Ctrl-C, and what a stop may take beyond that. */
  upWorkers: 3,
  upDrainTimeoutMs: 10 * second,
  stopGraceMs: 10 * second,
  /** A process that died is started again after this, twice as long after each death in a row; living for a while makes good. */
  restartBackoffBaseMs: 200,
  restartBackoffMaxMs: 10 * second,
  restartCalmMs: 10 * second,
  readyPollMs: 10,
  /** How long `outlast doctor` waits for each master. */
  doctorPatienceMs: 3 * second,
  nodeMajorMin: 24,
  /** Requests that one call may have in flight at once. */
  clientConcurrency: 8,

  /** How often a master looks at the size of its heap. */
  heapLookMs: 1 * second,

  // A process's own clock (docs/reliability.md, R8).
  /** How often a clock looks whether it was kept from running. */
  clockBeatMs: 250,
  /** A gap this much longer than the beat is a stall, and no silence counts in it. */
  clockStallMs: 1 * second,
  /** A wall clock this far ahead is followed at once (the machine was suspended); less is caught up slowly. */
  clockJumpMs: 1 * minute,
  /** Share of the elapsed time by which a clock may run fast or slow to meet the wall clock. */
  clockSlewMax: 0.1,

  // A worker's calls to a master. Longer than `limits.commitWaitMsMax`, so that a master can say itself what is wrong.
  connectTimeoutMs: 2 * second,
  requestTimeoutMs: 10 * second,
  probeTimeoutMs: 1 * second,

  /** How long a worker waits before it starts a watchdog again that did not last. */
  watchdogRestartMs: 1 * second,
} as const;

/** How soon a leader that is silent is replaced; one whose process is seen to die is replaced at once under each. */
export const failoverProfiles = {
  usual: {
    leaseTtlMs: defaults.leaseTtlMs,
    leaseRenewMs: defaults.leaseRenewMs,
    leaderIdleMsMax: defaults.leaderIdleMsMax,
    standbyJitterMs: defaults.standbyJitterMs,
  },
  /** Where the store and the network between masters answer within some 100 ms; else it only means more elections. */
  fast: { leaseTtlMs: 700, leaseRenewMs: 150, leaderIdleMsMax: 500, standbyJitterMs: 80 },
} as const;
