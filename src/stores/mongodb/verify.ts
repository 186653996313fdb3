/** Checks a whole store: the chain of the journal, and the view against what the journal says. Changes nothing. */
import { entryCrc } from "../../model/entryCrc.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { type Entry, StoreRefused } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";
import { addCounts, decodeDerived } from "./derived.ts";
import { JournalCollection } from "./journal.ts";
import { isGone, isWhole, Overlay, toOutgoing, toStep } from "./overlay.ts";
import { decodeTask, overlaid, toKey, toTaskId } from "./taskDocument.ts";

/** Everything that is wrong, as sentences, at most `limits.storeFindingsMax`; nothing if all is well. No master should be writing. */
export async function verifyStore(connection: Connection): Promise<string[]> {
  const findings: string[] = [];
  const report = (message: string): void => {
    if (findings.length < limits.storeFindingsMax) findings.push(message);
  };
  try {
    await verify(connection, report);
  } catch (error) {
    if (!(error instanceof StoreRefused)) throw error;
    report(error.message);
  }
  return findings;
}

async function verify(connection: Connection, report: (message: string) => void): Promise<void> {
  const note = await connection.meta.findOne({ _id: "view" });
  const viewSeq = Number(note?.["seq"] ?? 0);
  let counts = decodeDerived(viewSeq, note?.["derived"], note?.["derivedCrc"]).counts;
  const journal = new JournalCollection(connection);
  const overlay = new Overlay();
  let previous: Entry | null = null;
  for (let seq = 1; ; ) {
    const entries = await journal.read(seq, limits.entriesPerReadMax);
    for (const { entry, derived } of entries) {
      if (previous !== null && (entry.seq !== previous.seq + 1 || entry.previousCrc !== previous.crc))
        report(`The chain is broken: entry ${entry.seq} does not continue entry ${previous.seq}.`);
      if (previous !== null && entry.epoch < previous.epoch)
        report(`Entry ${entry.seq} is of epoch ${entry.epoch}, after one of epoch ${previous.epoch}.`);
      if (entryCrc(entry) !== entry.crc) report(`Entry ${entry.seq} does not match its checksum.`);
      overlay.apply(toStep(toOutgoing(entry), derived));
      if (entry.seq > viewSeq) counts = addCounts(counts, derived.counts);
      previous = entry;
    }
    const last = entries.at(-1);
    if (last === undefined) break;
    seq = last.entry.seq + 1;
  }
  if (previous !== null && previous.seq < viewSeq)
    report(`The view claims entry ${viewSeq}, and the journal ends with entry ${previous.seq}.`);
  await verifyTasks(connection, overlay, viewSeq, counts, report);
}

async function verifyTasks(
  connection: Connection,
  overlay: Overlay,
  viewSeq: number,
  expected: { readonly [key: string]: number },
  report: (message: string) => void,
): Promise<void> {
  const seen = new Set<TaskId>();
  let counts: { readonly [key: string]: number } = {};
  for await (const document of connection.tasks.find({ outlast: { $exists: true } })) {
    const id = toTaskId(document._id);
    seen.add(id);
    const pending = overlay.tasks.get(id);
    try {
      const stored = decodeTask(document);
      const row = overlaid(id, pending, document);
      if (row !== null) counts = addCounts(counts, { [`${row.state} ${row.queue}`]: 1 });
      if (pending === undefined || pending.seq > viewSeq) continue;
      if (isGone(pending)) {
        if (stored !== null) report(`The task ${id} is there although it was forgotten.`);
      } else if (stored === null)
        report(`The task ${id} is in the journal, and its document is a note of a forgotten one.`);
      else if (pending.status !== null && stored.statusText !== pending.statusText)
        report(`The task ${id} has another status than in the journal.`);
    } catch (error) {
      if (!(error instanceof StoreRefused)) throw error;
      report(error.message);
    }
  }
  for (const [id, task] of overlay.tasks) {
    if (seen.has(id) || isGone(task)) continue;
    if (task.seq <= viewSeq)
      report(`The task ${id} is in the journal but has no document (${String(toKey(id, connection))}).`);
    else if (isWhole(task)) counts = addCounts(counts, { [`${task.status.state} ${task.spec.queue}`]: 1 });
  }
  for (const key of new Set([...Object.keys(counts), ...Object.keys(expected)])) {
    const difference = (counts[key] ?? 0) - (expected[key] ?? 0);
    if (difference !== 0)
      report(`The count of tasks that are ${key.replace(" ", " in queue ")} is off by ${difference}.`);
  }
}
