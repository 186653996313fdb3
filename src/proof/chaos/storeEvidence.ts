/** Reads what only the machine of a run can tell once it is over: the journal itself, the store's own verdict, what waits in outboxes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readWrites } from "../../model/entryWrites.ts";
import { attemptKey } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { SystemIds } from "../../node/ids.ts";
import type { Store } from "../../ports/store.ts";
import { MongodbStore } from "../../stores/mongodb/store.ts";
import { SqliteStore } from "../../stores/sqlite/store.ts";
import { decodeRecords } from "../../worker/outbox/outboxFile.ts";
import type { JournalEntry } from "./evidence.ts";

/** Of the stores that can be examined. */
interface ExaminedStore extends Store {
  verify(): Promise<readonly { readonly message: string }[]>;
}

/** Every entry there is, and what the store's own examination finds wrong. No master may be running. */
export async function readStore(store: ExaminedStore): Promise<{ entries: JournalEntry[]; findings: string[] }> {
  await store.open();
  try {
    const entries: JournalEntry[] = [];
    for (let seq = 1; ; ) {
      const page = await store.readEntries(seq, limits.entriesPerReadMax);
      for (const entry of page) entries.push({ ...entry, writes: readWrites(entry) });
      const last = page.at(-1);
      if (last === undefined) break;
      seq = last.seq + 1;
    }
    const findings = (await store.verify()).map(({ message }) => `The store says: ${message}`);
    return { entries, findings };
  } finally {
    await store.close();
  }
}

/** The store of a run that is over: a file, or a database. */
export function storeOf(file: string, address: string | null): ExaminedStore {
  const ids = new SystemIds();
  return address === null ? new SqliteStore({ path: file, ids }) : new MongodbStore({ uri: address, ids });
}

/** Results that wait in the outbox in this worker's folder. */
export function countOutbox(workerData: string): number {
  const path = join(workerData, "outbox", "results");
  if (!existsSync(path)) return 0;
  const waiting = new Set<string>();
  for (const record of decodeRecords(readFileSync(path)).records) {
    const attempts = record.kind === "put" ? record.results : record.attempts;
    for (const { task, attempt } of attempts) {
      if (record.kind === "put") waiting.add(attemptKey(task, attempt));
      else waiting.delete(attemptKey(task, attempt));
    }
  }
  return waiting.size;
}
