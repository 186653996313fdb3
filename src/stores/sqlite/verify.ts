/** Checks a whole database file, for `outlast doctor`: its pages, its journal, and its rows against its journal. */
import { existsSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Entry, Write } from "../../model/entry.ts";
import { entryCrc } from "../../model/entryCrc.ts";
import { limits } from "../../model/limits.ts";
import { connectToRead, toStoreError, turn } from "./connection.ts";
import { Fold, textSum } from "./fold.ts";
import { brokenLink, toEntry } from "./journal.ts";
import { applicationId } from "./schema.ts";

export interface Finding {
  /** `file`: SQLite's own structure. `journal`: an entry or the chain. `view`: rows that differ from the journal. */
  readonly part: "file" | "journal" | "view";
  /** A sentence for the operator. */
  readonly message: string;
}

type Report = (part: Finding["part"], message: string) => void;

/** Everything that is wrong with a file, at most `limits.storeFindingsMax` of it; nothing if all is well. Changes nothing. */
export async function verifyFile(path: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const report: Report = (part, message) => {
    if (findings.length < limits.storeFindingsMax) findings.push({ part, message });
  };
  if (!existsSync(path)) return [{ part: "file", message: `There is no file ${path}.` }];
  let database: DatabaseSync | null = null;
  try {
    database = connectToRead(path);
    // One instant for all that follows: a master may be at work on the file.
    database.exec("BEGIN");
    checkPages(database, report);
    const { application_id: id } = database.prepare("PRAGMA application_id").get() ?? {};
    if (id !== applicationId) report("file", `${path} is not a store of Outlast's.`);
    else {
      const fold = await checkJournal(database, report);
      if (fold !== null) await checkView(database, fold, report);
    }
  } catch (error) {
    const told = toStoreError(path, error);
    report("file", told instanceof Error ? told.message : String(told));
  } finally {
    database?.close();
  }
  return findings;
}

function checkPages(database: DatabaseSync, report: Report): void {
  for (const row of database.prepare(`PRAGMA integrity_check(${limits.storeFindingsMax})`).all()) {
    const said = String(row["integrity_check"]);
    if (said !== "ok") report("file", `SQLite says: ${said}`);
  }
}

/** Where the fold began, besides what it folded. */
interface Folded {
  readonly fold: Fold;
  /** 1 where nothing has been compacted; then what the journal does not know must not be in the view. */
  readonly firstSeq: number;
}

/** Null where the journal is not whole, so that nothing can be said about the view. */
async function checkJournal(database: DatabaseSync, report: Report): Promise<Folded | null> {
  const fold = new Fold();
  let previous: Entry | null = null;
  let firstSeq = 1;
  let isWhole = true;
  const broken = (message: string) => {
    report("journal", message);
    isWhole = false;
  };
  for (const row of database.prepare("SELECT * FROM journal ORDER BY seq").iterate()) {
    const entry = toEntry(row);
    if (previous === null) firstSeq = entry.seq;
    const link: string | null = previous === null ? null : brokenLink(previous, entry);
    if (link !== null) broken(`The chain is broken: ${link}`);
    if (entry.seq === 1 && entry.previousCrc !== 0) broken("The first entry claims to continue another one.");
    if (entryCrc(entry) !== entry.crc) broken(`Entry ${entry.seq} does not match its checksum.`);
    else if (isWhole) fold.apply(entry.seq, JSON.parse(entry.body) as Write[]);
    previous = entry;
    await turn();
  }
  return isWhole ? { fold, firstSeq } : null;
}

