/** I44: what an attempt sends while it runs is acknowledged once, in order, and before its result is committed. */
import { checker } from "./checker.ts";
import type { LedgerEvent } from "./ledger.ts";
import { eventsOf, executions, name, once } from "./reading.ts";

type Acked = Extract<LedgerEvent, { kind: "item-acked" }>;

/** When each item was first answered `committed`, by the execution's token and the item's number. */
const firstCommits = once((history): ReadonlyMap<string, Acked> => {
  const first = new Map<string, Acked>();
  for (const event of eventsOf(history, "item-acked")) {
    const key = keyOf(event);
    if (event.verdict === "committed" && !first.has(key)) first.set(key, event);
  }
  return first;
});

export const itemsBeforeResult = checker("I44", "items come in order and before the result", (history, report) => {
  const commits = firstCommits(history);
  const sent = Map.groupBy(eventsOf(history, "item-sent"), ({ token }) => token);
  for (const [token, items] of sent) {
    let before = Number.NEGATIVE_INFINITY;
    let lacking: number | null = null;
    for (const { task, number } of items) {
      const commit = commits.get(keyOf({ token, number }));
      if (commit === undefined) {
        lacking ??= number;
        continue;
      }
      if (lacking !== null) report(`item ${number} of ${token} was taken, and item ${lacking} before it never`, task);
      if (commit.order < before)
        report(`item ${number} of ${token} was taken before the one that was sent earlier`, task);
      before = commit.order;
    }
  }
  checkAnswers();
  checkResults();

  function checkAnswers(): void {
    const answered = new Set<string>();
    for (const event of eventsOf(history, "item-answered")) {
      const key = keyOf(event);
      if (answered.has(key)) report(`item ${event.number} of ${event.token} was answered twice`, event.task);
      answered.add(key);
      if (event.verdict !== "committed") continue;
      const commit = commits.get(key);
      if (commit === undefined || commit.order > event.order)
        report(`item ${event.number} of ${event.token} was answered as taken, and no master had taken it`, event.task);
    }
  }

  function checkResults(): void {
    const byName = Map.groupBy(executions(history), ({ task, attempt, worker }) => `${name(task, attempt)} ${worker}`);
    for (const { task, attempt, worker, verdict, outcome, order } of eventsOf(history, "sent-verdict")) {
      if (verdict !== "committed" || outcome === null || outcome === "aborted") continue;
      const run = byName.get(`${name(task, attempt)} ${worker}`)?.findLast(({ startOrder }) => startOrder < order);
      for (const { number, token } of sent.get(run?.token ?? "") ?? []) {
        const commit = commits.get(keyOf({ token, number }));
        if (commit === undefined || commit.order > order)
          report(`the result of ${name(task, attempt)} was taken before its item ${number}`, task);
      }
    }
  }
});

function keyOf({ token, number }: { readonly token: string; readonly number: number }): string {
  return `${token} ${number}`;
}
