/** `outlast restored`: makes workers accept a store that was restored from a backup. */
import { stat } from "node:fs/promises";
import type { Command } from "commander";
import type { Incarnation } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { Store } from "../../ports/store.ts";
import { action, type Context } from "../context.ts";
import { LocalFailure } from "../failure.ts";
import { findExistingStore, type StoreFlags, sqlitePath, storeOf } from "../openStore.ts";
import { dataOption, storeOption } from "../serverOptions.ts";

export function restoredCommand(program: Command): void {
  program.command("restored").addOption(storeOption()).addOption(dataOption()).action(action(restored));
}

async function restored(context: Context, flags: StoreFlags): Promise<undefined> {
  const { output, signal } = context;
  const { SystemIds } = await import("../../node/ids.ts");
  const ids = new SystemIds();
  const store = await findExistingStore(flags, ids);
  await refuseOtherLog(storeOf(flags));
  const before = await store.open();
  try {
    if ((await store.readTail()) === null)
      throw new LocalFailure(`No master has ever led ${before.name}.`, "Put the backup in its place first.");
    await refuseLiving(store, signal);
    const incarnation = ids.random() as Incarnation;
    await store.setIncarnation(incarnation);
    if (output.isJson) output.document({ store: before.name, before: before.incarnation, incarnation });
    else output.line(`${before.name} is marked as restored. Start the masters; workers accept it when they attach.`);
  } finally {
    await store.close();
  }
}

/**
 * A killed master leaves its write-ahead log beside the file. SQLite cannot tell that a backup took that file's place: it would
 * lay the log over it, which damages the backup or brings back the store from before. To open it is enough for that.
 */
async function refuseOtherLog(store: string): Promise<void> {
  if (!store.startsWith("sqlite:")) return;
  const path = sqlitePath(store);
  const log = await stat(`${path}-wal`).catch(() => null);
  if (log === null || log.size === 0) return;
  throw new LocalFailure(
    `There is a write-ahead log beside the store, ${path}-wal: of a master that runs or was killed.`,
    `Stop all masters. If only ${path} was put in place, remove ${path}-wal and ${path}-shm. If the log is part of the backup: sqlite3 ${path} "PRAGMA wal_checkpoint(TRUNCATE)"`,
  );
}

/** A master that runs would keep the old incarnation until it ends. */
async function refuseLiving(store: Store, signal: AbortSignal): Promise<void> {
  const { setTimeout } = await import("node:timers/promises");
  const beats = new Map((await store.readMembers()).map(({ nonce, beat }) => [nonce, beat]));
  await setTimeout(2 * defaults.memberRenewMs, undefined, { signal });
  const living = (await store.readMembers()).filter(({ nonce, beat }) => beats.get(nonce) !== beat);
  if (living.length === 0) return;
  const names = living.map(({ name, address }) => `${name} (${address})`).join(", ");
  throw new LocalFailure(`A master runs on this store: ${names}.`, "Stop all masters first.");
}
