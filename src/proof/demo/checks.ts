/** The promises, each checked against the evidence of a run: the journal on one side, the processes' own ledger on the other. */
import { isFinal, transitions } from "../../model/task.ts";
import { type Check, result } from "./check.ts";
import { type Evidence, type JournalChange, killedAttempts } from "./evidence.ts";
import { endedMeanwhile, masterDeath, oneLeader, takeover } from "./leaderChecks.ts";
import { clockSlackMs, Sight } from "./sight.ts";

/** Timers and the rounding of two instants to whole ms may make a sleep look this much shorter than it was. */
const sleepSlackMs = 5;
/** Checks every promise. */
export function checkAll(evidence: Evidence): Check[] {
  const seen = new Sight(evidence);
  const hasStandbys = evidence.masters.size > 1;
  const meanwhile = endedMeanwhile(seen);
  return [
    allSuccess(seen),
    rerunInFull(seen),
    oneCommit(seen),
    // A standby takes over so soon that there is seldom a case.
    ...(hasStandbys && meanwhile.cases === 0 ? [] : [meanwhile]),
    masterDeath(seen),
    ...(hasStandbys ? [takeover(seen)] : []),
    oneLeader(seen),
    noOverlap(seen),
    nothingLost(seen),
    assignedFirst(seen),
    legalLife(seen),
    noOtherDeath(seen),
  ];
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
