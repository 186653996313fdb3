/** Makes a directory for data, and says what is in the way if that cannot be done. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { makeFolders } from "../files/makeFolders.ts";
import { LocalFailure } from "./failure.ts";

/**
 * Makes the directory and those above it, where they are missing, and returns its absolute path. A place that nobody may write to
 * is looked at first, as it may have its own reason for that.
 * @throws LocalFailure
 */
export async function makeDirectory(path: string, mode = 0o777): Promise<string> {
  const directory = resolve(path);
  const existing = nearestExisting(directory);
  if (!statSync(existing).isDirectory()) throw new LocalFailure(`${existing} is not a directory.`, otherDirectory);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
    await makeFolders(directory, mode);
    return directory;
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    const what = existing === directory ? `${directory} cannot be written` : `${directory} cannot be created`;
    throw new LocalFailure(`${what}: ${reasons[code]?.(existing) ?? String(error)}.`, otherDirectory);
  }
}

const otherDirectory = "Choose another directory, or make this one writable for the user that runs outlast.";

const reasons: { readonly [code: string]: (existing: string) => string } = {
  EROFS: (existing) => `${existing} is on a read-only file system`,
  EACCES: (existing) => `no permission to write to ${existing}`,
  EPERM: (existing) => `no permission to write to ${existing}`,
  ENOSPC: () => "the disk is full",
  ENOENT: (existing) => `nothing can be made in ${existing}`,
};

function nearestExisting(path: string): string {
  for (let at = path; ; at = dirname(at)) if (existsSync(at) || at === dirname(at)) return at;
}
