/** What tasks were promised: one committed success, attempts that count and run once, and no loss without a fault that explains it. */
import { attemptKey, type TaskId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { TaskSpec, TaskStatus } from "../../model/task.ts";
import { assignedBeforeStart } from "../checkers/assignedBeforeStart.ts";
import { attemptNumbers } from "../checkers/attemptNumbers.ts";
import { killedStaysKilled } from "../checkers/killedStaysKilled.ts";
import type { History } from "../checkers/ledger.ts";
import { legalTransitions } from "../checkers/legalTransitions.ts";
import { oneStart } from "../checkers/oneStart.ts";
import { oneSuccess } from "../checkers/oneSuccess.ts";
import { resultHasExecution } from "../checkers/resultHasExecution.ts";
import { sleptInFull } from "../checkers/sleptInFull.ts";
import { waitsKept } from "../checkers/waitsKept.ts";
import type { Life } from "../cluster/lives.ts";
import { clockSlackMs, lostRecordMs } from "../cluster/record.ts";
import { byChecker, type Check, check, count, grouped } from "./check.ts";
import { type Attempt, attemptsOf, type Evidence, livesByBoot } from "./evidence.ts";
import { isLinkFault, type Strike } from "./faults.ts";

export function taskChecks(evidence: Evidence, history: History): Check[] {
  const scene = new Scene(evidence);
  const steps = evidence.entries?.reduce((sum, { writes }) => sum + writes.filter(isStatus).length, 0) ?? 0;
  const starts = evidence.facts.filter(({ kind }) => kind === "started").length;
  const words = count(steps, "change of a task", "changes of tasks");
  return [
    byChecker(
      oneSuccess,
      "No task was committed twice",
      history,
      scene.successes.length,
      count(scene.successes.length, "success", "successes"),
    ),
    resultsAreReal(scene, history),
    byChecker(
      attemptNumbers,
      "Attempts count 1, 2, 3 … without a gap",
      history,
      scene.attempts.size,
      count(scene.attempts.size, "attempt"),
    ),
    byChecker(legalTransitions, "Tasks take legal steps only", history, steps, words),
    failuresCount(scene),
    byChecker(
      killedStaysKilled,
      "What was given up never counts",
      history,
      scene.killed.length,
      count(scene.killed.length, "attempt") + " given up",
    ),
    byChecker(
      assignedBeforeStart,
      "Nothing runs that was not assigned before",
      history,
      starts,
      count(starts, "start"),
    ),
    startedOnce(scene, history),
    overlapsExplained(scene),
    byChecker(
      waitsKept,
      "Back-off and time-outs are kept",
      history,
      scene.failed,
      `${count(scene.failed, "failure")} waited for`,
    ),
    killsExplained(scene),
  ];
}

function isStatus(write: { readonly kind: string }): boolean {
  return write.kind === "status";
}

/** The evidence with the indexes that the checks share. */
class Scene {
  readonly evidence: Evidence;
  readonly attempts: ReadonlyMap<string, Attempt>;
  readonly specs = new Map<string, TaskSpec>();
  /** Every commit of a success, with the instant of its decision. */
  readonly successes: { readonly status: TaskStatus; readonly at: number }[] = [];
  readonly killed: readonly (Attempt & { readonly killedAt: number })[];
  readonly #lives: ReadonlyMap<string, Life>;

  constructor(evidence: Evidence) {
    this.evidence = evidence;
    this.attempts = attemptsOf(evidence);
    this.#lives = livesByBoot(evidence);
    for (const { writes, at } of evidence.entries ?? []) {
      for (const write of writes) {
        if (write.kind === "spec") this.specs.set(write.spec.id, write.spec);
        else if (write.kind === "status" && write.status.state === "success")
          this.successes.push({ status: write.status, at });
      }
    }
    this.killed = [...this.attempts.values()].flatMap((attempt) =>
      attempt.killedAt === null ? [] : [{ ...attempt, killedAt: attempt.killedAt }],
    );
  }

  get failed(): number {
    return [...this.attempts.values()].filter(({ outcome }) => outcome === "failed").length;
  }

  attempt(task: string, number: number): Attempt | undefined {
    return this.attempts.get(attemptKey(task as TaskId, number));
  }

  life(boot: string): Life | undefined {
    return this.#lives.get(boot);
  }

  /** True if the worker was killed so soon after this instant that its last log lines may be missing. */
  mayHaveLostLines(boot: string, at: number): boolean {
    const life = this.life(boot);
    // A boot that never wrote a line did not live for long.
    if (life === undefined) return true;
    return life.cause === "killed" && life.endedAt !== null && life.endedAt - at < lostRecordMs;
  }
}

/** Behind every committed success is an execution that ended before, for its whole time; behind a command's, its own word. */
function resultsAreReal(scene: Scene, history: History): Check {
  const commands = scene.successes.filter(({ status }) => scene.specs.get(status.id)?.kind === "exec");
  const words = `${count(commands.length, "command")} by their own word, the others by their worker's`;
  const promise = "No result from nowhere";
  const found = byChecker([resultHasExecution, sleptInFull], promise, history, scene.successes.length, words);
  const ran = new Set(scene.evidence.executed.flatMap((line) => (line.kind === "exec-end" ? [execKey(line)] : [])));
  const silent = commands
    .filter(({ status }) => !ran.has(`${status.id}/${status.attempt} ${status.boot}`))
    .map(
      ({ status: { id, attempt } }) =>
        `${id}/${attempt} was committed as a success, and its command never came to its end.`,
    );
  return { ...found, problems: [...found.problems, ...silent] };
}

function execKey({
  task,
  attempt,
  boot,
}: {
  readonly task: string;
  readonly attempt: number;
  readonly boot: string;
}): string {
  return `${task}/${attempt} ${boot}`;
}

/** A task fails no more often than it may; what counts as a failure is one by its own doing, and nothing else counts. */
function failuresCount(scene: Scene): Check {
  const problems: string[] = [];
  const last = new Map<string, TaskStatus>();
  let failures = 0;
  for (const { writes, at } of scene.evidence.entries ?? []) {
    for (const write of writes) {
      if (write.kind !== "status") continue;
      const { status } = write;
      const before = last.get(status.id);
      last.set(status.id, status);
      const { attemptsMax } = scene.specs.get(status.id)?.limits ?? { attemptsMax: 0 };
      if (status.failures > attemptsMax)
        problems.push(`${status.id} failed ${status.failures} times of ${attemptsMax}.`);
      if (status.state === "failed" && status.failures < attemptsMax && status.error?.code !== "kills-used-up")
        problems.push(`${status.id} failed for good after ${status.failures} failures of ${attemptsMax}.`);
      if (status.failures <= (before?.failures ?? 0)) continue;
      failures += 1;
      const number = status.state === "running" ? status.attempt - 1 : status.attempt;
      const attempt = scene.attempt(status.id, number);
      const hasFailed = attempt?.ends.some((fact) => fact.outcome === "failed") === true;
      const boot = attempt?.assigned?.boot ?? "";
      if (!hasFailed && status.error?.code !== "timeout" && !scene.mayHaveLostLines(boot, at))
        problems.push(`${status.id}/${number} was counted as a failure, and no worker says that it failed.`);
    }
  }
  return check("I6", "Only a task's own failures count against it", failures, count(failures, "failure"), problems);
}

/** By the word of the workers, and by that of the commands themselves. */
function startedOnce(scene: Scene, history: History): Check {
  const found = byChecker(oneStart, "No attempt is started twice", history, scene.attempts.size, "");
  const problems = [...found.problems];
  const starts = scene.evidence.executed.filter(({ kind }) => kind === "exec-start");
  for (const [attempt, lines] of Map.groupBy(starts, (line) => `${line.task}/${line.attempt}`)) {
    if (lines.length > 1) problems.push(`The command of ${attempt} was started ${lines.length} times.`);
    for (const line of lines) {
      const isKnown = scene.attempt(line.task, line.attempt)?.starts.some(({ boot }) => boot === line.boot) === true;
      if (!isKnown && !scene.mayHaveLostLines(line.boot, line.at))
        problems.push(`The command of ${attempt} ran on ${line.worker}, which does not know of it.`);
    }
  }
  const words = `${count(scene.attempts.size, "attempt")}, ${count(starts.length, "command")} among them`;
  return { ...found, seen: words, problems };
}

/** Two attempts of a task run at once only where the first one's worker was given up although it lived: stopped, or out of reach. */
function overlapsExplained(scene: Scene): Check {
  const problems: string[] = [];
  let overlaps = 0;
  let pairs = 0;
  for (const later of scene.attempts.values()) {
    const [start] = later.starts;
    const earlier = scene.attempt(later.task, later.attempt - 1);
    const before = earlier?.starts[0];
    if (start === undefined || earlier === undefined || before === undefined) continue;
    pairs += 1;
    const overAt = earlier.ends[0]?.at ?? scene.life(before.boot)?.endedAt ?? null;
    if (overAt !== null && overAt <= start.at + clockSlackMs) continue;
    overlaps += 1;
    const { assigned, killedAt } = earlier;
    // Where its time was up and its worker did not end it, the leader has done so.
    const isHidden =
      assigned !== null &&
      scene.evidence.strikes.some((strike) => mayHide(strike, assigned.host, assigned.at, start.at));
    if (killedAt === null && !isHidden)
      problems.push(
        `${later.task}/${later.attempt} began on ${start.process} while attempt ${earlier.attempt} ran on ${before.process}.`,
      );
    else if (killedAt !== null && killedAt > start.at + clockSlackMs)
      problems.push(`${later.task}/${later.attempt} began before attempt ${earlier.attempt} was given up.`);
  }
  const words = `${count(pairs, "rerun")}, ${grouped(overlaps)} of them while a worker out of reach still ran the one before`;
  return check("I10", "Two attempts run at once only where a worker was out of reach", pairs, words, problems);
}

/** What was given up ran on a worker that had died or was out of reach. The death of a master, in particular, is no reason (I33). */
function killsExplained(scene: Scene): Check {
  const problems: string[] = [];
  for (const { task, attempt, killedAt, assigned } of scene.killed) {
    if (assigned === null) continue;
    const { boot, host } = assigned;
    const life = scene.life(boot);
    const hasDied = life === undefined || (life.endedAt !== null && life.endedAt <= killedAt + clockSlackMs);
    if (hasDied || scene.evidence.strikes.some((strike) => mayHide(strike, host, assigned.at, killedAt))) continue;
    problems.push(`${task}/${attempt} on ${host} was given up, and nothing had been done to that worker.`);
  }
  const words = `${count(scene.killed.length, "attempt")} given up, each for a fault to its own worker`;
  return check("I33", "The death of a master costs no attempt", scene.killed.length, words, problems);
}

/** True if the fault may have ended the worker, or hidden it from the leader, at some time before it was given up. */
function mayHide(strike: Strike, worker: string, fromAt: number, toAt: number): boolean {
  const isOnIt = ["pause", "unplug", "stop"].includes(strike.kind) && strike.hit.includes(worker);
  const isOnItsLink = isLinkFault(strike.kind) && strike.at === worker;
  const longestSilenceMs = defaults.lostGraceMs + defaults.failoverGraceMs;
  if (!isOnIt && !isOnItsLink) return false;
  return strike.startedAt <= toAt && (strike.endedAt ?? toAt) + longestSilenceMs >= fromAt;
}
