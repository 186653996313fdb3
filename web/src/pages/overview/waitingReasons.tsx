/** Why tasks wait, with how many for each reason and the way to them; nothing while none waits. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { queuesQuery } from "../../api/queries.ts";
import type { Queue } from "../../api/schema.ts";
import { needsSomebody } from "../../parts/waiting.ts";
import { queuedStates, type TaskFilters } from "../tasks/filters.ts";
import { waitingIn } from "./problems.ts";

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

/** States of the tasks that wait for a reason; all others wait in their queue. */
const statesOfReasons: { readonly [reason: string]: string } = {
  "due-later": "created",
  siblings: "created",
  "back-off": "retrying,killed",
  children: "waiting",
  sleep: "waiting",
  signal: "waiting",
  descendants: "waiting",
  blocked: "blocked",
};

/** Whether tasks of a queue may wait for a reason that is about the queue as a whole. */
const isAbout: { readonly [reason: string]: (queue: Queue) => boolean } = {
  "queue-paused": ({ isPaused }) => isPaused,
  "queue-full": ({ concurrencyMax, tasks }) => (tasks["running"] ?? 0) >= (concurrencyMax ?? Number.POSITIVE_INFINITY),
  "queue-rate": ({ rate }) => rate !== undefined && rate !== null,
  "no-worker": ({ workers }) => workers === 0,
};

/** The list that holds them; of other queues only where more than one comes into question. */
function listOf(reason: string, queues: readonly Queue[]): TaskFilters {
  const state = statesOfReasons[reason] ?? queuedStates.join(",");
  const about = isAbout[reason];
  const [only, ...more] = about === undefined ? [] : queues.filter((queue) => waitingIn(queue) > 0 && about(queue));
  return { state, order: "oldest", ...(only !== undefined && more.length === 0 && { queue: only.name }) };
}

const number = new Intl.NumberFormat();

export function WaitingReasons({ waiting }: { readonly waiting: { readonly [reason: string]: number } }) {
  const queues = useQuery(queuesQuery).data?.queues ?? [];
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
              <Link to="/tasks" search={listOf(reason, queues)} className="hover:underline">
                {words[reason] ?? reason} <span className="figures font-semibold">{number.format(count)}</span>
              </Link>
            </li>
          ))}
      </ul>
    </div>
  );
}
