/** The promises, each checked against the evidence of a run: the journal on one side, the processes' own ledger on the other. */
import { isFinal, transitions } from "../../model/task.ts";
import { byAttempt, type LedgerAttempt, type LedgerFact } from "../cluster/attemptLines.ts";
import { type Life, lifeOf, outages } from "../cluster/lives.ts";
import { byTask, type Evidence, type JournalChange, killedAttempts } from "./evidence.ts";

export interface Check {
  readonly id: CheckId;
  /** The promise, in words for people. */
  readonly promise: string;
  readonly holds: boolean;
  /** How many cases it looked at: a promise that was never put to the test proves nothing. */
  readonly cases: number;
  /** What was seen, in a few words. */
  readonly seen: string;
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[];
}

export type CheckId =
  | "carried-out"
  | "all-success"
  | "nothing-lost"
  | "one-commit"
  | "rerun-in-full"
  | "master-death"
  | "no-overlap"
  | "assigned-first"
  | "legal-life"
  | "no-other-death";

/** Timers and the rounding of two instants to whole ms may make a sleep look this much shorter than it was. */
const sleepSlackMs = 5;
/** The clock of a master follows the wall clock that workers write into their logs, but may run this far from it. */
const clockSlackMs = 20;

/**
 * Checks every promise.
 * @param mustShow those that also fail if the run gave them no case to look at
 */
export function checkAll(evidence: Evidence, mustShow: readonly CheckId[] = []): Check[] {
  const seen = new Sight(evidence);
  const checks = [
    allSuccess(seen),
    rerunInFull(seen),
    oneCommit(seen),
    masterDeath(seen),
    noOverlap(seen),
    nothingLost(seen),
    assignedFirst(seen),
    legalLife(seen),
    noOtherDeath(seen),
  ];
  return checks.map((check) =>
    check.cases === 0 && mustShow.includes(check.id)
      ? { ...check, holds: false, problems: [`${check.promise}: no case of it came up. Use more or longer tasks.`] }
      : check,
  );
}

/** Whether the run went as planned: one that got stuck is a failure, however well its evidence looks. */
export function carriedOut(trouble: string | null): Check {
  const problems = trouble === null ? [] : [trouble];
  return result(
    "carried-out",
    "The run was carried out as planned",
    1,
    trouble === null ? "to the end" : "it got stuck",
    problems,
  );
}

/** The evidence with the indexes that the checks share. */
class Sight {
  readonly evidence: Evidence;
  readonly documents: ReadonlyMap<string, Evidence["documents"][number]>;
  readonly journal: ReadonlyMap<string, readonly JournalChange[]>;
  readonly attempts: ReadonlyMap<string, LedgerAttempt>;

  constructor(evidence: Evidence) {
    this.evidence = evidence;
    this.documents = new Map(evidence.documents.map((document) => [document.id as string, document]));
    this.journal = byTask(evidence.journal);
    this.attempts = byAttempt(evidence.ledger);
  }

  life(fact: LedgerFact): Life | undefined {
    return lifeOf(this.evidence.lives, fact);
  }

  /** The committed success of a task. */
  success(task: string): JournalChange | undefined {
    return this.journal.get(task)?.find((change) => change.state === "success");
  }
}

function result(id: CheckId, promise: string, cases: number, seen: string, problems: readonly string[]): Check {
  return { id, promise, holds: problems.length === 0, cases, seen, problems };
}

function allSuccess({ evidence, documents }: Sight): Check {
  const problems = evidence.asked.flatMap(({ id }) => {
    const state = documents.get(id)?.state ?? "not there";
    return state === "success" ? [] : [`${id} is ${state}.`];
  });
  const total = evidence.asked.length;
  return result("all-success", "Every task is success", total, `${total - problems.length} of ${total}`, problems);
}

function nothingLost({ evidence, documents, journal }: Sight): Check {
  const acknowledged = evidence.asked.filter((task) => task.acknowledgedAt !== null);
  const problems = acknowledged.flatMap(({ id }) => {
    if (!documents.has(id)) return [`${id} was acknowledged, and the master does not know it.`];
    return journal.has(id) ? [] : [`${id} was acknowledged, and the journal does not hold it.`];
  });
  const seen = `${acknowledged.length} acknowledged, ${acknowledged.length - problems.length} found`;
  return result("nothing-lost", "No acknowledged submit was lost", acknowledged.length, seen, problems);
}

