/** What clients were promised: checked from their own ledger against what is there in the end. */
import { isFinal, type TaskState } from "../../model/task.ts";
import { ackedIsKept } from "../checkers/ackedIsKept.ts";
import { keysAreHonoured } from "../checkers/keysAreHonoured.ts";
import type { History } from "../checkers/ledger.ts";
import { byChecker, type Check, check, count, grouped } from "./check.ts";
import type { Evidence, JournalEntry } from "./evidence.ts";
import type { ClientLine } from "./ledger.ts";

export function clientChecks(evidence: Evidence, history: History): Check[] {
  return [
    nothingLost(evidence, history),
    cameToRest(evidence),
    keysKept(evidence, history),
    cancelsKept(evidence),
    readsGoForward(evidence),
    noBadAnswers(evidence),
  ];
}

type LineOf<Kind extends ClientLine["kind"]> = Extract<ClientLine, { kind: Kind }>;

function linesOf<Kind extends ClientLine["kind"]>({ clients }: Evidence, kind: Kind): LineOf<Kind>[] {
  return clients.filter((line): line is LineOf<Kind> => line.kind === kind);
}

function nothingLost(evidence: Evidence, history: History): Check {
  const acknowledged = new Set(linesOf(evidence, "submit-ok").flatMap((line) => line.ids));
  const unknown = linesOf(evidence, "submit-info").length;
  const there = new Set(evidence.documents.map(({ id }) => id as string));
  const found = [...acknowledged].filter((id) => there.has(id)).length;
  const words = `${grouped(acknowledged.size)} acknowledged, ${grouped(found)} there${unknown > 0 ? `; ${count(unknown, "call")} without an answer` : ""}`;
  const kept = byChecker(ackedIsKept, "No acknowledged task was lost", history, acknowledged.size, words);
  const missing = linesOf(evidence, "read-fail")
    .filter(({ code }) => code === "not-found")
    .map(
      ({ task, session }) =>
        `${session} looked for ${task}, which it had been acknowledged, and was told that there is none.`,
    );
  return { ...kept, problems: [...kept.problems, ...missing] };
}

function cameToRest({ quiet, documents }: Evidence): Check {
  const ended = documents.filter(({ state }) => isFinal(state)).length;
  const words = `${count(ended, "task")} at the end, ${(quiet.tookMs / 1000).toFixed(1)} s after the last fault`;
  return check("I20", "Once the faults are over, all comes to its end", documents.length, words, quiet.left);
}

function keysKept(evidence: Evidence, history: History): Check {
  const calls = linesOf(evidence, "submit-invoke");
  const repeats = calls.length - new Set(calls.map((line) => line.key)).size;
  const refused = linesOf(evidence, "submit-fail").filter(({ code }) => code === "conflict").length;
  const words = `${count(repeats, "call")} repeated, ${grouped(refused)} with other content refused`;
  return byChecker(keysAreHonoured, "Asking twice makes one task", history, repeats, words);
}

function cancelsKept(evidence: Evidence): Check {
  const states = new Map(evidence.documents.map((document) => [document.id as string, document.state]));
  const cancels = linesOf(evidence, "cancel-ok");
  const problems = cancels.flatMap(({ task }) => {
    const state = states.get(task) ?? "gone";
    return state === "cancelled" ? [] : [`The cancel of ${task} was acknowledged, and it is ${state}.`];
  });
  return check(
    "I1",
    "A cancelled task stays cancelled",
    cancels.length,
    `${count(cancels.length, "task")} cancelled`,
    problems,
  );
}

/** No session sees a task go back; and what it saw is in the journal: nothing was shown that was not, or did not stay, committed. */
function readsGoForward(evidence: Evidence): Check {
  const reads = linesOf(evidence, "read");
  const committed = evidence.entries === null ? null : statesOf(evidence.entries);
  const problems: string[] = [];
  const last = new Map<string, LineOf<"read">>();
  for (const read of reads) {
    const { session, task, state, attempt } = read;
    const before = last.get(`${session} ${task}`);
    if (before !== undefined && (attempt < before.attempt || (isFinal(before.state) && state !== before.state))) {
      problems.push(
        `${session} saw ${task} as ${before.state} in attempt ${before.attempt}, then as ${state} in attempt ${attempt}.`,
      );
    }
    last.set(`${session} ${task}`, read);
    if (committed !== null && committed.get(task)?.has(stateKey(state, attempt)) !== true) {
      problems.push(`${session} saw ${task} as ${state} in attempt ${attempt}, which was never committed.`);
    }
  }
  return check(
    "I38",
    "What a client has seen is true and stays true",
    reads.length,
    `${count(reads.length, "read")}`,
    problems,
  );
}

function statesOf(entries: readonly JournalEntry[]): Map<string, Set<string>> {
  const states = new Map<string, Set<string>>();
  for (const { writes } of entries) {
    for (const write of writes) {
      if (write.kind !== "status") continue;
      const { id, state, attempt } = write.status;
      const own = states.get(id) ?? new Set();
      states.set(id, own.add(stateKey(state, attempt)));
    }
  }
  return states;
}

function stateKey(state: TaskState, attempt: number): string {
  return `${state}/${attempt}`;
}

/** Of all that can go wrong, a client may be told that nobody can answer now; never that the master broke. */
function noBadAnswers(evidence: Evidence): Check {
  const calls = evidence.clients.filter(({ kind }) => kind !== "submit-invoke");
  const broken = calls.flatMap((line) =>
    "code" in line && line.code === "internal"
      ? [`A ${line.kind.split("-")[0]} of ${line.session} was answered with an internal error.`]
      : [],
  );
  const refused = linesOf(evidence, "submit-fail").filter(({ code }) => code !== "conflict");
  const unfounded = refused.map(({ session, code }) => `A submit of ${session} was refused (${code}) for no reason.`);
  const problems = [...broken, ...unfounded, ...evidence.surprises];
  return check(
    "",
    "No call was answered with a failure of Outlast's own",
    calls.length,
    `${count(calls.length, "answer")}`,
    problems,
  );
}
