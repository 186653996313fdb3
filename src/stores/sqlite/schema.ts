/** The layout of the tables, and the ordered steps that bring an older file up to it. */
import type { DatabaseSync } from "node:sqlite";
import { StoreRefused } from "../../ports/store.ts";
import { transact, turn } from "./connection.ts";
import { toFourthLayout } from "./fourthLayout.ts";
import { prepareThirdLayout, toThirdLayout } from "./thirdLayout.ts";

/** "OUTL": tells our files from other SQLite databases, also to `file(1)`. */
export const applicationId = 0x4f55544c;

export interface Migration {
  /** 1, 2, 3 … without gaps. A step that was released is never changed; a change is a new step. */
  readonly version: number;
  /**
   * True for a step that an older master could not live with: only a leader takes it, once its marker is in the journal.
   * False for one that is taken by whoever opens the file.
   */
  readonly isLeaders: boolean;
  /** The step itself, in one transaction. */
  run(database: DatabaseSync): void;
  /** Does some of the work ahead, in a transaction of its own that holds others up only briefly. @returns false when nothing is left */
  prepare?(database: DatabaseSync): boolean;
}

/*
 * docs/decisions/0004-sqlite-layout.md says why it is like this. In short: `ord` counts tasks in the order of their creation;
 * `tasks` holds what changes and `specs` what does not, so that a transition never rewrites an input.
 */
const firstLayout = `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    at INTEGER NOT NULL,
    format INTEGER NOT NULL,
    previous_crc INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    -- The highest ord that was given away up to this entry.
    ord_max INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;

  CREATE TABLE tasks (
    ord INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    queue TEXT NOT NULL,
    state TEXT NOT NULL,
    host TEXT,
    -- Of the entry that wrote this status.
    seq INTEGER NOT NULL,
    status TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX tasks_by_id ON tasks (id);
  CREATE INDEX tasks_by_state ON tasks (state, queue);
  -- Most tasks are named like their id, and cost nothing here.
  CREATE INDEX tasks_by_name ON tasks (name) WHERE name <> id;

  CREATE TABLE specs (ord INTEGER PRIMARY KEY, fingerprint TEXT, spec TEXT NOT NULL) STRICT;

  CREATE TABLE counts (state TEXT NOT NULL, queue TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (state, queue))
    STRICT, WITHOUT ROWID;

  -- Until layout 3.
  CREATE TABLE workers (id TEXT PRIMARY KEY, worker TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE queues (name TEXT PRIMARY KEY, queue TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE logs (
    ord INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    byte_offset INTEGER NOT NULL,
    at INTEGER NOT NULL,
    is_truncated INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX logs_by_place ON logs (ord, attempt, byte_offset);
  -- Tasks that are gone while pieces of their logs are still to be removed.
  CREATE TABLE forgotten (ord INTEGER PRIMARY KEY) STRICT;

  CREATE TABLE lease (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    beat INTEGER NOT NULL,
    address TEXT NOT NULL,
    is_resigned INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE members (nonce TEXT PRIMARY KEY, member TEXT NOT NULL) STRICT, WITHOUT ROWID;

  PRAGMA application_id = ${applicationId};
`;

export const migrations: readonly Migration[] = [
  {
    version: 1,
    isLeaders: false,
    run: (database) => database.exec(firstLayout),
  },
  {
    version: 2,
    isLeaders: false,
    run: (database) => database.exec("ALTER TABLE lease ADD COLUMN ttl_ms INTEGER NOT NULL DEFAULT 0"),
  },
  { version: 3, isLeaders: true, run: toThirdLayout, prepare: prepareThirdLayout },
  { version: 4, isLeaders: true, run: toFourthLayout },
];

/** The last layout that this version knows, and works on. */
export const currentLayout = migrations.at(-1)?.version ?? 0;

/** What the file has to be for anything but reading and a marker. */
export function isCurrent(database: DatabaseSync, path: string): boolean {
  return versionOf(database, path) === currentLayout;
}

/**
 * For whoever opens the file. A new file gets every step, an older one only those that need no leader; each in a transaction of
 * its own, so that a crash leaves it at one version or the next.
 * @throws StoreRefused for a newer version, and for a database that is not Outlast's
 */
export function migrateOnOpen(database: DatabaseSync, path: string, steps: readonly Migration[] = migrations): void {
  const known = steps.at(-1)?.version ?? 0;
  const found = versionOf(database, path);
  if (found > known) {
    throw new StoreRefused(
      `${path} was written by a newer version of Outlast (layout ${found}; this one knows layouts up to ${known}).`,
      "Run the newer version, or restore a backup from before the upgrade.",
    );
  }
  if (found === 0) {
    // In one transaction: no other process ever finds a new file that has only the first steps.
    transact(database, () => {
      if (versionOf(database, path) === 0) for (const step of steps) take(database, step);
    });
    return;
  }
  for (const step of steps) {
    if (step.version <= found) continue;
    if (step.isLeaders) return;
    transact(database, () => {
      // Another process may have taken the step since we looked.
      if (versionOf(database, path) < step.version) take(database, step);
    });
  }
}

/**
 * For a leader, whose marker is the last entry of the journal as long as `isLeader` says so. Between the transactions others get
 * their turn. @returns false if it no longer led
 */
export async function migrateAsLeader(
  database: DatabaseSync,
  path: string,
  isLeader: () => boolean,
  steps: readonly Migration[] = migrations,
): Promise<boolean> {
  for (const step of steps) {
    if (step.version <= versionOf(database, path)) continue;
    for (let isMore = true; isMore; await turn()) {
      const outcome = transact(database, () => (isLeader() ? (step.prepare?.(database) ?? false) : null));
      if (outcome === null) return false;
      isMore = outcome;
    }
    const isTaken = transact(database, () => {
      if (!isLeader()) return false;
      if (versionOf(database, path) < step.version) take(database, step);
      return true;
    });
    if (!isTaken) return false;
  }
  return isLeader();
}

function take(database: DatabaseSync, step: Migration): void {
  step.run(database);
  database.prepare("INSERT OR REPLACE INTO meta VALUES ('schema', ?)").run(String(step.version));
}

/** The layout a file has; 0 for an empty one. @throws StoreRefused for a database that is not Outlast's */
export function versionOf(database: DatabaseSync, path: string): number {
  const { tables } = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get() ?? {};
  if (tables === 0) return 0;
  const { application_id: id } = database.prepare("PRAGMA application_id").get() ?? {};
  const version =
    id === applicationId ? database.prepare("SELECT value FROM meta WHERE key = 'schema'").get() : undefined;
  if (version === undefined) {
    throw new StoreRefused(
      `${path} is a SQLite database, but not one of Outlast's.`,
      "Give another file; this one was left as it is.",
    );
  }
  return Number(version["value"]);
}
