/** When what could not be expected to work: stretches of true time drawn out of a history, for checkers that have bounds in time. */
import type { History, LedgerEvent } from "./ledger.ts";
import { eventsOf, once } from "./reading.ts";

/** A stretch of true time in ms. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/** Commits that take longer than this are no ordinary ones. */
const hangMs = 200;
/** What happens in an instant, such as a jump of a clock, is felt for this long. */
const momentMs = 1_000;

/** When masters or the store could not do their work: a leader down, paused or kept waiting by a commit, the store in trouble. */
export const leaderTroubles = once((history): readonly Stretch[] => [
  ...stretchesOf(history, isOfMasters),
  ...hangingCommits(history),
]);

/** The same, and all that befell connections: everything but the deaths and pauses of workers. */
export const outerTroubles = once((history): readonly Stretch[] => [
  ...stretchesOf(history, (event) => !("node" in event) || event.node.startsWith("master")),
  ...hangingCommits(history),
]);

/** The same, and all that befell workers. */
export const allTroubles = once((history): readonly Stretch[] => [
  ...stretchesOf(history, () => true),
  ...hangingCommits(history),
]);

/** How much of the stretch masters and the store were in trouble, counting what overlaps once. */
export function troubledMs(history: History, stretch: Stretch, troubles = leaderTroubles(history)): number {
  const inside = troubles
    .map(({ from, to }) => ({ from: Math.max(from, stretch.from), to: Math.min(to, stretch.to) }))
    .filter(({ from, to }) => to > from)
    .sort((left, right) => left.from - right.from);
  let total = 0;
  let reachedAt = Number.NEGATIVE_INFINITY;
  for (const { from, to } of inside) {
    total += Math.max(0, to - Math.max(from, reachedAt));
    reachedAt = Math.max(reachedAt, to);
  }
  return total;
}

/** When one node was down or paused, or something was wrong that may have concerned it. */
export function troublesOf(history: History, node: string): readonly Stretch[] {
  return stretchesOf(history, (event) => ("node" in event ? event.node === node : isOfMasters(event)));
}

function isOfMasters(event: LedgerEvent): boolean {
  if (event.kind === "clock-set") return false;
  if ("node" in event) return event.node.startsWith("master");
  if (event.kind !== "trouble" && event.kind !== "trouble-over") return false;
  return (
    event.nodes.length === 0 || (event.what === "clock-jump" && event.nodes.some((node) => node.startsWith("master")))
  );
}

function stretchesOf(history: History, concerns: (event: LedgerEvent) => boolean): Stretch[] {
  const stretches: Stretch[] = [];
  const open = new Map<string, number>();
  const begin = (name: string, at: number): void => {
    if (!open.has(name)) open.set(name, at);
  };
  const end = (name: string, at: number): void => {
    const from = open.get(name);
    if (from === undefined) return;
    stretches.push({ from, to: at });
    open.delete(name);
  };
  for (const event of history.events) {
    if (!concerns(event)) continue;
    switch (event.kind) {
      case "pause":
        begin(`paused ${event.node}`, event.at);
        break;
      case "resume":
        end(`paused ${event.node}`, event.at);
        break;
      case "crash":
      case "exit":
        end(`paused ${event.node}`, event.at);
        begin(`down ${event.node}`, event.at);
        break;
      case "start":
        end(`down ${event.node}`, event.at);
        break;
      case "trouble":
        if (event.what.startsWith("cut") || event.what.startsWith("store-"))
          begin(`${event.what} ${event.nodes.join()}`, event.at);
        else stretches.push({ from: event.at, to: event.at + momentMs });
        break;
      case "trouble-over":
        if (event.what === "everything") for (const name of [...open.keys()]) end(name, event.at);
        else end(`${event.what} ${event.nodes.join()}`, event.at);
        break;
      default:
        break;
    }
  }
  const lastAt = history.events.at(-1)?.at ?? 0;
  for (const name of [...open.keys()]) end(name, lastAt);
  return stretches;
}

/** A commit that took its time: until its master knew what had become of it, it could neither hear nor decide. */
function hangingCommits(history: History): Stretch[] {
  const commits = new Map<string, { from: number; to: number }>();
  for (const { life, seq, at } of eventsOf(history, "append")) {
    const key = `${life} ${seq}`;
    if (!commits.has(key)) commits.set(key, { from: at, to: at });
  }
  for (const { life, seq, at } of eventsOf(history, "append-answered")) {
    const commit = commits.get(`${life} ${seq}`);
    if (commit !== undefined) commit.to = at;
  }
  // An answer that leaves the outcome open is followed by another try; a taken slot, by a look at who has it.
  return [...commits.values()]
    .filter(({ from, to }) => to - from > hangMs)
    .map(({ from, to }) => ({ from, to: to + hangMs }));
}
