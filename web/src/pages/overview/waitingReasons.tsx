/** Why tasks wait, with how many for each reason; nothing while none waits. */
import { needsSomebody } from "../../parts/waiting.ts";

const words: { readonly [reason: string]: string } = {
  "due-later": "not due yet",
  "back-off": "back-off after a failure",
  isolation: "a worker to be alone on",
  siblings: "siblings that run",
  children: "their children",
  sleep: "the end of a sleep",
  signal: "a signal",
  descendants: "descendants to end",
  blocked: "other tasks",
  "queue-paused": "a paused queue",
  "no-worker": "a worker of their queue",
  "no-able-worker": "a worker that can run them",
  "workers-away": "workers that take nothing now",
  "workers-busy": "a free slot",
  "queue-full": "the limit of their queue",
  "queue-rate": "the rate of their queue",
  key: "their concurrency key",
  "unique-key": "their unique key",
  "next-in-line": "next in line",
  "no-leader": "a leader",
};

const number = new Intl.NumberFormat();

export function WaitingReasons({ waiting }: { readonly waiting: { readonly [reason: string]: number } }) {
  const reasons = Object.entries(waiting).filter(([, count]) => count > 0);
  if (reasons.length === 0) return null;
  return (
    <div className="mt-3 flex flex-wrap gap-x-4 gap-y-1 border-t border-line pt-3">
      <h2 className="text-muted">Tasks wait for</h2>
      <ul className="flex flex-wrap gap-x-4 gap-y-1">
        {reasons
          .toSorted(([, a], [, b]) => b - a)
          .map(([reason, count]) => (
            <li key={reason} className={needsSomebody.has(reason) ? "font-medium text-retrying" : "text-soft"}>
              {words[reason] ?? reason} <span className="figures font-semibold">{number.format(count)}</span>
            </li>
          ))}
      </ul>
    </div>
  );
}
