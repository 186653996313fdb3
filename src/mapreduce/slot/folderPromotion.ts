/**
 * Changes the output folder of a job. Every change is one rename or link through a folder that only this attempt of the job has. A
 * later attempt takes that folder away, so that an earlier one, however late it is, changes nothing any more.
 */
import { randomUUID } from "node:crypto";
import { link, mkdir, open, readdir, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FileRef, Promotion } from "../coordinator/store.ts";

const prefix = "promotion-";

/** @param folder where the job keeps its files @throws Error if a later attempt promotes, or the job is over */
export async function beginPromotion(folder: string, output: string, attempt: number): Promise<Promotion> {
  const own = join(folder, `${prefix}${attempt}`);
  // First its own folder, then the look at the others: of two attempts at least one sees the other.
  await mkdir(own).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  for (const name of await readdir(folder)) {
    const other = name.startsWith(prefix) ? Number(name.slice(prefix.length)) : Number.NaN;
    if (other > attempt) throw new Error(`Attempt ${other} of this job promotes its output.`);
    if (other < attempt) await rename(join(folder, name), join(folder, `ended-${randomUUID()}`));
  }
  return new FolderPromotion(folder, output, own);
}

class FolderPromotion implements Promotion {
  readonly #folder: string;
  readonly #output: string;
  readonly #own: string;

  constructor(folder: string, output: string, own: string) {
    this.#folder = folder;
    this.#output = output;
    this.#own = own;
  }

  names(): Promise<readonly string[]> {
    return readdir(this.#output);
  }

  async link(file: FileRef, as: string): Promise<boolean> {
    const mine = await this.#take(file);
    const to = join(this.#output, as);
    try {
      await link(mine, to);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      return isSame(mine, to);
    }
  }

  async replace(file: FileRef, as: string): Promise<void> {
    await rename(await this.#take(file), join(this.#output, as));
    const directory = await open(this.#output);
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  async retract(name: string): Promise<void> {
    try {
      await rename(join(this.#output, name), join(this.#own, `${name}.${randomUUID()}`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      // It may be this attempt's own folder that is not there.
      await stat(this.#own);
    }
  }

  /** A second name for the file, in the folder of this attempt. */
  async #take({ name }: FileRef): Promise<string> {
    const mine = join(this.#own, randomUUID());
    await link(join(this.#folder, name), mine);
    return mine;
  }
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [left, right] = await Promise.all([stat(one), stat(other)]);
  return left.ino === right.ino && left.dev === right.dev;
}
