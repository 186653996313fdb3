/** What the family act promises: every child is made once, what was remembered is not done again, and only what died runs again. */
import type { TaskDocument } from "../../model/task.ts";
import { type Check, result } from "./check.ts";
import { byTask, type JournalChange } from "./evidence.ts";
import type { ChildInput, StepRun } from "./familyTasks.ts";

export interface FamilyEvidence {
  /** How many children were asked for. */
  readonly wanted: number;
  readonly root: TaskDocument;
  readonly children: readonly TaskDocument[];
  /** What the masters remember of all of them. */
  readonly remembered: readonly RememberedChildStep[];
  /** What the processes of the tasks wrote down themselves. */
  readonly runs: readonly StepRun[];
  readonly changes: readonly JournalChange[];
  readonly kills: readonly FamilyKill[];
}

export interface RememberedChildStep {
  readonly task: string;
  readonly key: string;
  readonly committedAt: number;
}

export interface FamilyKill {
  readonly what: "leader" | "worker";
  readonly process: string;
  readonly at: number;
  /** What ran at that moment: of the leader's death everywhere, of a worker's death there; with the steps behind it. */
  readonly running: readonly {
    readonly task: string;
    readonly attempt: number;
    readonly host: string;
    readonly steps: number;
  }[];
}

/** A step runs before it is committed. Clocks of processes on one machine differ by less than this. */
const slackMs = 250;

export function checkFamily(evidence: FamilyEvidence): readonly Check[] {
  return [
    resultIsRight(evidence),
    childrenOnce(evidence),
    stepsOnce(evidence),
    resumed(evidence),
    onlyTheDeadRanAgain(evidence),
    leaderSparedTasks(evidence),
  ];
}

/** Every child gives three times its index, so their sum is known. */
function resultIsRight({ wanted, root, children }: FamilyEvidence): Check {
  const expected = (3 * wanted * (wanted - 1)) / 2;
  const problems = children
    .filter(({ state, output, input }) => state !== "success" || output !== 3 * indexOf({ input }))
    .map(({ id, state, output }) => `${id} is ${state} and gave ${JSON.stringify(output)}.`);
  if (root.state !== "success") problems.push(`The master task is ${root.state}.`);
  if (root.output !== expected) problems.push(`The master task gave ${JSON.stringify(root.output)}, not ${expected}.`);
  const done = children.filter(({ state }) => state === "success").length;
  const seen = `${done} of ${wanted} children, and their sum ${JSON.stringify(root.output)}`;
  return result(
    "family-result",
    "The master task and all its children are success, and the sum is right",
    done,
    seen,
    problems,
  );
}

function childrenOnce({ wanted, root, children, changes }: FamilyEvidence): Check {
  const problems: string[] = [];
  const byIndex = Map.groupBy(children, indexOf);
  for (let index = 0; index < wanted; index += 1) {
    const { length } = byIndex.get(index) ?? [];
    if (length !== 1) problems.push(`There are ${length} children with the index ${index}.`);
  }
  if (children.length !== wanted) problems.push(`There are ${children.length} children instead of ${wanted}.`);
  const { children: counted = 0 } = root.family ?? {};
  if (counted !== wanted) problems.push(`The master task counts ${counted} children.`);
  const known = new Set<string>([root.id, ...children.map(({ id }) => id)]);
  for (const [task, own] of byTask(changes)) {
    if (!known.has(task)) problems.push(`The journal knows ${task}, which is no child.`);
    const commits = own.filter(({ state }) => state === "success").length;
    if (commits > 1) problems.push(`${task} was committed ${commits} times.`);
  }
  const seen = `${byIndex.size} children made, ${changes.filter(({ state }) => state === "success").length - 1} committed`;
  return result("children-once", "Every child was made and committed exactly once", byIndex.size, seen, problems);
}

function stepsOnce({ wanted, remembered, runs }: FamilyEvidence): Check {
  const problems: string[] = [];
  const byStep = Map.groupBy(runs, ({ task, key }) => `${task} ${key}`);
  // "children" is remembered as well, and nothing runs for it.
  const steps = remembered.filter(({ key }) => key !== "children");
  for (const { task, key, committedAt } of steps) {
    const own = byStep.get(`${task} ${key}`) ?? [];
    if (own.length === 0) problems.push(`Nobody ran the step ${key} of ${task}.`);
    for (const { attempt, at } of own)
      if (at > committedAt + slackMs)
        problems.push(
          `Attempt ${attempt} of ${task} ran the step ${key} ${at - committedAt} ms after it was committed.`,
        );
  }
  const missing = 2 * wanted + 2 - steps.length;
  if (missing !== 0) problems.push(`${steps.length} steps are remembered, not ${2 * wanted + 2}.`);
  const seen = `${steps.length} steps remembered, run ${runs.length} times`;
  return result("steps-once", "No step ran again once it was committed", steps.length, seen, problems);
}

