/** The promises, each checked against the evidence of a run: the journal on one side, the processes' own ledger on the other. */
import { ackedIsKept } from "../checkers/ackedIsKept.ts";
import { assignedBeforeStart } from "../checkers/assignedBeforeStart.ts";
import { attemptNumbers } from "../checkers/attemptNumbers.ts";
import { problemsOf } from "../checkers/checker.ts";
import { killedStaysKilled } from "../checkers/killedStaysKilled.ts";
import type { History } from "../checkers/ledger.ts";
import { legalTransitions } from "../checkers/legalTransitions.ts";
import { oneStart } from "../checkers/oneStart.ts";
import { oneSuccess } from "../checkers/oneSuccess.ts";
import { overlapAccounted } from "../checkers/overlapAccounted.ts";
import { resultHasExecution } from "../checkers/resultHasExecution.ts";
import { sleptInFull } from "../checkers/sleptInFull.ts";
import { unexpectedEnds } from "../cluster/lives.ts";
import { type Check, result } from "./check.ts";
import { type Evidence, killedAttempts } from "./evidence.ts";
import { historyOf } from "./history.ts";
import { endedMeanwhile, masterDeath, oneLeader, takeover } from "./leaderChecks.ts";
import { Sight } from "./sight.ts";

/** Checks every promise. What the simulator and chaos promise, too, is judged by the same checkers. */
export function checkAll(evidence: Evidence): Check[] {
  const seen = new Sight(evidence);
  const history = historyOf(evidence);
  const hasStandbys = evidence.masters.size > 1;
  const meanwhile = endedMeanwhile(seen);
  return [
    allSuccess(seen),
    rerunInFull(seen, history),
    oneCommit(seen, history),
    // A standby takes over so soon that there is seldom a case.
    ...(hasStandbys && meanwhile.cases === 0 ? [] : [meanwhile]),
    masterDeath(seen),
    ...(hasStandbys ? [takeover(seen)] : []),
    oneLeader(seen, history),
    noOverlap(seen, history),
    nothingLost(seen, history),
    assignedFirst(seen, history),
    legalLife(seen, history),
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

function nothingLost({ evidence, documents }: Sight, history: History): Check {
  const acknowledged = evidence.asked.filter((task) => task.acknowledgedAt !== null);
  const found = acknowledged.filter(({ id }) => documents.has(id)).length;
  const words = `${acknowledged.length} acknowledged, ${found} found`;
  const problems = problemsOf([ackedIsKept], history);
  return result("nothing-lost", "No acknowledged submit was lost", acknowledged.length, words, problems);
}

/** One success in the journal, which the document shows, and behind it that very attempt, run to its end by that boot. */
function oneCommit({ evidence }: Sight, history: History): Check {
  const commits = evidence.journal.filter((change) => change.state === "success").length;
  const words = `${commits} commits for ${evidence.asked.length} tasks`;
  const problems = problemsOf([oneSuccess, resultHasExecution], history);
  return result("one-commit", "No task was committed twice", commits, words, problems);
}

/** What was killed runs again, later, for the whole time; so does every attempt that counted. */
function rerunInFull(sight: Sight, history: History): Check {
  const { evidence, journal, attempts } = sight;
  const problems: string[] = [];
  const killed = evidence.asked.flatMap(({ id }) => killedAttempts(journal.get(id) ?? []));
  const killedKeys = new Set(killed.map(({ task, attempt }) => `${task}/${attempt}`));
  for (const [key, { starts, ends }] of attempts) {
    const [start] = starts;
    if (start === undefined || ends.length > 0 || sight.life(start)?.cause !== "killed") continue;
    if (!killedKeys.has(key) && sight.success(start.task)?.attempt !== start.attempt)
      problems.push(`${key} was cut off when ${start.process} died, and the journal never calls it killed.`);
  }
  for (const { task, attempt } of killed) {
    const success = sight.success(task);
    if (success === undefined || success.attempt <= attempt) {
      problems.push(`${task} was killed in attempt ${attempt} and has no later attempt that succeeded.`);
    }
  }
  const promise = "Every killed attempt ran again, from scratch, its whole sleep";
  const all = [...problems, ...problemsOf([sleptInFull, killedStaysKilled], history)];
  return result("rerun-in-full", promise, killed.length, `${killed.length} killed and rerun`, all);
}

/** Each attempt is started once, and only when the one before has ended or its process was dead. */
function noOverlap({ attempts }: Sight, history: History): Check {
  const reruns = [...attempts.values()].filter(({ attempt }) => attempt > 1).length;
  const words = `${attempts.size} attempts, ${reruns} of them reruns`;
  const problems = problemsOf([oneStart, overlapAccounted], history);
  return result("no-overlap", "Attempts of a task never overlapped", attempts.size, words, problems);
}

/** Write-ahead: the journal had given this attempt to this boot before the boot started it. */
function assignedFirst({ evidence }: Sight, history: History): Check {
  const starts = evidence.ledger.filter((fact) => fact.kind === "started").length;
  const words = `${starts} starts, each assigned first`;
  const problems = problemsOf([assignedBeforeStart], history);
  return result("assigned-first", "Nothing ran without a committed assignment", starts, words, problems);
}

/** Every step of every task is one that a task may take, and its attempts count 1, 2, 3 … */
function legalLife({ evidence }: Sight, history: History): Check {
  const steps = evidence.journal.length;
  const promise = "Every task took legal steps only, its attempts without gaps";
  const problems = problemsOf([legalTransitions, attemptNumbers], history);
  return result("legal-life", promise, steps, `${steps} changes of state`, problems);
}

function noOtherDeath({ evidence }: Sight): Check {
  const problems = unexpectedEnds(evidence.lives);
  const killed = evidence.lives.filter((life) => life.cause === "killed").length;
  return result(
    "no-other-death",
    "No process died that was not killed by the run",
    evidence.lives.length,
    `${evidence.lives.length} lives, ${killed} killed`,
    problems,
  );
}
