/** Every bound of the system, with its unit in its name. Nothing else in the code invents a maximum. */
import { backendLimits } from "./limitsBackends.ts";
import { execLimits } from "./limitsExec.ts";
import { familyLimits } from "./limitsFamilies.ts";
import { fileLimits } from "./limitsFiles.ts";
import { httpLimits } from "./limitsHttp.ts";
import { mapReduceLimits } from "./limitsMapReduce.ts";
import { queueLimits } from "./limitsQueues.ts";
import { viewLimits } from "./limitsViews.ts";
import { webhookLimits } from "./limitsWebhooks.ts";
import { day, kibibyte, mebibyte, minute, second } from "./units.ts";

export const limits = {
  // Names and shapes of what clients send (docs/reliability.md, 4).
  idLengthMax: 128,
  nameLengthMax: 200,
  jsonDepthMax: 32,
  jsonKeysPerObjectMax: 10_000,
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
  ...fileLimits,
  ...queueLimits,
  ...httpLimits,
  ...familyLimits,
  ...viewLimits,
  killsMaxMax: 1_000_000,
  liveTasksMax: 5_000_000,
  resultBytesMax: 256 * kibibyte,

  errorMessageLengthMax: 4 * kibibyte,
  ...execLimits,
  ...backendLimits,

  // Templates.
  /** Templates by name, removed ones included: their names go on counting versions. */
  templatesMax: 10_000,
  /** Versions of one template that are kept; the oldest go first. */
  templateVersionsMax: 1_000,
  templateBodyBytesMax: 256 * kibibyte,
  variablesMax: 100,
  /** Values in the enum of one variable. */
  variableValuesMax: 1_000,
  descriptionLengthMax: 2_000,

  // Graphs.
  graphTasksMax: 10_000,
  /** Names in all `after` lists of one graph. */
  graphEdgesMax: 100_000,
  nodeNameLengthMax: 100,
  /** Nodes that one entry creates, and nodes of which one entry decides that they may start or are skipped. */
  graphNodesPerEntryMax: 500,
  /** Tasks that one submission names in `after`. */
  afterMax: 1_000,
  /** Families that unfinished tasks keep from being forgotten, since they name a task of them in `after`. */
  pinnedTasksMax: 100_000,
  /** Tasks whose statuses are read from the store at once. */
  statusesPerReadMax: 200,

  // Schedules.
  /** Schedules by name, removed ones included: their ticks never fire again. */
  schedulesMax: 10_000,
  scheduleBodyBytesMax: 64 * kibibyte,
  /** The shortest time between two ticks of a schedule with `everyMs`. */
  tickMsMin: 1 * second,
  /** Rows of skipped ticks that a schedule shows, and ticks that wait for an earlier task. */
  skippedTicksMax: 50,
  queuedTicksMax: 100,
  ticksPerEntryMax: 1_000,
  /** Schedules whose next tick a new leader works out anew before others get their turn. */
  nextTicksPerLookMax: 50,
  previewTicksMax: 100,
  /** Ticks of the past whose tasks tell a preview how long the next ones may take. */
  pastTicksMax: 20,
  /** Ticks of the past that one call of `backfill` looks at, and stretches of time that one schedule remembers as backfilled. */
  backfillTicksMax: 1_000,
  backfillSpansMax: 50,

  ...mapReduceLimits,

  ...webhookLimits,

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

  // Users, tokens and sessions.
  usersMax: 10_000,
  tokensMax: 10_000,
  sessionsMax: 10_000,
  /** Of one user or one token; a new one replaces the one that would expire first. */
  sessionsPerUserMax: 50,
  /** Patterns of queues that a user or token is bound to. */
  principalQueuesMax: 16,
  passwordLengthMin: 8,
  passwordLengthMax: 1_000,
  /** Passwords that are hashed at once, each with `defaults.passwordMemoryKiB`, and sign-ins that wait for their turn. */
  passwordHashesMax: 2,
  passwordWaitsMax: 100,
  /** Addresses and names whose failed sign-ins a master remembers. */
  signInFailuresMax: 10_000,
  /** The longest wait after failed sign-ins. */
  signInDelayMsMax: 1 * minute,
  /** Addresses that showed the root token, which a master remembers for `defaults.rootShownMs`. */
  rootAddressesMax: 10_000,
  /** The longest wait after wrong tokens: short, since programs that were not the ones to guess may wait, too. */
  bearerDelayMsMax: 5 * second,
  /** An audit record as JSON text. */
  auditRecordBytesMax: 2 * kibibyte,
  /** Records that one request for the audit record looks through for those that match. */
  auditScanMax: 10_000,
  /** Different refusals that wait to be written to the audit record. */
  refusalsMax: 1_000,
  /** Ended tasks whose queue a master remembers, for readers who may see some queues only. */
  queueNotesMax: 100_000,
  /** Entries of the journal that wait while the queues of their tasks are looked up for such a reader. */
  visibleBatchesMax: 1_000,
  /** Audit records that are removed at a time. */
  auditPerStepMax: 500,

  // Lists and streams.
  pageDefault: 100,
  pageMax: 1000,
  /** A page of tasks ends where they come to this; in UTF-16 units. */
  pageTextMax: 4 * mebibyte,
  eventSubscribersMax: 1000,
  // What a master remembers of what happened lately, for charts.
  historySecondsMax: 300,
  historyMinutesMax: 60,
  historyMarksMax: 1000,
  /** Entries of the journal that a master reads again when it starts, so that its charts do not begin empty. */
  historyReplayEntriesMax: 2000,
  /** Tasks that are named in one line of the master's log. */
  loggedTasksMax: 10,
  /** Queues, and kinds, that have a label of their own in metrics. */
  metricLabelsMax: 50,
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
  portMax: 65_535,
  connectionsMax: 25_000,
  /** So many from one address, so that nobody can keep everybody else out. */
  connectionsPerAddressMax: 20_000,
  /** Connections that have come and are not accepted yet. The system has a bound of its own too, net.core.somaxconn on Linux. */
  connectionsWaitingMax: 4_096,
  headersWaitMsMax: 10 * second,
  requestWaitMsMax: 30 * second,
  idleConnectionMsMax: 30 * second,
  /** How long a refused body is still read and thrown away, so that its sender gets to see the answer. */
  lingeringCloseMsMax: 2 * second,
  closeWaitMsMax: 5 * second,
  idempotencyKeyLengthMax: 128,
  urlParameterLengthMax: 4096,
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

  /** `submit --wait` shows the last lines of a command's output, out of this many last bytes. */
  waitTailLinesMax: 40,
  waitTailBytesMax: 64 * kibibyte,
  waitResultCharactersMax: 2000,
  // What `outlast doctor` finds worth a word.
  diskFreeBytesMin: 512 * mebibyte,
  clockDifferenceMsMax: 2 * second,
  lockLookAgainMs: 300,
  clockTasksMax: 200,

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
  /** Attempts that were given up and whose processes have ended since: so many records wait at most to be completed. */
  processEndsMax: 100_000,
  tombstonesMax: 100_000,
  tombstoneMsMin: 10 * minute,

  // The leader's loop.
  inboxMax: 100_000,
  /** How often a submit is looked up anew before the client is sent away. */
  lookupsMax: 5,
  /** Records that one entry is filled with, unless a single input brings more. */
  recordsPerCommitMax: 4_000,
  assignmentsPerBatchMax: 10_000,
  /** Tasks that must run alone for which one batch looks for a worker to keep: each costs a look at every worker. */
  suspectsPerBatchMax: 16,
  /** No entry is ever larger, with everything around its body: MongoDB's documents end at 16 MiB. */
  entryBytesMax: 12 * mebibyte,
  /** What stands around an entry's body, in whatever form a store keeps it. */
  entryEnvelopeBytesMax: 4 * kibibyte,
  /** An entry takes no further inputs from here on, and what can wait is left to the next one. */
  entryFillBytes: 4 * mebibyte,
  /** The specs and first statuses of one submission: it goes into one entry, all of it or none. */
  submissionBytesMax: 10 * mebibyte,
  /** A status that the scheduler writes by itself. One that a worker reports may bring an output and a message besides. */
  statusBytesMax: 1 * kibibyte,
  expiredPerStepMax: 500,
  entriesPerCompactionMax: 1_000,
  /** Tasks that a leader finds in the store at once, and that it submits at once. */
  foreignPerLookMax: 1_000,
  foreignPerSubmitMax: 100,
  /** After so many looks at the journal that found nothing, a standby looks half as often. */
  idleLooksPerDoubling: 20,
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
  taskFilesMax: 1_000,
  /** A process for handlers is replaced after so many attempts, or when its heap is larger than this after one. */
  runnerAttemptsMax: 10_000,
  runnerHeapBytesMax: 256 * mebibyte,
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
  /** Of the inputs that one message assigns, unless a single one has more. */
  assignTextMax: 2 * mebibyte,

  /** Commands whose directory and program are looked up at once. */
  spawnLooksMax: 2,
  /** Output that a worker's disk refuses and no master takes. */
  spoolMemoryBytesMax: 16 * mebibyte,
  /** Output that waits for a worker's disk; then commands that print are held up. */
  spoolWaitBytesMax: 8 * mebibyte,
  /** How long an ending worker waits for a disk that may hang. */
  spoolCloseMsMax: 5 * second,

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

export { clockRatioMax, defaults, failoverProfiles } from "./defaults.ts";