/** One success in the journal, nothing after it, and behind it exactly that attempt, run to its end by that boot. */
function oneCommit({ evidence, documents, journal, attempts }: Sight): Check {
  const problems: string[] = [];
  let commits = 0;
  for (const { id } of evidence.asked) {
    const changes = journal.get(id) ?? [];
    const successes = changes.filter((change) => change.state === "success");
    commits += successes.length;
    if (successes.length > 1) problems.push(`${id} was committed ${successes.length} times.`);
    const [success] = successes;
    if (success === undefined) {
      if (documents.get(id)?.state === "success")
        problems.push(`${id} is success, and the journal never committed it.`);
      continue;
    }
    if (changes.at(-1) !== success) problems.push(`${id} was changed after its success, to ${changes.at(-1)?.state}.`);
    const document = documents.get(id);
    if (document !== undefined && document.attempt !== success.attempt) {
      problems.push(`${id} shows attempt ${document.attempt}, the journal committed attempt ${success.attempt}.`);
    }
    const ledger = attempts.get(`${id}/${success.attempt}`);
    if (!ledger?.ends.some((end) => end.outcome === "success" && end.boot === success.boot)) {
      problems.push(`${id} was committed by attempt ${success.attempt}, which no worker says it finished.`);
    }
  }
  return result(
    "one-commit",
    "No task was committed twice",
    commits,
    `${commits} commits for ${evidence.asked.length} tasks`,
    problems,
  );
}

/** What was cut off runs again, later, for the whole time; so does every attempt that counted. */
function rerunInFull(sight: Sight): Check {
  const { evidence, journal, attempts } = sight;
  const problems: string[] = [];
  const killed = evidence.asked.flatMap(({ id }) => killedAttempts(journal.get(id) ?? []));
  const killedKeys = new Set(killed.map(({ task, attempt }) => `${task}/${attempt}`));
  for (const [key, { starts, ends }] of attempts) {
    const [start] = starts;
    if (start === undefined || ends.length > 0 || sight.life(start)?.cause !== "killed") continue;
    if (!killedKeys.has(key))
      problems.push(`${key} was cut off when ${start.process} died, and the journal never calls it killed.`);
  }
  for (const { id, sleepMs } of evidence.asked) {
    const success = sight.success(id);
    if (success === undefined) continue;
    const start = attempts.get(`${id}/${success.attempt}`)?.starts[0];
    const end = attempts.get(`${id}/${success.attempt}`)?.ends[0];
    if (start === undefined || end === undefined) {
      problems.push(`${id} was committed by attempt ${success.attempt}, which has no start and end in the ledger.`);
    } else if (end.at - start.at < sleepMs - sleepSlackMs) {
      problems.push(`${id} should have slept ${sleepMs} ms; attempt ${success.attempt} took ${end.at - start.at} ms.`);
    }
  }
  for (const { task, attempt } of killed) {
    const success = sight.success(task);
    if (success === undefined || success.attempt <= attempt) {
      problems.push(`${task} was killed in attempt ${attempt} and has no later attempt that succeeded.`);
    }
  }
  const promise = "Every killed attempt ran again, from scratch, its whole sleep";
  return result("rerun-in-full", promise, killed.length, `${killed.length} killed and rerun`, problems);
}

/** An attempt that a master's death found on a worker which lived on is committed as that very attempt. */
function masterDeath(sight: Sight): Check {
  const problems: string[] = [];
  const seen = new Set<string>();
  const endedMeanwhile = new Set<string>();
  for (const outage of outages(sight.evidence.lives)) {
    if (outage.to === null) continue;
    for (const [key, { task, attempt, starts, ends }] of sight.attempts) {
      const [start] = starts;
      if (start === undefined || start.at >= outage.from) continue;
      const life = sight.life(start);
      if (life === undefined || (life.endedAt !== null && life.endedAt <= outage.to)) continue;
      const commit = sight.journal
        .get(task)
        ?.find((change) => change.state === "success" && change.attempt === attempt);
      if (commit !== undefined && commit.at < outage.from) continue;
      // A worker that was shot later, with its report still on the way, is another promise's business.
      if (commit === undefined && life.cause === "killed") continue;
      seen.add(key);
      const end = ends[0];
      if (end !== undefined && end.at >= outage.from && end.at <= outage.to) endedMeanwhile.add(key);
      if (commit === undefined)
        problems.push(`${key} ran on ${life.process} when the master died, and was never committed.`);
    }
  }
  const promise = "What outlived the death of the master went on, and counted";
  const words = `${seen.size} went on, ${endedMeanwhile.size} ended meanwhile`;
  return result("master-death", promise, endedMeanwhile.size, words, problems);
}

