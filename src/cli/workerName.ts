/** The name of this worker, and its directory, which only one process may use at a time. */
import { randomBytes } from "node:crypto";
import { chmodSync } from "node:fs";
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
 * Claims the worker's directory, `DATA/workers/NAME`. Without a name, it claims the first directory of this machine that no
 * process uses, with the results that may still be in its outbox, or creates a new one.
 * @throws LocalFailure if the worker of that name runs already
 */
export async function takePlace(data: string, name: string | null): Promise<WorkerPlace> {
  const parent = join(data, "workers");
  await makeDirectory(parent);
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
  // The random part distinguishes machines with the same name, such as containers.
  return claim(parent, `${prefix}${randomBytes(4).toString("hex")}`);
}

async function claim(parent: string, name: string): Promise<WorkerPlace> {
  const directory = join(parent, name);
  // Output and results of tasks are nobody else's, least of all those of tasks with another user. Earlier versions let all read them.
  await makeDirectory(directory, 0o700);
  chmodSync(directory, 0o700);
  return { name, directory, release: await claimDirectory(directory) };
}

/** The machine's name with every character replaced that ids may not have, short enough to have something added. */
export function toId(text: string): string {
  return text.replace(/[^A-Za-z0-9._:-]/g, "-").slice(0, limits.idLengthMax / 2) || "machine";
}
