/** Checks a whole database file, for `outlast doctor`: its pages, its journal, and its rows against its journal. */
import { existsSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Entry } from "../../model/entry.ts";
import { entryCrc } from "../../model/entryCrc.ts";
import { readWrites } from "../../model/entryWrites.ts";
import { limits } from "../../model/limits.ts";
import { isFinal, taskStates } from "../../model/task.ts";
import { StoreUnavailable } from "../../ports/store.ts";
import { connectToRead, toStoreError, turn } from "./connection.ts";
import { Fold, recordKey, textSum } from "./fold.ts";
import { brokenLink, toEntry } from "./journal.ts";
import { adviceOnLog, findLogDamage } from "./logDamage.ts";
import { applicationId, isCurrent } from "./schema.ts";

export interface Finding {
  /** `file`: SQLite's own structure. `journal`: an entry or the chain. `view`: rows that differ from the journal. */
  readonly part: "file" | "journal" | "view";
  /** A sentence for the operator. */
  readonly message: string;
  /** What to do about it, where that is something else than with a file that is damaged. */
  readonly advice?: string;
}

type Report = (part: Finding["part"], message: string) => void;

const cannotRead = "It need not be damaged. See that its disk is there, has room and can be written, and check again.";

/** Everything that is wrong with a file, at most `limits.storeFindingsMax` of it; nothing if all is well. Changes nothing. */
export async function verifyFile(path: string): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const report: Report = (part, message) => {
    if (findings.length < limits.storeFindingsMax) findings.push({ part, message });
  };
  if (!existsSync(path)) return [{ part: "file", message: `There is no file ${path}.` }];
  // To read it would be enough for SQLite to forget what its log had.
  const damage = await findLogDamage(path);
  if (damage !== null) return [{ part: "file", message: damage, advice: adviceOnLog(path) }];
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
      if (fold !== null) await checkView(database, path, fold, report);
    }
  } catch (error) {
    const told = toStoreError(path, error);
    if (told instanceof StoreUnavailable) return [{ part: "file", message: told.message, advice: cannotRead }];
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
    else if (isWhole) fold.apply(entry.seq, readWrites(entry));
    previous = entry;
    await turn();
  }
  return isWhole ? { fold, firstSeq } : null;
}

async function checkView(database: DatabaseSync, path: string, folded: Folded, report: Report): Promise<void> {
  const isCurrentLayout = isCurrent(database, path);
  await checkTasks(database, folded, report);
  if (isCurrentLayout) checkEnds(database, report);
  await checkRecords(database, isCurrentLayout, folded, report);
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

/** The column that retention goes by. */
function checkEnds(database: DatabaseSync, report: Report): void {
  const finalStates = taskStates.filter(isFinal).map((state) => `'${state}'`);
  const rows = database.prepare(
    `SELECT id FROM tasks WHERE json_valid(status) AND ended_at IS NOT
       CASE WHEN state IN (${finalStates.join()}) AND id NOT GLOB '*~[0-9a-f]*'
         THEN json_extract(status, '$.changedAt') END`,
  );
  for (const row of rows.iterate())
    report("view", `The task ${String(row["id"])} has the column ended_at unlike its record.`);
}

const recordRows = `
  SELECT collection, id, seq, value FROM records
  UNION ALL
  SELECT collection, tasks.id || '/' || key, task_records.seq, value FROM task_records JOIN tasks USING (ord)`;
const recordRowsOfSecondLayout = `
  SELECT 'workers' AS collection, id, 0 AS seq, worker AS value FROM workers
  UNION ALL
  SELECT 'queues', name, 0, queue FROM queues`;

async function checkRecords(
  database: DatabaseSync,
  isCurrentLayout: boolean,
  { fold, firstSeq }: Folded,
  report: Report,
): Promise<void> {
  const seen = new Set<string>();
  for (const row of database.prepare(isCurrentLayout ? recordRows : recordRowsOfSecondLayout).iterate()) {
    const key = recordKey(String(row["collection"]), String(row["id"]));
    seen.add(key);
    const record = parsed(row["value"]);
    const sum = fold.records.get(key);
    const isUnexplained = sum === undefined && (firstSeq === 1 || Number(row["seq"]) >= firstSeq);
    if (record === null) report("view", `The record ${key} is not readable.`);
    else if (sum === null || isUnexplained) report("view", `The record ${key} is there, but not in the journal.`);
    else if (sum !== undefined && textSum(record) !== sum)
      report("view", `The record ${key} has another value than in the journal.`);
    if (seen.size % limits.storeStepRowsMax === 0) await turn();
  }
  for (const [key, sum] of fold.records) {
    if (sum !== null && !seen.has(key)) report("view", `The record ${key} is in the journal but has no row.`);
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
