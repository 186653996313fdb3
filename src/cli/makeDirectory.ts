/** Makes a directory for data, and says what is in the way if that cannot be done. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { LocalFailure } from "./failure.ts";

/**
 * Makes the directory and those above it, where they are missing, and returns its absolute path. Node reports a read-only
 * place as "no such file", and never returns in a working directory that has been deleted, so both are looked at first.
 * @throws LocalFailure
 */
export function makeDirectory(path: string, mode = 0o777): string {
  const directory = resolve(path);
  const existing = nearestExisting(directory);
  if (!statSync(existing).isDirectory()) throw new LocalFailure(`${existing} is not a directory.`, otherDirectory);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
    mkdirSync(directory, { recursive: true, mode });
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
};

function nearestExisting(path: string): string {
  for (let at = path; ; at = dirname(at)) if (existsSync(at) || at === dirname(at)) return at;
}
