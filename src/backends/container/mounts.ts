/** What of this machine a container may see: only what its operator allows, wherever links lead. */
import { realpath } from "node:fs/promises";
import type { ContainerMount } from "../../model/kinds/container.ts";
import { RunRefused } from "../../ports/backend.ts";

/**
 * The mounts with the real paths of their sources.
 * @param mountable folders that may be mounted, with all that is in them; absolute
 * @throws RunRefused
 */
export async function findMounts(
  mounts: readonly ContainerMount[],
  mountable: readonly string[],
): Promise<readonly ContainerMount[]> {
  const allowed = await Promise.all(mountable.map((folder) => realpath(folder).catch(() => folder)));
  return Promise.all(mounts.map(async (mount) => ({ ...mount, source: await sourceOf(mount, allowed) })));
}

async function sourceOf({ source }: ContainerMount, allowed: readonly string[]): Promise<string> {
  const real = await realpath(source).catch(() => null);
  const isAllowed = (path: string) => allowed.some((folder) => path === folder || path.startsWith(withSlash(folder)));
  // Whether something exists that it may not see is not to be found out, either.
  if (!isAllowed(real ?? source))
    throw new RunRefused(
      "mount",
      `Containers may not mount ${JSON.stringify(source)} of this worker. Its operator allows folders with --container-mount.`,
      true,
    );
  if (real === null) throw new RunRefused("mount", `${JSON.stringify(source)} does not exist on this worker.`, false);
  if (/[,:"\r\n]/.test(real))
    throw new RunRefused("mount", `${JSON.stringify(source)} leads to a path that no mount can have.`, true);
  return real;
}

function withSlash(folder: string): string {
  return folder.endsWith("/") ? folder : `${folder}/`;
}
