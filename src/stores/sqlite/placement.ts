/** Where a database file may stand: on a disk of this machine, in a folder that can be written. */
import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync, statfsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { StoreRefused, StoreUnavailable } from "../../ports/store.ts";

/**
 * Numbers that Linux's statfs(2) gives for file systems whose locks, shared memory or fsync cannot be relied on by several
 * processes. Two masters on such a file could both believe that a slot is theirs. See https://sqlite.org/wal.html, section 1.
 */
const refusedFileSystems = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB"],
  [0xff534d42, "CIFS"],
  [0x564c, "NCP"],
  [0x01021997, "9p"],
  [0x65735546, "FUSE"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x786f4256, "a VirtualBox shared folder"],
  [0xbacbacbc, "a VMware shared folder"],
]);

/** The name of the file system if a store may not stand on it; null if it may. */
export function refusedFileSystem(type: number): string | null {
  // Node gives the number signed on some machines.
  return refusedFileSystems.get(type >>> 0) ?? null;
}

/** Checks the place, and makes the folder and an empty file that only its owner can read. @throws StoreRefused */
export function prepare(path: string): void {
  const folder = dirname(path);
  try {
    makeFolder(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new StoreRefused(
      `The folder ${folder} cannot be written (${messageOf(error)}).`,
      "Give another folder, or make this one writable for the user that runs the master.",
      { cause: error },
    );
  }
  const name = process.platform === "linux" ? refusedFileSystem(statfsSync(folder).type) : null;
  if (name !== null) {
    throw new StoreRefused(
      `${folder} is on ${name}, where SQLite's locks and syncs cannot be relied on: two masters could overwrite each other.`,
      "Put the store on a local disk.",
    );
  }
  try {
    // Only a file that is not there yet is opened here: closing an existing one would drop the locks that this process holds on it.
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== "EEXIST") throw unusable(path, error);
  }
  try {
    if (!statSync(path).isFile()) throw new Error("it is not a file");
    accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Not mkdir's own `recursive`: where nothing can be made, as in /proc, Node's loops for ever. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another master may have made it just now.
    if (!existsSync(folder)) throw error;
  }
}

/** Sees whether the names of an open database still lead to its files. SQLite goes on with files that were removed or replaced. */
export class Place {
  readonly #path: string;
  readonly #files: readonly string[];

  /** Once the write-ahead log is there; as long as somebody has it open, SQLite keeps it. */
  constructor(path: string) {
    this.#path = path;
    this.#files = this.#look();
  }

  /** After a commit: what is behind no name is gone with the last process that has it open. @throws StoreUnavailable */
  check(): void {
    const now = this.#look();
    if (this.#files.every((file, index) => file === now[index])) return;
    throw new StoreUnavailable(
      "io",
      `${this.#path}, or the write-ahead log beside it, was moved, removed or replaced while it was open. Nothing is committed until it is back; before another one takes its place, stop all masters.`,
    );
  }

  #look(): string[] {
    return [this.#path, `${this.#path}-wal`].map((path) => {
      const found = statSync(path, { throwIfNoEntry: false });
      return found === undefined ? "" : `${found.dev}/${found.ino}`;
    });
  }
}

function unusable(path: string, error: unknown): StoreRefused {
  return new StoreRefused(
    `${path} cannot be used (${messageOf(error)}).`,
    "Give another file, or make this one writable for the user that runs the master.",
    { cause: error },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