/** Each attempt is started once, and only when the one before has ended or its process was dead. */
function noOverlap(sight: Sight): Check {
  const problems: string[] = [];
  let pairs = 0;
  for (const [key, { starts }] of sight.attempts) {
    if (starts.length > 1) problems.push(`${key} was started ${starts.length} times.`);
  }
  for (const [task, attempts] of Map.groupBy(sight.attempts.values(), (attempt) => attempt.task)) {
    const inOrder = attempts.toSorted((a, b) => a.attempt - b.attempt);
    for (const [index, next] of inOrder.entries()) {
      const before = inOrder[index - 1];
      const nextStart = next.starts[0];
      const start = before?.starts[0];
      if (before === undefined || nextStart === undefined || start === undefined) continue;
      pairs += 1;
      const overAt = before.ends[0]?.at ?? sight.life(start)?.endedAt ?? null;
      if (overAt === null || nextStart.at < overAt) {
        problems.push(
          `${task}: attempt ${next.attempt} started on ${nextStart.process} while attempt ${before.attempt} still ran on ${start.process}.`,
        );
      }
    }
  }
  const words = `${sight.attempts.size} attempts, ${pairs} of them reruns`;
  return result("no-overlap", "Attempts of a task never overlapped", sight.attempts.size, words, problems);
}

/** Write-ahead: the journal had given this attempt to this boot before the boot started it. */
function assignedFirst({ evidence, journal }: Sight): Check {
  const problems: string[] = [];
  const starts = evidence.ledger.filter((fact) => fact.kind === "started");
  for (const { task, attempt, boot, process, at } of starts) {
    const given = journal
      .get(task)
      ?.find((change) => change.state === "running" && change.attempt === attempt && change.boot === boot);
    if (given === undefined)
      problems.push(`${task}/${attempt} ran on ${process} without an assignment in the journal.`);
    // The `at` of an entry is taken before the entry is written, so this can only err on the lenient side.
    else if (given.at > at + clockSlackMs)
      problems.push(`${task}/${attempt} ran on ${process} before its assignment was committed.`);
  }
  return result(
    "assigned-first",
    "Nothing ran without a committed assignment",
    starts.length,
    `${starts.length} starts, each assigned first`,
    problems,
  );
}

/** Every step of every task is one that a task may take, and its attempts count 1, 2, 3 … */
function legalLife({ journal, evidence }: Sight): Check {
  const problems: string[] = [];
  for (const [task, changes] of journal) {
    let before: JournalChange | null = null;
    for (const change of changes) {
      const from = before?.state ?? "none";
      const isRerun = before !== null && change.attempt === before.attempt + 1;
      const isUpdate =
        before !== null && !isFinal(before.state) && change.state === before.state && change.attempt === before.attempt;
      if (!isUpdate && !transitions[from].includes(change.state))
        problems.push(`${task} went from ${from} to ${change.state} (seq ${change.seq}).`);
      const grows = change.attempt === (before?.attempt ?? 0) || isRerun || (before === null && change.attempt === 1);
      if (!grows)
        problems.push(`${task} went from attempt ${before?.attempt ?? 0} to ${change.attempt} (seq ${change.seq}).`);
      if (before !== null && change.epoch < before.epoch)
        problems.push(`${task} was changed by an older leader (seq ${change.seq}).`);
      before = change;
    }
  }
  const words = `${evidence.journal.length} changes of state`;
  return result(
    "legal-life",
    "Every task took legal steps only, its attempts without gaps",
    evidence.journal.length,
    words,
    problems,
  );
}

function noOtherDeath({ evidence }: Sight): Check {
  const problems = evidence.lives
    .filter((life) => life.cause === "itself")
    .map((life) => `${life.process} (life ${life.number}) ended by itself: ${life.exit}.`);
  const killed = evidence.lives.filter((life) => life.cause === "killed").length;
  return result(
    "no-other-death",
    "No process died but by our hand",
    evidence.lives.length,
    `${evidence.lives.length} lives, ${killed} killed`,
    problems,
  );
}
