/** Makes a folder and those above it, where they are missing. */
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * As `mkdir -p`. That of Node never returns where a folder is there in which none can be made: in `/proc`, below an automounter.
 * @throws NodeJS.ErrnoException
 */
export async function makeFolders(path: string, mode = 0o777): Promise<void> {
  try {
    await makeFolder(path, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
    await makeFolders(dirname(path), mode);
    await makeFolder(path, mode);
  }
}

async function makeFolder(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    // Another process may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
