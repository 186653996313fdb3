/** What the parts of the scheduler share: its memory, the batch at hand, and how to say no. */
import type { DigestSums } from "../../model/entry.ts";
import type { Calendar } from "../../model/schedules/schedule.ts";
import type { Alarms } from "./alarms.ts";
import type { Backups } from "./backups.ts";
import type { Blobs } from "./blobs.ts";
import type { Broadcasts } from "./broadcasts.ts";
import type { Dependencies } from "./dependencies.ts";
import type { Batch, Reply } from "./effects.ts";
import type { Families } from "./families.ts";
import type { Graphs } from "./graphs.ts";
import type { Holds } from "./holds.ts";
import type { RequestId } from "./inputs.ts";
import type { Lanes } from "./lanes.ts";
import type { MassLoss } from "./massLoss.ts";
import type { Principals } from "./principals.ts";
import type { QueueRecords } from "./queueRecords.ts";
import type { Queues } from "./queues.ts";
import type { Rates } from "./rates.ts";
import type { Records } from "./records.ts";
import type { Schedules } from "./schedules.ts";
import type { Signals } from "./signals.ts";
import type { Tasks } from "./tasks.ts";
import type { Templates } from "./templates.ts";
import type { Walks } from "./walks.ts";
import type { Webhooks } from "./webhooks.ts";
import type { Workers } from "./workers.ts";

/** The scheduler's own knobs; each default stands in `defaults`, with its unit in its name. */
export interface SchedulerSettings {
  readonly suspectMs: number;
  readonly lostGraceMs: number;
  readonly goneWorkerKeptMs: number;
  readonly abruptGraceMs: number;
  readonly relayedGraceMs: number;
  readonly failoverGraceMs: number;
  readonly timeoutBackstopMs: number;
  readonly massLossWindowMs: number;
  readonly massLossShare: number;
  readonly massLossMin: number;
  /** How long a blob that nothing refers to is kept once it is marked. */
  readonly blobRemoveWaitMs: number;
  /** A task of a broadcast fails when its worker has been away for so long. */
  readonly broadcastAwayMs: number;
  /** A leader that leads for less long may have been started while its clock was wrong. */
  readonly clockSettleMs: number;
  readonly calendar: Calendar;
}

/** All that the scheduler knows; the modules beside this one work on it. */
export interface SchedulerState {
  readonly tasks: Tasks;
  readonly queues: Queues;
  readonly queueRecords: QueueRecords;
  /** Dying attempts that still count for limits. */
  readonly holds: Holds;
  readonly rates: Rates;
  readonly lanes: Lanes;
  readonly families: Families;
  readonly signals: Signals;
  readonly dependencies: Dependencies;
  readonly graphs: Graphs;
  readonly broadcasts: Broadcasts;
  /** While it leads: tasks whose outcome is decided, and sets whose rest is cancelled, with descendants that have yet to end. */
  readonly walks: Walks;
  readonly backups: Backups;
  readonly templates: Templates;
  readonly schedules: Schedules;
  readonly blobs: Blobs;
  readonly principals: Principals;
  readonly webhooks: Webhooks;
  readonly workers: Workers;
  readonly records: Records;
  readonly massLoss: MassLoss;
  /** While it leads. */
  readonly alarms: Alarms;
  readonly settings: SchedulerSettings;
  /** Of the term in which it leads; 0 while it only follows. */
  epoch: number;
  /** How many audit records the entry at hand has. */
  audited: { readonly seq: number; count: number };
  /** Sessions opened so far in this epoch. */
  sessions: number;
  /** Until then a closed stream is no evidence: nothing could be seen for a while, and workers are still coming back. */
  patientUntil: number;
  /** Until then the clock may be one that was far ahead when this leader was started. */
  clockSureAt: number;
  /** What the memory came to when the last batch was closed. */
  digestBefore: DigestSums;
  /** While it follows: a digest of the leader's did not match. */
  hasDrifted: boolean;
}

export function refuse(
  code: Extract<Reply, { kind: "refused" }>["code"],
  message: string,
  limit?: string,
  details: { readonly [key: string]: string | number } = {},
): Reply {
  return { kind: "refused", code, message, details: limit === undefined ? details : { ...details, limit } };
}

export function reply(batch: Batch, request: RequestId, answer: Reply): void {
  batch.out.effects.push({ kind: "reply", request, reply: answer });
}
