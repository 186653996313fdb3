/** The settings and faults of a run that a checker's bounds depend on. */
export interface Conditions {
  readonly suspectMs: number;
  readonly abruptGraceMs: number;
  readonly lostGraceMs: number;
  readonly goneWorkerKeptMs: number;
  readonly failoverGraceMs: number;
  readonly timeoutBackstopMs: number;
  /** How far two masters' clocks may be apart, offset and drift together, over the whole run. */
  readonly clockSpreadMs: number;
  readonly driftMax: number;
  /** A wall clock that was set forward is followed after so long; absent where clocks are not set. */
  readonly clockSettleMs?: number;
  /** A lost connection to a live and reachable process is seen, and a request is answered, within milliseconds. */
  readonly isNetworkQuick: boolean;
  /** The address of a dead process answers nothing, so nobody hears a refusal. */
  readonly addressesVanish: boolean;
  /** How long an append may go unanswered though nothing else is wrong; 0 where each is answered at once. */
  readonly appendMsMax: number;
  /** A child of a broadcast fails when its worker has been given up for so long; absent where nothing is broadcast. */
  readonly broadcastAwayMs?: number;
  /** Reads may be answered from a little while ago. */
  readonly hasStaleReads: boolean;
  /** When finished tasks may be forgotten; null if never within a run. */
  readonly retention: { readonly retentionMs: number; readonly finishedTasksMax: number } | null;
  readonly workers: number;
  readonly masters: number;
  /** How far a recorded instant may be from the true one; 0 where the order of events is exact. */
  readonly timestampSlackMs: number;
  /** What a worker did so long before it was killed may be missing from the record; 0 where the record is complete. */
  readonly lostRecordMs: number;
  /** True if the output of each success names the token of its execution. */
  readonly areOutputsTokens: boolean;
  /** No fault of any kind in this run, or none that lets a worker run on unheard. */
  readonly isCalm: boolean;
  /** Faults only of masters and of the store, none longer than a worker may be silent. */
  readonly sparesWorkers: boolean;
  /** True where the history holds the records of cold collections; what is read from events does not. */
  readonly seesRecords?: boolean;
}
