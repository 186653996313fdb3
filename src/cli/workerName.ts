/** Which worker this process is: its name, and the directory that no other process may use at the same time. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { isId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import { DirectoryLock } from "./directoryLock.ts";
import { UsageError } from "./failure.ts";

export interface WorkerPlace {
  readonly name: string;
  readonly directory: string;
  readonly lock: DirectoryLock;
}

/**
 * Takes the worker's directory, `DATA/workers/NAME`. Without a name, the first one of this machine that nobody uses is
 * taken up again, with the results that may still wait in its outbox; if all are in use, a new one is made.
 * @throws UsageError if the worker runs already
 */
export function takePlace(data: string, name: string | null): WorkerPlace {
  const parent = join(data, "workers");
  mkdirSync(parent, { recursive: true });
  if (name !== null) {
    const place = tryPlace(parent, name);
    if (place !== null) return place;
    throw new UsageError(
      `Worker ${name} runs already: another process uses ${join(parent, name)}.`,
      "Choose another --name, or another --data.",
    );
  }
  const host = toId(hostname());
  for (const known of readdirSync(parent).sort()) {
    if (!known.startsWith(`${host}-`) || !isId(known)) continue;
    const place = tryPlace(parent, known);
    if (place !== null) return place;
  }
  for (;;) {
    // The random part keeps machines apart that are called alike, as containers often are.
    const fresh = `${host}-${randomBytes(3).toString("hex")}`;
    if (existsSync(join(parent, fresh))) continue;
    const place = tryPlace(parent, fresh);
    if (place !== null) return place;
  }
}

function tryPlace(parent: string, name: string): WorkerPlace | null {
  const directory = join(parent, name);
  mkdirSync(directory, { recursive: true });
  const lock = DirectoryLock.tryTake(directory);
  return lock === null ? null : { name, directory, lock };
}

/** The machine's name with every character replaced that ids may not have, short enough to have something added. */
export function toId(text: string): string {
  return text.replace(/[^A-Za-z0-9._:-]/g, "-").slice(0, limits.idLengthMax / 2) || "machine";
}
