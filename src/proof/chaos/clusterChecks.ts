/** What the cluster as a whole was promised: one leader at a time, one truth, no slot too many, nothing left behind. */
import { capacityKept } from "../checkers/capacityKept.ts";
import type { History } from "../checkers/ledger.ts";
import { outboxDrains } from "../checkers/outboxDrains.ts";
import { stateIsFold } from "../checkers/stateIsFold.ts";
import type { Life } from "../cluster/lives.ts";
import { byChecker, type Check, check, count, grouped } from "./check.ts";
import type { Evidence } from "./evidence.ts";
import type { Orphan } from "./orphans.ts";

export function clusterChecks(evidence: Evidence, history: History): Check[] {
  const entries = evidence.entries?.length ?? 0;
  const starts = evidence.facts.filter(({ kind }) => kind === "started").length;
  return [
    oneLeader(evidence),
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
    allBlowsFell(evidence),
  ];
}

/** Every epoch has one leader, begins with its marker, and nothing of an older one comes after it. */
function oneLeader({ entries }: Evidence): Check {
  const problems: string[] = [];
  const nonces = new Map<number, string>();
  let epoch = 0;
  let seq = 0;
  for (const entry of entries ?? []) {
    if (entry.seq !== seq + 1) problems.push(`After entry ${seq} of the journal comes entry ${entry.seq}.`);
    seq = entry.seq;
    const isMarker = entry.writes.some((write) => write.kind === "marker");
    if (entry.epoch < epoch) problems.push(`Entry ${entry.seq} of epoch ${entry.epoch} stands behind epoch ${epoch}.`);
    if (entry.epoch > epoch && !isMarker)
      problems.push(`Epoch ${entry.epoch} begins with entry ${entry.seq}, which is no marker.`);
    if (entry.epoch === epoch && isMarker)
      problems.push(`Epoch ${entry.epoch} has a second marker, entry ${entry.seq}.`);
    const nonce = nonces.get(entry.epoch) ?? entry.nonce;
    if (nonce !== entry.nonce) problems.push(`Epoch ${entry.epoch} has two leaders, ${nonce} and ${entry.nonce}.`);
    nonces.set(entry.epoch, nonce);
    epoch = Math.max(epoch, entry.epoch);
  }
  return check(
    "I13",
    "One leader per epoch, nothing of an older one after it",
    nonces.size,
    count(nonces.size, "epoch"),
    problems,
  );
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
  const full = strikes.filter(({ kind, hit }) => kind === "disk" && hit.length > 0);
  // A master that finds no room when it starts says so and ends, as it should.
  const foundNoRoom = ({ role, readyAt, startedAt, endedAt }: Life) =>
    role === "master" &&
    readyAt === null &&
    full.some((strike) => startedAt <= (strike.endedAt ?? startedAt) && strike.startedAt <= (endedAt ?? startedAt));
  const problems = lives
    .filter((life) => life.cause === "itself" && !foundNoRoom(life))
    .map((life) => `${life.process} (life ${life.number}) ended by itself: ${life.exit}.`);
  const killed = lives.filter((life) => life.cause === "killed").length;
  return check(
    "",
    "No process died but by our hand",
    lives.length,
    `${grouped(lives.length)} lives, ${grouped(killed)} ended by SIGKILL`,
    problems,
  );
}

/** A storm that did not fall proves nothing. */
function allBlowsFell({ strikes, failedBlows }: Evidence): Check {
  const fell = strikes.filter(({ hit }) => hit.length > 0).length;
  const words = `${count(fell, "fault")}; ${grouped(strikes.length - fell)} found nobody to hit`;
  return check("", "Every fault fell as planned", strikes.length, words, failedBlows);
}
