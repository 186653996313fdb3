/** Removes folders, whatever commands have left in them: what does not let its files go, and what lies too deep for any path. */
import { randomUUID } from "node:crypto";
import { chmod, lstat, opendir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";

/** A folder whose path is longer than its root's by more than this is moved up: a system takes no path of more than 4096 bytes. */
const deepBytes = 1024;

/** Does nothing if it is not there. @throws what the system says if it cannot be removed */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!(await lstat(path)).isDirectory()) throw error;
    const waiting = [path];
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop())
      await openFolders(folder, async (deep) => {
        const moved = join(path, randomUUID());
        await rename(deep, moved);
        waiting.push(moved);
      });
    await rm(path, { recursive: true, force: true });
  }
}

/** Removes all that can be removed of a folder, and leaves the rest: nothing in it is worth more than what comes after it. */
export async function clearTree(path: string): Promise<void> {
  for (const name of await readdir(path).catch(() => [])) await removeTree(join(path, name)).catch(() => undefined);
  await rmdir(path).catch(() => undefined);
}

/** Lets all folders in it, itself included, be listed and changed, except those too deep for that, which `moveUp` takes away. */
async function openFolders(root: string, moveUp: (deep: string) => Promise<void>): Promise<void> {
  const bytesMax = Buffer.byteLength(root) + deepBytes;
  const walk = async (folder: string): Promise<void> => {
    await chmod(folder, 0o700);
    if (Buffer.byteLength(folder) > bytesMax) return moveUp(folder);
    for await (const entry of await opendir(folder)) if (entry.isDirectory()) await walk(join(folder, entry.name));
  };
  await walk(root);
}
