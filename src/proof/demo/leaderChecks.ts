/** The promises about leaders: their death harms no task, a standby follows at once, and no two lead in one epoch. */
import { problemsOf } from "../checkers/checker.ts";
import { fencedLeaders } from "../checkers/fencedLeaders.ts";
import type { History } from "../checkers/ledger.ts";
import { oneLeaderPerEpoch } from "../checkers/oneLeaderPerEpoch.ts";
import type { LedgerAttempt } from "../cluster/attemptLines.ts";
import { clockSlackMs } from "../cluster/record.ts";
import { type Check, result } from "./check.ts";
import { killedAttempts } from "./evidence.ts";
import { type LeaderDeath, leaderDeaths, reigns } from "./reigns.ts";
import type { Sight } from "./sight.ts";

/** An attempt that a leader's death found on a worker which lived until there was a leader again. */
interface Survivor {
  readonly key: string;
  /** The worker had found the next leader when it ended: that leader could have ended it, and must not have. */
  readonly ranThrough: boolean;
  /** Its result had to wait until somebody led again. */
  readonly endedMeanwhile: boolean;
  /** Why it did not count; null if it did. */
  readonly problem: string | null;
}

/** A result that no leader could take waits on its worker's disk, and is committed as that very attempt. */
export function endedMeanwhile(sight: Sight): Check {
  const cases = survivorsOf(sight).filter((survivor) => survivor.endedMeanwhile);
  const count = countAttempts(cases);
  const promise = "Results that came while nobody led were kept, and counted";
  return result("ended-meanwhile", promise, count, `${count} ended meanwhile`, problemsIn(cases));
}

/** What ran on a worker that lived on went on, also when that worker found the next leader, and is committed as that very attempt. */
export function masterDeath(sight: Sight): Check {
  const running = survivorsOf(sight).filter((survivor) => !survivor.endedMeanwhile);
  const through = countAttempts(running.filter((survivor) => survivor.ranThrough));
  const promise = `The ${sight.evidence.masters.size > 1 ? "leader" : "master"}'s death touched no running task`;
  const seen = `${countAttempts(running)} ran on, ${through} of them under the next leader`;
  return result("master-death", promise, through, seen, problemsIn(running));
}

/** An attempt may outlive several leaders. */
function countAttempts(survivors: readonly Survivor[]): number {
  return new Set(survivors.map(({ key }) => key)).size;
}

function problemsIn(survivors: readonly Survivor[]): string[] {
  return [...new Set(survivors.flatMap(({ problem }) => problem ?? []))];
}

function survivorsOf(sight: Sight): Survivor[] {
  return leaderDeaths(sight.evidence).flatMap((death) =>
    [...sight.attempts].flatMap(([key, attempt]) => survivor(sight, death, key, attempt) ?? []),
  );
}

function survivor(sight: Sight, { dead, at, next }: LeaderDeath, key: string, attempt: LedgerAttempt): Survivor | null {
  const [start] = attempt.starts;
  const [end] = attempt.ends;
  if (next === null || start === undefined || start.at >= at) return null;
  const life = sight.life(start);
  if (life === undefined || (life.endedAt !== null && life.endedAt <= next.from)) return null;
  const changes = sight.journal.get(attempt.task) ?? [];
  const commit = changes.find((change) => change.state === "success" && change.attempt === attempt.attempt);
  if (commit !== undefined && commit.at < at) return null;
  const killedAt = killedAttempts(changes).find((killed) => killed.attempt === attempt.attempt)?.at ?? null;
  const wasAborted = end !== undefined && end.outcome !== "success";
  if (commit === undefined) {
    // Its end or its kill was committed before the leader died.
    if (killedAt !== null && killedAt < at) return null;
    // A worker that was shot later took its work with it: that is another promise's business.
    const wasShot =
      life.cause === "killed" && (killedAt ?? Number.POSITIVE_INFINITY) >= (life.endedAt ?? 0) - clockSlackMs;
    if (wasShot && !wasAborted) return null;
  }
  const attachedAt = sight.attachedAt(life, next.epoch);
  const where = `${key} ran on ${life.process} when ${dead.process} died`;
  const fate = wasAborted ? "was broken off" : "was never committed";
  return {
    key,
    ranThrough: attachedAt !== null && (end === undefined || end.at >= attachedAt),
    endedMeanwhile: end !== undefined && (attachedAt === null || end.at < attachedAt),
    problem: commit === undefined ? `${where}, and ${fate}.` : null,
  };
}

/** Where another master was ready when a leader died, somebody led again; and how soon. */
export function takeover({ evidence }: Sight): Check {
  const deaths = leaderDeaths(evidence).filter((death) => death.hadStandby);
  const problems = deaths
    .filter((death) => death.next === null)
    .map((death) => `Nobody led after the death of ${death.dead.process} (epoch ${death.dead.epoch}).`);
  return result("takeover", "A standby took over", deaths.length, takeoverText(deaths), problems);
}

function takeoverText(deaths: readonly LeaderDeath[]): string {
  const leadMs = deaths.flatMap(({ at, next }) => (next === null ? [] : [next.from - at]));
  const assignMs = deaths.flatMap(({ at, assignedAt }) => (assignedAt === null ? [] : [assignedAt - at]));
  if (leadMs.length === 0) return "no leader died with a standby at hand";
  const [only] = deaths;
  const who = deaths.length === 1 ? (only?.next?.process ?? "") : `${leadMs.length} times,`;
  const next = assignMs.length === 0 ? "" : `, next task assigned after ${spread(assignMs)}`;
  return `${who} after ${spread(leadMs)}${next}`;
}

/** `84 ms`, or `84 to 212 ms (median 96)`. */
function spread(all: readonly number[]): string {
  const sorted = all.toSorted((a, b) => a - b);
  const [least = 0] = sorted;
  const most = sorted.at(-1) ?? 0;
  if (sorted.length === 1) return `${least} ms`;
  return `${least} to ${most} ms (median ${sorted[Math.floor((sorted.length - 1) / 2)]})`;
}

/** Each epoch has one marker, by the master that also says itself that it led; and no worker went back to an older leader. */
export function oneLeader({ evidence }: Sight, history: History): Check {
  const problems = problemsOf([oneLeaderPerEpoch, fencedLeaders], history);
  const all = reigns(evidence);
  for (const reign of all) {
    if (reign.life === undefined)
      problems.push(`${reign.process} appended its marker of epoch ${reign.epoch} at a time when it was not running.`);
  }
  const latest = new Map<string, number>();
  for (const { kind, epoch, process, life } of evidence.leaderFacts) {
    const who = `${process} (life ${life})`;
    if (kind === "leading") {
      const isIts = all.some(
        (reign) => reign.epoch === epoch && reign.process === process && reign.life?.number === life,
      );
      if (!isIts) problems.push(`${who} led in epoch ${epoch}, and the journal has no marker of it.`);
      continue;
    }
    const before = latest.get(who) ?? 0;
    if (epoch < before) problems.push(`${who} went back to the leader of epoch ${epoch} after that of ${before}.`);
    latest.set(who, Math.max(before, epoch));
  }
  const words = `${all.length} ${all.length === 1 ? "epoch" : "epochs"}`;
  const seen = problems.length === 0 ? `${words}, each led by one master` : words;
  return result("one-leader", "One leader per epoch", all.length, seen, problems);
}
