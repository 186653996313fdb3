/** What the cluster as a whole was promised: one leader at a time, one truth, no slot too many, nothing left behind. */
import { capacityKept } from "../checkers/capacityKept.ts";
import { fencedLeaders } from "../checkers/fencedLeaders.ts";
import type { History } from "../checkers/ledger.ts";
import { oneLeaderPerEpoch } from "../checkers/oneLeaderPerEpoch.ts";
import { outboxDrains } from "../checkers/outboxDrains.ts";
import { stateIsFold } from "../checkers/stateIsFold.ts";
import { type Life, unexpectedEnds } from "../cluster/lives.ts";
import { byChecker, type Check, check, count, grouped } from "./check.ts";
import type { Evidence } from "./evidence.ts";
import type { Orphan } from "./orphans.ts";

export function clusterChecks(evidence: Evidence, history: History): Check[] {
  const entries = evidence.entries?.length ?? 0;
  const epochs = new Set(evidence.entries?.map(({ epoch }) => epoch)).size;
  const starts = evidence.facts.filter(({ kind }) => kind === "started").length;
  return [
    byChecker(
      [oneLeaderPerEpoch, fencedLeaders],
      "One leader per epoch, nothing of an older one after it",
      history,
      epochs,
      count(epochs, "epoch"),
    ),
    oneTruth(evidence, history, entries),
    byChecker(
      capacityKept,
      "No worker ever runs more than it has slots",
      history,
      starts,
      `${count(starts, "start")}, ${grouped(evidence.capacity)} slots each`,
    ),
    byChecker(
      outboxDrains,
      "Every result found its master",
      history,
      evidence.outboxes.size,
      `${count(evidence.outboxes.size, "outbox", "outboxes")}, ${[...evidence.outboxes.values()].filter((waiting) => waiting === 0).length} empty`,
    ),
    noOrphans(evidence),
    noOtherDeath(evidence),
    allFaultsFell(evidence),
  ];
}

/** The journal is one unbroken chain, every table is what it adds up to, and so was every standby's memory. */
function oneTruth(evidence: Evidence, history: History, entries: number): Check {
  const found = byChecker(
    stateIsFold,
    "All that is shown is what the journal adds up to",
    history,
    entries,
    `${count(entries, "entry", "entries")}, each by its checksum`,
  );
  return { ...found, problems: [...found.problems, ...evidence.storeFindings] };
}

function noOrphans({ orphans, executed }: Evidence): Check {
  const commands = executed.filter(({ kind }) => kind === "exec-start").length;
  const tell = (when: string) => (orphan: Orphan) =>
    `Process ${orphan.pid} (${orphan.command}) lived ${when}; ${orphan.mark}.`;
  const problems = [
    ...orphans.whileIdle.map(tell("although every task was at its end")),
    ...orphans.afterEnd.map(tell("after the end")),
  ];
  const words = orphans.isKnown
    ? `${count(commands, "command")} started, ${problems.length} processes left`
    : "this machine does not show its processes";
  return check("I35", "No process outlives its attempt", orphans.isKnown ? commands : 0, words, problems);
}

function noOtherDeath({ lives, strikes }: Evidence): Check {
  const away = strikes.filter(({ kind, hit }) => (kind === "disk" || kind === "server") && hit.length > 0);
  // A master that finds no room, or no server, when it starts says so and ends, as it should.
  const foundNoStore = ({ role, readyAt, startedAt, endedAt }: Life) =>
    role === "master" &&
    readyAt === null &&
    away.some((strike) => startedAt <= (strike.endedAt ?? startedAt) && strike.startedAt <= (endedAt ?? startedAt));
  const problems = unexpectedEnds(lives.filter((life) => !foundNoStore(life)));
  const killed = lives.filter((life) => life.cause === "killed").length;
  return check(
    "",
    "No process died that was not killed by the run",
    lives.length,
    `${grouped(lives.length)} lives, ${grouped(killed)} ended by SIGKILL`,
    problems,
  );
}

/** A run without its faults proves nothing. */
function allFaultsFell({ strikes, failedFaults }: Evidence): Check {
  const fell = strikes.filter(({ hit }) => hit.length > 0).length;
  const words = `${count(fell, "fault")}; ${grouped(strikes.length - fell)} had no target`;
  return check("", "Every fault was injected as planned", strikes.length, words, failedFaults);
}
