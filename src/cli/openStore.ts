/** The one place where the commands find their store. A driver is loaded only when its scheme is asked for. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { defaults } from "../model/limits.ts";
import type { Ids } from "../ports/ids.ts";
import { type Store, StoreRefused } from "../ports/store.ts";
import { LocalFailure, UsageError } from "./failure.ts";
import { makeDirectory } from "./makeDirectory.ts";

export interface StoreFlags {
  /** `sqlite:FILE`, `memory:` or `mongodb://…`; the file in `data` if left out. */
  readonly store?: string;
  readonly data: string;
}

/** The store that the flags name, not yet open. @throws UsageError for one that cannot be */
export async function findStore(flags: StoreFlags, ids: Pick<Ids, "random">): Promise<Store> {
  const text = storeOf(flags);
  const scheme = /^[^:]*/.exec(text)?.[0] ?? "";
  switch (scheme) {
    case "memory": {
      const { MemoryStore } = await import("../stores/memory/store.ts");
      return new MemoryStore({ ids });
    }
    case "sqlite": {
      const { ThreadedSqliteStore } = await import("../stores/sqlite/threadedStore.ts");
      if (flags.store === undefined) await makeDirectory(flags.data);
      return new ThreadedSqliteStore({ path: sqlitePath(text), ids });
    }
    case "mongodb":
    case "mongodb+srv": {
      const { MongodbStore } = await import("../stores/mongodb/store.ts");
      return asUsage(async () => new MongodbStore({ uri: await mongodbUri(text), ids }));
    }
    default:
      throw new UsageError(
        `Unknown kind of store "${scheme}".`,
        "Use sqlite:FILE, mongodb://HOST/DATABASE, or memory: (lost when the master stops).",
      );
  }
}

/** The same for a command that looks into a store or changes it: it makes none. @throws LocalFailure if there is none */
export async function findExistingStore(flags: StoreFlags, ids: Pick<Ids, "random">): Promise<Store> {
  const store = storeOf(flags);
  if (store.startsWith("sqlite:")) checkFile(sqlitePath(store));
  return findStore({ ...flags, store }, ids);
}

/** What `--store` says, or the file in `--data`. */
export const storeOf = ({ store, data }: StoreFlags) => store ?? `sqlite:${join(data, defaults.storeFile)}`;

/** A file that is not there would be made, empty. @throws LocalFailure */
export function checkFile(path: string): void {
  if (existsSync(path)) return;
  throw new LocalFailure(
    `There is no file ${resolve(path)}.`,
    "Name the file of the store, such as sqlite:outlast-data/outlast.db.",
  );
}

/** The file of `sqlite:FILE`. @throws UsageError if none is named */
export function sqlitePath(text: string): string {
  const path = text.replace(/^sqlite:/, "").replace(/^\/\//, "");
  if (path === "") throw new UsageError("--store sqlite: needs a file, such as sqlite:outlast-data/outlast.db.");
  return path;
}

/** The address with the credentials of the environment in it, where they are not in the address: a process list shows that one. */
export async function mongodbUri(text: string): Promise<string> {
  const { OUTLAST_STORE_USERNAME: username, OUTLAST_STORE_PASSWORD: password } = process.env;
  if (username === undefined && password === undefined) return text;
  if (username === undefined || password === undefined) {
    throw new UsageError("Set both OUTLAST_STORE_USERNAME and OUTLAST_STORE_PASSWORD; one of them is missing.");
  }
  const { withCredentials } = await import("../stores/mongodb/address.ts");
  return asUsage(() => withCredentials(text, username, password));
}

/** An address that cannot be is the caller's mistake, before anything was opened. */
async function asUsage<Result>(work: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreRefused) throw new UsageError(error.message, error.hint);
    throw error;
  }
}
