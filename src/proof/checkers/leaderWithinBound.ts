/** I20: with the store well and a master up, somebody leads within a bound; and very soon where the leader's death could be seen. */

import { checker, type Report } from "./checker.ts";
import type { History, LedgerEvent } from "./ledger.ts";
import { eventsOf } from "./reading.ts";
import { leaderTroubles } from "./troubles.ts";

/** After all faults are over: a lease that runs out, with jitter, and elections that collide. */
const healedMsMax = 10_000;
/** A closed connection, two refusals, the marker, and the watch that looks ten times a second. */
const refusedMsMax = 1_000;
/** Where a dead address answers nothing: two renewals of the lease with their jitter, seen by reads that are half a renewal apart. */
const vanishedMsMax = 1_500;
/** Standbys that have been up and undisturbed for this long are warm and watch the leader. */
const warmMs = 6_000;

export const leaderWithinBound = checker("I20", "there is a leader within a bound", (history, report) => {
  const healed = eventsOf(history, "trouble-over").find(({ what }) => what === "everything");
  if (healed !== undefined) {
    const leads = eventsOf(history, "leads");
    const atHeal = leads.findLast(({ order }) => order < healed.order)?.life ?? null;
    const next = leads.find(({ order, life }) => order > healed.order && life !== null);
    const lastAt = history.events.at(-1)?.at ?? 0;
    const waitedMs = (next?.at ?? lastAt) - healed.at;
    if (atHeal === null && waitedMs > healedMsMax) report(`nobody led for ${waitedMs} ms after all faults were over`);
  }
  for (const { at, life, node, waitedMs } of quickTakeovers(history)) {
    if (waitedMs > quickMsMax(history))
      report(`${life} went at ${at} and nobody led for ${waitedMs} ms, although a standby could see it go`, node);
  }
  checkRoles(history, report);
});

/** The deaths of leaders that a warm and undisturbed standby could see, and how long nobody led. */
export function quickTakeovers(
  history: History,
): { readonly at: number; readonly life: string; readonly node: string; readonly waitedMs: number }[] {
  if (!history.conditions.isNetworkQuick || history.conditions.masters < 2) return [];
  const leads = eventsOf(history, "leads");
  const lastAt = history.events.at(-1)?.at ?? 0;
  return [...eventsOf(history, "crash"), ...eventsOf(history, "stop")].flatMap((death) => {
    const { at, order, life, node } = death;
    const before = leads.findLast((event) => event.order < order);
    if (death.wasLeading !== true || before?.life !== life || at - before.at < warmMs) return [];
    const next = leads.find((event) => event.order > order && event.life !== null && event.life !== life);
    const until = Math.min(next?.at ?? lastAt, at + 2 * quickMsMax(history));
    if (lastAt < at + quickMsMax(history) || !isUndisturbed(history, death, { from: at - warmMs, to: until }))
      return [];
    return [{ at, life, node, waitedMs: (next?.at ?? lastAt) - at }];
  });
}

/** How long nobody may lead after a death that a standby could see. */
export function quickMsMax({ conditions }: History): number {
  return conditions.addressesVanish ? vanishedMsMax : refusedMsMax;
}

/** True if nothing but this one death happened to masters and the store, and another master was up all the time. */
function isUndisturbed(history: History, death: Death, { from, to }: { from: number; to: number }): boolean {
  const isTroubled = leaderTroubles(history).some(
    (trouble) => trouble.to > from && trouble.from < to && trouble.from < death.at,
  );
  if (isTroubled) return false;
  const up = new Set<string>();
  for (const event of history.events) {
    if (event.at > to) break;
    if (event.kind === "trouble" && event.at >= from) return false;
    if (!("node" in event) || !event.node.startsWith("master-")) continue;
    // The one that died may be back soon, and changes nothing for the others by that, unless it took connections all the time.
    const isOwn =
      event.node === death.node && event.order >= death.order && (event.kind !== "start" || death.kind === "stop");
    if (event.at >= from && !isOwn) return false;
    if (event.kind === "start") up.add(event.node);
    if (event.kind === "crash" || event.kind === "exit") up.delete(event.node);
  }
  up.delete(death.node);
  return up.size > 0;
}

type Death = Extract<LedgerEvent, { kind: "crash" | "stop" }>;

/** The epoch that leads only rises. */
function checkRoles(history: History, report: Report): void {
  let epoch = 0;
  for (const event of eventsOf(history, "leads")) {
    if (event.epoch < epoch) report(`epoch ${event.epoch} led after epoch ${epoch} had`);
    epoch = Math.max(epoch, event.epoch);
  }
}
