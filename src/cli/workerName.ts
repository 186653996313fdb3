/** Which worker this process is: its name, and the directory that no other process may use at the same time. */
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { OutlastError } from "../model/errors.ts";
import { isId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import { claimDirectory } from "../worker/directoryClaim.ts";
import { LocalFailure } from "./failure.ts";
import { makeDirectory } from "./makeDirectory.ts";

export interface WorkerPlace {
  readonly name: string;
  readonly directory: string;
  /** Lets another process have it. */
  readonly release: () => Promise<void>;
}

/**
 * Takes the worker's directory, `DATA/workers/NAME`. Without a name, the first one of this machine that nobody uses is
 * taken up again, with the results that may still wait in its outbox; if all are in use, a new one is made.
 * @throws LocalFailure if the worker of that name runs already
 */
export async function takePlace(data: string, name: string | null): Promise<WorkerPlace> {
  const parent = join(data, "workers");
  makeDirectory(parent);
  if (name !== null) {
    return claim(parent, name).catch((error: unknown) => {
      throw LocalFailure.from(error);
    });
  }
  const prefix = `${toId(hostname())}-`;
  for (const known of (await readdir(parent)).sort()) {
    if (!known.startsWith(prefix) || !isId(known)) continue;
    try {
      return await claim(parent, known);
    } catch (error) {
      if (!(error instanceof OutlastError && error.code === "conflict")) throw error;
    }
  }
  // The random part keeps machines apart that are called alike, as containers often are.
  return claim(parent, `${prefix}${randomBytes(4).toString("hex")}`);
}

async function claim(parent: string, name: string): Promise<WorkerPlace> {
  const directory = join(parent, name);
  makeDirectory(directory);
  return { name, directory, release: await claimDirectory(directory) };
}

/** The machine's name with every character replaced that ids may not have, short enough to have something added. */
export function toId(text: string): string {
  return text.replace(/[^A-Za-z0-9._:-]/g, "-").slice(0, limits.idLengthMax / 2) || "machine";
}