async function checkView(database: DatabaseSync, folded: Folded, report: Report): Promise<void> {
  await checkTasks(database, folded, report);
  checkRecords(
    database.prepare("SELECT id, worker AS record FROM workers"),
    folded.fold.workers,
    folded.firstSeq,
    "worker",
    report,
  );
  checkRecords(
    database.prepare("SELECT name AS id, queue AS record FROM queues"),
    folded.fold.queues,
    folded.firstSeq,
    "queue",
    report,
  );
  const wrongCounts = database.prepare(
    `SELECT state, queue, sum(count) AS difference
     FROM (SELECT state, queue, count FROM counts UNION ALL SELECT state, queue, -count(*) FROM tasks GROUP BY state, queue)
     GROUP BY state, queue HAVING difference <> 0`,
  );
  for (const row of wrongCounts.iterate()) {
    report(
      "view",
      `The count of tasks that are ${String(row["state"])} in queue ${String(row["queue"])} is off by ${String(row["difference"])}.`,
    );
  }
}

async function checkTasks(database: DatabaseSync, { fold, firstSeq }: Folded, report: Report): Promise<void> {
  const rows = database.prepare(
    "SELECT tasks.*, spec, fingerprint FROM tasks LEFT JOIN specs USING (ord) ORDER BY ord",
  );
  const seen = new Set<string>();
  for (const row of rows.iterate()) {
    const id = String(row["id"]);
    seen.add(id);
    const expected = fold.tasks.get(id);
    if (expected === null) report("view", `The task ${id} is there although it was forgotten.`);
    else if (expected === undefined) {
      if (Number(row["seq"]) >= firstSeq)
        report("view", `The task ${id} is there although no entry of the journal wrote it.`);
    } else if (expected.status !== null && expected.seq !== row["seq"]) {
      report(
        "view",
        `The task ${id} is as of entry ${String(row["seq"])}, but the journal's last word on it is entry ${expected.seq}.`,
      );
    }
    const difference = rowDifference(row, expected ?? null);
    if (difference !== null) report("view", `The task ${id} ${difference}.`);
    if (seen.size % limits.storeStepRowsMax === 0) await turn();
  }
  for (const [id, expected] of fold.tasks) {
    if (expected !== null && !seen.has(id)) report("view", `The task ${id} is in the journal but has no row.`);
  }
}

/** How a row contradicts the journal or itself; null if it does not. */
function rowDifference(
  row: { [column: string]: unknown },
  expected: { spec: number | null; status: number | null } | null,
): string | null {
  const spec = parsed(row["spec"]);
  const status = parsed(row["status"]);
  if (spec === null) return "has no readable spec";
  if (status === null) return "has no readable status";
  if (expected !== null && expected.spec !== null && textSum(spec) !== expected.spec)
    return "has another spec than in the journal";
  if (expected !== null && expected.status !== null && textSum(status) !== expected.status)
    return "has another status than in the journal";
  const copies = {
    id: spec["id"],
    name: spec["name"],
    queue: spec["queue"],
    fingerprint: spec["fingerprint"],
    state: status["state"],
    host: status["host"] ?? null,
  };
  const wrong = Object.entries(copies).find(([column, value]) => row[column] !== value);
  return wrong === undefined ? null : `has the column ${wrong[0]} unlike its record`;
}

function checkRecords(
  rows: StatementSync,
  expected: ReadonlyMap<string, number | null>,
  firstSeq: number,
  what: string,
  report: Report,
): void {
  const seen = new Set<string>();
  for (const row of rows.iterate()) {
    const id = String(row["id"]);
    seen.add(id);
    const record = parsed(row["record"]);
    const sum = expected.get(id);
    if (record === null) report("view", `The ${what} ${id} has no readable record.`);
    else if (sum === null || (sum === undefined && firstSeq === 1))
      report("view", `The ${what} ${id} is there, but not in the journal.`);
    else if (sum !== undefined && textSum(record) !== sum)
      report("view", `The ${what} ${id} has another record than in the journal.`);
  }
  for (const [id, sum] of expected) {
    if (sum !== null && !seen.has(id)) report("view", `The ${what} ${id} is in the journal but has no row.`);
  }
}

function parsed(text: unknown): { readonly [key: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(String(text));
    return value !== null && typeof value === "object" ? (value as { [key: string]: unknown }) : null;
  } catch {
    return null;
  }
}
