/** `outlast move`: takes everything from a SQLite store into MongoDB, while no master runs. */

import type { Command } from "commander";
import { counted } from "../../model/counted.ts";
import { action, type Context } from "../context.ts";
import { LocalFailure, UsageError } from "../failure.ts";
import { checkFile, mongodbUri, sqlitePath } from "../openStore.ts";
import { isMongodb } from "../storeAddress.ts";

interface Flags {
  readonly from: string;
  readonly to: string;
}

/** A leader renews its lease several times in this time, whatever its profile. */
const watchMs = 3_000;

export function moveCommand(program: Command): void {
  program
    .command("move")
    .requiredOption("--from <store>", "sqlite:FILE; it is read only, and left as it is")
    .requiredOption(
      "--to <store>",
      "mongodb://HOST/DATABASE, which must be empty, or hold what an earlier try has moved",
    )
    .action(action(move));
}

async function move(context: Context, { from, to }: Flags): Promise<undefined> {
  if (!from.startsWith("sqlite:")) throw new UsageError("--from takes sqlite:FILE.");
  if (!isMongodb(to)) throw new UsageError("--to takes mongodb://HOST/DATABASE.");
  const path = sqlitePath(from);
  checkFile(path);
  await refuseLiving(path);
  const { openDump } = await import("../../stores/sqlite/dump.ts");
  const { takeOver } = await import("../../stores/mongodb/takeOver.ts");
  const dump = await openDump(path);
  try {
    const moved = await takeOver(dump, await mongodbUri(to));
    const { output } = context;
    if (output.isJson) output.document(moved);
    else {
      output.line(
        `moved ${counted(moved.tasks, "task")}, ${counted(moved.entries, "entry", "entries")}, ${counted(moved.records, "record")}, ${counted(moved.logs, "piece")} of output`,
      );
      output.note(
        `Counts and checksums agree. Start the masters with --store on the new one, and never again on ${path}.`,
      );
    }
  } finally {
    dump.close();
  }
}

/** A master that leads shows in a lease that changes. @throws LocalFailure */
async function refuseLiving(path: string): Promise<void> {
  const { setTimeout } = await import("node:timers/promises");
  const before = await leaseOf(path);
  if (before === null || before.isResigned) return;
  await setTimeout(watchMs);
  const after = await leaseOf(path);
  if (after === null || (after.epoch === before.epoch && after.beat === before.beat)) return;
  throw new LocalFailure(
    `A master leads this store: ${after.address}.`,
    "Stop every master of it first; workers may go on, and find the masters of the new store.",
  );
}

async function leaseOf(path: string) {
  const { openDump } = await import("../../stores/sqlite/dump.ts");
  const dump = await openDump(path);
  try {
    return dump.lease;
  } finally {
    dump.close();
  }
}