/** Of the steps that cut-off attempts had behind them, none runs again. */
function resumed({ kills, runs, changes }: FamilyEvidence): Check {
  const problems: string[] = [];
  let count = 0;
  const journal = byTask(changes);
  for (const { what, running } of kills) {
    if (what !== "worker") continue;
    for (const { task, attempt, steps } of running) {
      const wasCut = wasKilled(journal.get(task) ?? [], attempt);
      if (!wasCut || steps === 0) continue;
      const again = runs.filter((run) => run.task === task && run.attempt > attempt && run.key === "first");
      if (again.length === 0) count += steps;
      else
        problems.push(
          `${task} lost its worker behind its first step, and ran it again in attempt ${again[0]?.attempt}.`,
        );
    }
  }
  const seen = `${count} steps resumed from`;
  return result("steps-resumed", "What lost its worker went on behind its last step", count, seen, problems);
}

function onlyTheDeadRanAgain({ root, children, kills, changes }: FamilyEvidence): Check {
  const problems: string[] = [];
  const dead = kills.filter(({ what }) => what === "worker");
  const journal = byTask(changes);
  let reruns = 0;
  for (const { id, attempt, failures, kills: lost, uncounted = 0 } of children) {
    if (failures > 0) problems.push(`${id} counts ${failures} failures.`);
    if (attempt !== 1 + lost + uncounted) problems.push(`${id} ran ${attempt} times, and ${lost} of them were lost.`);
    for (const { host, at } of killsOf(journal.get(id) ?? [])) {
      reruns += 1;
      if (!dead.some(({ process, at: diedAt }) => process === host && diedAt <= at + slackMs))
        problems.push(`${id} lost ${host}, which was not dead.`);
    }
  }
  if (root.failures > 0) problems.push(`The master task counts ${root.failures} failures.`);
  const seen = `${reruns} attempts lost to ${dead.length} ${dead.length === 1 ? "worker" : "workers"}, all others ran once`;
  return result("family-reruns", "Only what ran on a dead worker ran again", reruns, seen, problems);
}

/** The attempts that ran when the leader died are those that were committed, unless their worker was killed later. */
function leaderSparedTasks({ kills, changes }: FamilyEvidence): Check {
  const problems: string[] = [];
  const journal = byTask(changes);
  const diedLater = new Set(kills.filter(({ what }) => what === "worker").map(({ process }) => process));
  let spared = 0;
  for (const { what, running } of kills) {
    if (what !== "leader") continue;
    for (const { task, attempt, host } of running) {
      const own = journal.get(task) ?? [];
      if (own.some((change) => change.state === "success" && change.attempt === attempt)) spared += 1;
      else if (!(wasKilled(own, attempt) && diedLater.has(host)))
        problems.push(`Attempt ${attempt} of ${task} ran when the leader died, and was not committed.`);
    }
  }
  const seen = `${spared} children ran on, and counted`;
  return result("master-death", "The leader's death touched no running child", spared, seen, problems);
}

function indexOf({ input }: Pick<TaskDocument, "input">): number {
  return (input as unknown as ChildInput).index;
}

interface Loss {
  readonly attempt: number;
  readonly host: string | null;
  readonly at: number;
}

/** Attempts that the journal says were lost with their worker, and where they ran. */
function killsOf(changes: readonly JournalChange[]): Loss[] {
  const lost: Loss[] = [];
  let before: JournalChange | null = null;
  for (const change of changes) {
    // The next attempt may start in the very entry that killed the one before: then only `kills` shows it.
    if (change.kills > (before?.kills ?? 0)) {
      const attempt = change.state === "running" ? change.attempt - 1 : change.attempt;
      lost.push({ attempt, host: change.state === "running" ? (before?.host ?? null) : change.host, at: change.at });
    }
    before = change;
  }
  return lost;
}

function wasKilled(changes: readonly JournalChange[], attempt: number): boolean {
  return killsOf(changes).some((loss) => loss.attempt === attempt);
}
