/** Every checker there is, in the order of the invariants. */

import { ackedIsCommitted } from "./ackedIsCommitted.ts";
import { ackedIsKept } from "./ackedIsKept.ts";
import { adoptedOnce } from "./adoptedOnce.ts";
import { assignedBeforeStart } from "./assignedBeforeStart.ts";
import { assignedToFit } from "./assignedToFit.ts";
import { attemptNumbers } from "./attemptNumbers.ts";
import { backToBase } from "./backToBase.ts";
import { backupsKept } from "./backupsKept.ts";
import { blobsKept } from "./blobsKept.ts";
import { broadcastsKept } from "./broadcastsKept.ts";
import { capacityKept } from "./capacityKept.ts";
import type { Checker, Violation } from "./checker.ts";
import { deathsNoticed } from "./deathsNoticed.ts";
import { effectsAfterCommit } from "./effectsAfterCommit.ts";
import { epochNeverFalls } from "./epochNeverFalls.ts";
import { eventsUnbroken } from "./eventsUnbroken.ts";
import { failuresCounted } from "./failuresCounted.ts";
import { familiesKept } from "./familiesKept.ts";
import { fencedLeaders } from "./fencedLeaders.ts";
import { graphsKept } from "./graphsKept.ts";
import { healthyLeaderStays } from "./healthyLeaderStays.ts";
import { itemsBeforeResult } from "./itemsBeforeResult.ts";
import { jobFiles } from "./jobFiles.ts";
import { jobOutputs } from "./jobOutputs.ts";
import { journalKept } from "./journalKept.ts";
import { keysAreHonoured } from "./keysAreHonoured.ts";
import { killedStaysKilled } from "./killedStaysKilled.ts";
import { leaderInTheEnd } from "./leaderInTheEnd.ts";
import { leaderWithinBound } from "./leaderWithinBound.ts";
import type { History } from "./ledger.ts";
import { legalTransitions } from "./legalTransitions.ts";
import { limitsKept } from "./limitsKept.ts";
import { nameLives } from "./lives.ts";
import { logsKept } from "./logsKept.ts";
import { mastersSpareTasks } from "./mastersSpareTasks.ts";
import { networkSpared } from "./networkSpared.ts";
import { nobodyStarves } from "./nobodyStarves.ts";
import { oneLeaderPerEpoch } from "./oneLeaderPerEpoch.ts";
import { oneStart } from "./oneStart.ts";
import { oneSuccess } from "./oneSuccess.ts";
import { onlyExpiredForgotten } from "./onlyExpiredForgotten.ts";
import { outboxDrains } from "./outboxDrains.ts";
import { overlapAccounted } from "./overlapAccounted.ts";
import { prefixStands } from "./prefixStands.ts";
import { readsGoForward } from "./readsGoForward.ts";
import { remoteJobs } from "./remoteJobs.ts";
import { resultHasExecution } from "./resultHasExecution.ts";
import { scriptsKept } from "./scriptsKept.ts";
import { signalsOnce } from "./signalsOnce.ts";
import { sleptInFull } from "./sleptInFull.ts";
import { startsInTime } from "./startsInTime.ts";
import { stateIsFold } from "./stateIsFold.ts";
import { templatesKept } from "./templatesKept.ts";
import { ticksApart } from "./ticksApart.ts";
import { ticksInTime } from "./ticksInTime.ts";
import { ticksOnce } from "./ticksOnce.ts";
import { waitsKept } from "./waitsKept.ts";
import { waitsNoticed } from "./waitsNoticed.ts";
import { webhooksTold } from "./webhooksTold.ts";

export const checkers: readonly Checker[] = [
  ackedIsKept,
  adoptedOnce,
  oneSuccess,
  resultHasExecution,
  sleptInFull,
  attemptNumbers,
  legalTransitions,
  failuresCounted,
  killedStaysKilled,
  assignedBeforeStart,
  oneStart,
  overlapAccounted,
  waitsKept,
  keysAreHonoured,
  oneLeaderPerEpoch,
  fencedLeaders,
  ackedIsCommitted,
  effectsAfterCommit,
  prefixStands,
  stateIsFold,
  epochNeverFalls,
  leaderInTheEnd,
  leaderWithinBound,
  healthyLeaderStays,
  capacityKept,
  assignedToFit,
  mastersSpareTasks,
  deathsNoticed,
  networkSpared,
  familiesKept,
  backupsKept,
  scriptsKept,
  waitsNoticed,
  signalsOnce,
  templatesKept,
  graphsKept,
  jobOutputs,
  jobFiles,
  broadcastsKept,
  blobsKept,
  outboxDrains,
  logsKept,
  readsGoForward,
  eventsUnbroken,
  backToBase,
  onlyExpiredForgotten,
  journalKept,
  startsInTime,
  ticksOnce,
  ticksInTime,
  ticksApart,
  nobodyStarves,
  itemsBeforeResult,
  limitsKept,
  webhooksTold,
  remoteJobs,
];

/** Families, and all that belongs to a task, are told by the ids of tasks, which must be the real ones. */
const byRealIds: ReadonlySet<Checker> = new Set([
  familiesKept,
  backupsKept,
  graphsKept,
  broadcastsKept,
  scriptsKept,
  waitsNoticed,
  signalsOnce,
  templatesKept,
  jobOutputs,
  jobFiles,
  blobsKept,
  webhooksTold,
  remoteJobs,
]);

export function checkAll(history: History): Violation[] {
  const named = nameLives(history);
  return checkers.flatMap((each) => each.check(byRealIds.has(each) ? history : named));
}
