/** What holds where nobody has set anything else, with its unit in its name. */
import { day, hour, mebibyte, minute, second } from "./units.ts";

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
  blobsFolder: "blobs",
  port: 7070,
  address: "127.0.0.1",
  capacity: 1,
  /** How often a silent event stream says that it is alive, and how often stalled readers are looked for. */
  streamPingMs: 2 * second,
  /** Between two events of a stream of journal positions. */
  positionMs: 200,
  /** Between two events of any two such streams: with 100 of them, each gets one every 2 s. */
  positionTurnMs: 20,
  streamCheckMs: 1 * second,
  /** How often a master notes how many tasks stand in which state. */
  historySampleMs: 1 * second,
  /** How often connections that are too slow to ask are looked for. */
  connectionCheckMs: 1 * second,
  /** How long a follower waits for the last bytes of a log after its task has ended. */
  logTailWaitMs: 2 * second,
  /** The same where the worker has said that there are more. */
  logMissingWaitMs: 10 * second,
  /** How often a standby looks for new output of what is followed there. */
  logPollMs: 250,
  /** How long an uploaded blob is kept although nothing refers to it. */
  blobLeaseMs: 1 * day,
  /** How often blobs that nothing refers to are looked for, and how long one that was found is still kept. */
  blobCollectMs: 10 * minute,
  blobRemoveWaitMs: 1 * hour,
  /** An object that no blob names is removed once it is so old: an upload never takes as long. */
  blobOrphanMs: 7 * day,
  drainTimeoutMs: 5 * minute,
  /** From SIGTERM to SIGKILL for the process group of an aborted attempt. */
  killGraceMs: 5 * second,
  /** How long the last output of an ended command is waited for, when a grandchild still holds the pipe. */
  outputDrainMs: 2 * second,

  // Runs that somebody else carries out.
  /** How often an engine is asked for a container, besides when its output ends. */
  containerPollMs: 30 * second,
  /** How often a service is asked for a run, and how long one call may take, unless its operator says otherwise. */
  remotePollMs: 5 * second,
  remoteCallTimeoutMs: 1 * minute,
  remoteStartTriesMax: 5,
  /** How long it is tried to stop a job that no worker looks after any more. */
  remoteStopDeadlineMs: 7 * day,
  /** Waits after a backend did not answer, doubling. */
  runRetryBaseMs: 1 * second,
  runRetryMaxMs: 1 * minute,

  /** The longest sleep of a task of the demo and of the stress test. */
  demoSleepMaxMs: 2 * second,
  chaosDurationMs: 10 * minute,
  chaosMasters: 3,
  chaosWorkers: 5,
  /** Tasks a second: about half of what five workers with four slots each can do. */
  chaosRate: 12,

  // Evidence of death (docs/reliability.md, 2).
  heartbeatMs: 1 * second,
  /** A worker that runs nothing says only with each such beat that it lives: still before anybody doubts it (`suspectMs`). */
  idleBeats: 2,
  suspectMs: 3 * second,
  lostGraceMs: 15 * second,
  /** How long a worker that has died or left is still shown; then its record goes. */
  goneWorkerKeptMs: 1 * day,
  abruptGraceMs: 500,
  /** The same for a worker that comes through a standby: the standby may have died, and the worker must find another way. */
  relayedGraceMs: 3 * second,
  failoverGraceMs: 10 * second,
  /**
   * What the leader adds to an attempt's time-out, times `clockRatioMax`, before it ends the attempt itself: the worker should have
   * done so. More than `killGraceMs`, or the next attempt would start while the worker still waits for the end of this one.
   */
  timeoutBackstopMs: 10 * second,
  massLossWindowMs: 1 * second,
  massLossShare: 0.3,
  massLossMin: 3,

  /** A task of a broadcast whose worker has been away for so long fails: nobody else may run it. */
  broadcastAwayMs: 1 * minute,

  // Tasks whose worker was lost again and again: they may be what takes it down.
  /** From this loss in a row a task waits before it runs again, twice as long each time, up to `lossBackoffMaxMs`. */
  lossesBeforeBackoff: 2,
  lossBackoffBaseMs: 1 * second,
  lossBackoffMaxMs: 30 * second,
  /** A backup is started once this share of the children has ended, and what is left has run for so long: in ms, and times what the others took. */
  backupEndedShare: 0.75,
  backupAfterMs: 1_000,
  backupAfterFactor: 2,
  /** So many of what runs of a set may have a backup at a time, but at least one. */
  backupsShare: 0.1,
  /** Where a slow child has no backup, for want of a worker or since it says that it is nearly done, it is looked at again after so long. */
  backupLookMs: 250,
  /** From this loss in a row it runs alone on its worker. */
  lossesBeforeAlone: 3,

  // Schedules.
  /** A tick that is later than this was missed; an election takes less. */
  missedGraceMs: 1 * minute,
  /** Missed ticks that are older than this are skipped, unless the schedule says otherwise. */
  missedWindowMs: 1 * day,
  /** A new leader works out next ticks anew, a few each time. */
  nextTicksLookMs: 20,

  // Webhooks.
  webhookTriggers: ["end"] as readonly string[],
  webhookLateMs: 1 * minute,
  /** How often the leader looks for what keeps tasks from running, how long that must have lasted, and how long it is not told again. */
  alarmLookMs: 10 * second,
  alarmAfterMs: 1 * minute,
  alarmQuietMs: 1 * hour,
  /** A store that did not answer for so long, and a clock that is wrong by so much, are told of. */
  alarmOutageMs: 10 * second,
  alarmClockMs: 1 * minute,
  /** After the first failure of a delivery; three times as long after each further one, up to `deliveryBackoffMsMax`. */
  deliveryBackoffBaseMs: 5 * second,
  deliveryGiveUpMs: 3 * day,
  /** How long a receiver that has failed is left alone, twice as long after each further failure, up to `receiverRestMsMax`. */
  receiverRestMs: 1 * second,
  /** How long outcomes of deliveries wait for others before they are written. */
  deliveryNoteMs: 200,

  // Traces.
  /** How often spans are sent, and how long a collector may take to answer. */
  telemetrySendMs: 1 * second,
  telemetryWaitMs: 5 * second,

  // How a worker finds and keeps its master.
  reconnectBaseMs: 50,
  reconnectMaxMs: 2 * second,
  /** A master that has not answered an attach for this long is still waited for, while the next one is asked too. */
  attachHedgeMs: 100,
  /** How long a master may take to answer an attach at first; doubled each round, up to `limits.commitWaitMsMax`. */
  attachWaitMs: 500,
  /** A worker that a standby relays looks this often whether the leader can be reached directly, more or less by a quarter. */
  directRetryMs: 30 * second,
  /**
   * A start is told this late, in the hope that its result is there by then and tells it too: that halves the reports of short
   * attempts. Nobody who looks at a dashboard notices.
   */
  startedWaitMs: 100,
  /** The progress of one attempt is sent at most this often. */
  progressMs: 1 * second,
  /** How often a worker looks for new output of what it runs. */
  logSendMs: 200,
  /** How long an ending worker waits for its goodbye to be answered. */
  byeWaitMs: 3 * second,
  /** How long a worker takes nothing after an attempt that its machine could not start, doubled each time; and when that begins anew. */
  troubleBaseMs: 1 * second,
  troubleMaxMs: 5 * minute,
  troubleCalmMs: 1 * minute,
  /** What a worker waits after its own disk, or a master that is there, could not do what was asked. */
  retryBaseMs: 100,
  retryMaxMs: 5 * second,
  /** A worker's disk that takes longer for a result or an epoch does not answer; less than `failoverGraceMs`. */
  outboxWaitMs: 3 * second,

  // The leader's loop.
  /** A commit that takes longer than this has made the leader deaf: nobody's silence counts for so long. */
  clockGapCommitMs: 250,
  /** From so many waiting records the leader decides the next batch while the last one is being committed. */
  aheadRecordsMin: 500,
  commitRetryMs: 10,
  commitRetryMsMax: 1 * second,

  // Leadership (docs/reliability.md, 2).
  leaseTtlMs: 2 * second,
  /** A leader's lease lasts for so many of its slow commits (the 99th of a hundred), if that is longer, up to `leaseTtlMsMax`. */
  leasePerCommit: 10,
  leaseRenewMs: 400,
  /** A leader that tells a standby of so many renewals too few is silent: the standby looks at the lease and the journal itself again. */
  renewalsMissedMax: 2,
  /** The share of its lease that a leader has once its connection to a standby has closed and nothing answers at its address: two renewals. */
  leaseShareClosed: 0.4,
  leaderIdleMsMax: 1500,
  standbyJitterMs: 250,
  refusalGapMs: 25,
  probesMax: 4,
  tailPollMs: 50,
  /** As slow as an idle standby's looks at the journal become. */
  tailPollMsMax: 250,
  /** The same while the leader itself tells it how far the journal is. */
  tailPollToldMs: 2 * second,
  /** How often a standby knocks at workers that it has not found alive yet. */
  workerProbeMs: 500,
  memberRenewMs: 2 * second,
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
  /** How often a leader looks for tasks in the store: while there are some, without a pause; else slower and slower. */
  adoptionStepMs: 10,
  adoptionMs: 250,
  adoptionMsMax: 2 * second,
  retentionMs: 7 * day,
  finishedTasksMax: 5_000_000,
  journalMs: 1 * hour,
  journalBytesMax: 1024 * mebibyte,

  // Users, tokens and sessions.
  /** The cost of a password's hash: argon2id as OWASP recommends it. */
  passwordMemoryKiB: 19 * 1024,
  passwordPasses: 2,
  passwordParallelism: 1,
  /** A session ends when it has not been used for so long. */
  sessionMs: 12 * hour,
  /** How exactly the use of a session or token is known: it is written at most this often. */
  useNoteMs: 5 * minute,
  /** The wait after the second failed sign-in in a row, doubled with each further one. */
  signInDelayMs: 1 * second,
  /** Failed sign-ins of an address or a name, and wrong tokens of an address, are forgotten after this. */
  signInCalmMs: 15 * minute,
  /** Wrong tokens of an address that cost nothing: a program with an old token tries some times. */
  bearerFailuresFree: 10,
  /** So long after it showed the root token, an address does not wait for what others there have guessed. */
  rootShownMs: 15 * minute,
  /** How often refused requests are written to the audit record. */
  refusalsMs: 5 * second,
  auditMs: 90 * day,

  // Clients.
  /** How long one call goes on while no master can answer. */
  clientRetryForMs: 30 * second,
  /** One try of one master: connecting, and its whole answer. */
  clientTryMs: 30 * second,
  /** With several masters, one that does not begin to answer for so long is passed over; doubled each round. */
  clientPatienceMs: 2 * second,
  /** When the masters are listed, one that does not answer for so long is shown as silent. */
  masterPatienceMs: 1 * second,
  clientBackoffBaseMs: 50,
  clientBackoffMaxMs: 2 * second,
  /** A stream without a byte for this long comes from a master that stands still: silent ones are pinged every `streamPingMs`. */
  clientStreamStallMs: 8 * second,
  /** How often a wait looks by itself where streams are not to be had. */
  clientPollMs: 1 * second,
  /** The same on the command line, where a person waits. */
  commandRetryForMs: 5 * second,
  /** `outlast submit --wait` says after so long why the task does not run. */
  waitHintMs: 2 * second,
  /** `outlast up`: how many workers, how long its running tasks have after Ctrl-C, and what a stop may take beyond that. */
  upWorkers: 3,
  upDrainTimeoutMs: 10 * second,
  stopGraceMs: 10 * second,
  /** Signals that follow the first request to stop this soon are the same request. */
  stopRepeatMs: 1 * second,
  /** A command that ends without success this soon after its worker was told to stop was hit by the same signal. */
  stopSharedMs: 10 * second,
  /** How long the failure of a command waits for the worker's own signal, which may come a moment later. */
  stopWaitMs: 250,
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
  /** How often a master looks whether its certificate was renewed. */
  tlsLookMs: 1 * minute,
  /** A gap this much longer than the beat is a stall, and no silence counts in it. */
  clockStallMs: 1 * second,
  /** A wall clock that differs by more than this was set; a smaller difference is caught up slowly. */
  clockJumpMs: 1 * minute,
  /** A wall clock that was set forward is followed once it has stood there for so long; nothing starts or expires before. */
  clockSettleMs: 5 * minute,
  /** Share of the elapsed time by which a clock may run fast or slow to meet the wall clock. */
  clockSlewMax: 0.1,

  // A worker's calls to a master. Longer than `limits.commitWaitMsMax`, so that a master can say itself what is wrong.
  connectTimeoutMs: 2 * second,
  requestTimeoutMs: 10 * second,
  probeTimeoutMs: 1 * second,

  /**
   * How many files a command may have open at first; it may raise that up to the hard limit itself. Node raises its own limit
   * at its start, and programs that still use select(2) break with more than this.
   */
  taskDescriptors: 1024,
  /** How long the look-up of a command's directory and program may take. */
  spawnLookMs: 10 * second,
  /** How often the process that starts commands is told to go on, should it have been stopped. */
  spawnerNudgeMs: 1 * second,
  /** A process that deals with files of another user and says nothing for so long is killed. */
  treeSilenceMs: 30 * second,
  /** How long such a process is kept for the next request. */
  treeIdleMs: 1 * second,
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

/** By so much more time may pass by one machine's clock than by another's, while each is drawn to its wall clock. */
export const clockRatioMax = (1 + defaults.clockSlewMax) / (1 - defaults.clockSlewMax);
