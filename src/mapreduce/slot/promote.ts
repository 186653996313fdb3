/**
 * Promotes the parts of a job's output: links each to its final name, then writes the manifest, then `_SUCCESS`. A reader that waits for
 * `_SUCCESS` sees all of the output or nothing. May be done again from the beginning at any point: the end is the same.
 */
import { link, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import type { JobFiles } from "./jobFiles.ts";
import type { PartManifest } from "./threadProtocol.ts";

export interface Promotion {
  readonly folder: string;
  readonly format: "tsv" | "jsonl";
  readonly overwrite: boolean;
  readonly parts: readonly PartManifest[];
  /** What the manifest says besides the parts. */
  readonly summary: object;
}

export async function promote(
  files: JobFiles,
  { folder, format, overwrite, parts, summary }: Promotion,
): Promise<void> {
  const names = parts.map(({ partition }) => `part-${String(partition).padStart(5, "0")}.${format}`);
  if (overwrite) await clear(folder, files, parts, names);
  for (const [index, part] of parts.entries()) {
    await linkOnce(files.pathOf(part.name), join(folder, names[index] ?? ""));
  }
  const listed = parts.map(({ size, sha256, records }, index) => ({ name: names[index], size, sha256, records }));
  await writeWhole(folder, "_manifest.json", `${JSON.stringify({ ...summary, parts: listed }, null, 2)}\n`);
  await writeWhole(folder, "_SUCCESS", "");
}

/** Removes an earlier output, and not what an earlier try has linked. `_SUCCESS` goes first, so that nobody takes what is left for whole. */
async function clear(
  folder: string,
  files: JobFiles,
  parts: readonly PartManifest[],
  names: readonly string[],
): Promise<void> {
  await rm(join(folder, "_SUCCESS"), { force: true });
  await rm(join(folder, "_manifest.json"), { force: true });
  for (const name of await readdir(folder)) {
    if (!/^part-\d+\.(tsv|jsonl)$/.test(name)) continue;
    const part = parts[names.indexOf(name)];
    if (part !== undefined && (await isSame(files.pathOf(part.name), join(folder, name)))) continue;
    await rm(join(folder, name), { force: true });
  }
}

async function linkOnce(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    if (await isSame(from, to)) return;
    throw new NonRetryableError(`${to} was written by somebody else while the job ran.`, { cause: error });
  }
}

async function isSame(one: string, other: string): Promise<boolean> {
  const [left, right] = await Promise.all([stat(one), stat(other)]);
  return left.ino === right.ino && left.dev === right.dev;
}

async function writeWhole(folder: string, name: string, content: string): Promise<void> {
  const temporary = join(folder, `${name}.${process.pid}.tmp`);
  const file = await open(temporary, "w");
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, join(folder, name));
  const directory = await open(folder);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
