/** I45: where nothing but worker processes dies, the death of one is noticed within the short grace, and at once by its port. */
import { checker } from "./checker.ts";
import { connectionsByBoot, type WorkerDeath, workerDeaths } from "./connections.ts";
import type { History } from "./ledger.ts";
import { eventsOf, name, once, stepsByTask } from "./reading.ts";
import { outerTroubles, type Stretch } from "./troubles.ts";

/** What messages, a probe and commits may add on a good day. */
const slackMs = 200;
/** A worker that has been connected for this long has been probed. */
const probedAfterMs = 200;
/** Unexplained closings within this time of each other may be the network's. */
const windowMs = 1_000;
/** So many of them are, where the share of all workers is large enough. */
const networkMin = 3;

export const deathsNoticed = checker("I45", "the death of a worker is noticed soon", (history, report) => {
  if (!history.conditions.isNetworkQuick) return;
  for (const death of workerDeaths(history)) {
    const boundMs = boundOf(history, death);
    if (boundMs === null) continue;
    const { crash, start } = death;
    for (const [task, steps] of stepsByTask(history)) {
      const index = steps.findLastIndex(({ entry }) => entry.order < crash.order);
      const before = steps[index]?.status;
      if (before?.state !== "running" || before.boot !== start.boot) continue;
      const end = steps
        .slice(index + 1)
        .find(({ status }) => status.state !== "running" || status.attempt !== before.attempt);
      const lastedMs = (end?.entry.landedAt ?? history.events.at(-1)?.at ?? 0) - crash.at;
      if (lastedMs <= boundMs) continue;
      const what = `${name(task, before.attempt)} was still taken for running ${lastedMs} ms after the death of ${start.boot}`;
      report(`${what}; ${boundMs} ms are allowed`, task, crash.node);
    }
  }
});

/** How many deaths had a bound. */
export function boundDeaths(history: History): number {
  return workerDeaths(history).filter((death) => boundOf(history, death) !== null).length;
}

/** How long the death of this worker may go unnoticed, in ms; null where something else may have hidden it. */
function boundOf(history: History, { crash, start }: WorkerDeath): number | null {
  const { abruptGraceMs, failoverGraceMs, lostGraceMs, driftMax } = history.conditions;
  const connection = connectionsByBoot(history)
    .get(start.boot ?? "")
    ?.findLast(({ order }) => order < crash.order)?.connection;
  if (connection === undefined || connection === null || connection.isRelayed) return null;
  const leader = eventsOf(history, "leads").findLast(({ order }) => order < crash.order);
  if (leader?.life !== connection.life) return null;
  // After a trouble of masters, the store or the network, workers get more time to come back.
  const from = crash.at - failoverGraceMs - lostGraceMs;
  const to = crash.at + abruptGraceMs + slackMs;
  const isTroubled = outerTroubles(history).some((trouble) => trouble.from < to && trouble.to > from);
  if (isTroubled || isPaused(history, crash.life, crash.order)) return null;
  if (start.isProbed === true && crash.at - connection.openedAt >= probedAfterMs) return slackMs;
  const own = { from: crash.at - slackMs, to };
  const unexplained = [
    ...workerDeaths(history).map((other) => unexplainedStretch(history, other)),
    ...replacements(history),
  ].filter((stretch) => stretch.from < own.to && stretch.to > own.from);
  return unexplained.length < networkMin ? abruptGraceMs * (1 + driftMax) + slackMs : null;
}

/** While this death may look like a lost network: until its port has refused, or a new process of the worker is there. */
function unexplainedStretch(history: History, { crash, start }: WorkerDeath): Stretch {
  const opened = connectionsByBoot(history)
    .get(start.boot ?? "")
    ?.findLast(({ order }) => order < crash.order)?.connection;
  const isProvable =
    start.isProbed === true && opened !== undefined && opened !== null && crash.at - opened.openedAt >= probedAfterMs;
  const next = eventsOf(history, "stream-opened").find(
    ({ worker, boot, order }) => worker === crash.node && boot !== start.boot && order > crash.order,
  );
  const endsAt = isProvable ? crash.at : Math.min(next?.at ?? Number.POSITIVE_INFINITY, crash.at + windowMs);
  return { from: crash.at, to: endsAt + slackMs };
}

/** A worker that attaches while its stream is open may have seen it lost before its master has; so does a request that comes twice. */
const replacements = once((history): readonly Stretch[] =>
  eventsOf(history, "stream-closed")
    .filter(({ isByMaster }) => isByMaster === true)
    .map(({ at }) => ({ from: at, to: at + windowMs + slackMs })),
);

function isPaused(history: History, life: string, order: number): boolean {
  const isOf = (event: { readonly life: string; readonly order: number }): boolean =>
    event.life === life && event.order < order;
  const pauses = eventsOf(history, "pause").filter(isOf).length;
  return pauses > eventsOf(history, "resume").filter(isOf).length;
}
