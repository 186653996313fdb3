/** I40, as far as compaction goes: what a living master still has to read is kept. */
import { checker } from "./checker.ts";
import { eventsOf } from "./reading.ts";
import { troubledMs, troublesOf } from "./troubles.ts";

/** A master whose note is younger than this is alive for all others; their notes are a second apart, their clocks may drift. */
const alivenessMs = 8_000;
/** A leader reads the others' notes once a second. */
const knownMsMin = 3_000;
/** A leader that was itself in trouble may have missed the others' notes. */
const clockGapMs = 12_000;

export const journalKept = checker("I40", "nothing goes that a living master has to read", (history, report) => {
  for (const { life, node, at, firstSeq, notes } of eventsOf(history, "compacted")) {
    // What it needs next is the entry behind the last one that it has.
    const overtaken = notes.find(
      ({ seq, ageMs, knownMs }) => ageMs < alivenessMs && knownMs > knownMsMin && seq + 1 < firstSeq,
    );
    if (overtaken === undefined) continue;
    if (troubledMs(history, { from: at - clockGapMs, to: at }, troublesOf(history, node)) > 0) continue;
    const { name, seq, ageMs } = overtaken;
    report(
      `${life} left nothing before entry ${firstSeq}, when ${name} had said ${ageMs} ms ago that it had come to ${seq}`,
      name,
    );
  }
});
