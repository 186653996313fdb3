/** Where the project's scripts keep what is slow to get: outside of the checkout, for all checkouts of a user. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** The path of a folder in `OUTLAST_CACHE`, or in `~/.cache/outlast`. */
export function cachePath(...names: readonly string[]): string {
  return join(process.env["OUTLAST_CACHE"] ?? join(homedir(), ".cache", "outlast"), ...names);
}

/**
 * The folder of this name in the cache. If it is not whole there, `fill` makes it, anew.
 * @param name holds the version: another version is another folder
 */
export async function filledOnce(name: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const folder = cachePath(name);
  const stamp = join(folder, "installed");
  if (existsSync(stamp)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await fill(folder);
  writeFileSync(stamp, `${name}\n`);
  return folder;
}
