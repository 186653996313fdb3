/**
 * Bounds a command with all that it starts, by control groups of the kernel, cgroups(7): of version 2, where this process has a
 * part of the tree to itself (`Delegate=` of systemd), or of version 1, where it may write there.
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { GroupBounds } from "../ports/processes.ts";

/** What a group bounds, by the names that the kernel has for it. */
const controllers = { processesMax: "pids", memoryBytesMax: "memory" } as const;
type Bound = keyof GroupBounds;

/** Where this process moves to itself: in version 2 a group that bounds others holds no process. */
const ownName = "outlast-worker";
const removeTriesMax = 50;
const removeWaitMs = 20;

interface Place {
  readonly directory: string;
  readonly version: 1 | 2;
}

/** A group in the making, and its end. */
export interface ControlGroup {
  /** Files to which a process writes 0 to join; see `joining`. */
  readonly doors: readonly string[];
  /** True if a process could not be started because of the bound. Ask before `remove`. */
  hasHitProcesses(): Promise<boolean>;
  /** Ends what is left in it. */
  remove(): Promise<void>;
}

export class ControlGroups {
  readonly #places: ReadonlyMap<Bound, Place>;
  readonly #prefix: string;
  #count = 0;

  private constructor(places: ReadonlyMap<Bound, Place>, name: string) {
    this.#places = places;
    this.#prefix = `outlast-${name}-`;
  }

  /** @param name of whoever makes groups here; what an earlier life of it has left is ended and removed */
  static async find(name: string): Promise<ControlGroups> {
    const places = new Map<Bound, Place>();
    for (const [bound, place] of await findPlaces()) if (await isWritable(place, name)) places.set(bound, place);
    const groups = new ControlGroups(places, name);
    await groups.#removeOld();
    return groups;
  }

  can(bound: Bound): boolean {
    return this.#places.has(bound);
  }

  /** @throws what the system says where the group cannot be made */
  async make(bounds: GroupBounds): Promise<ControlGroup> {
    this.#count += 1;
    const wanted = (Object.keys(bounds) as Bound[]).filter((bound) => bounds[bound] !== undefined);
    const made = new Map<string, Place>();
    let pids: string | null = null;
    try {
      for (const bound of wanted) {
        const place = this.#places.get(bound);
        if (place === undefined) throw new Error(`Nothing here bounds ${controllers[bound]}.`);
        const directory = join(place.directory, `${this.#prefix}${process.pid}-${this.#count}`);
        if (!made.has(directory)) await mkdir(directory);
        made.set(directory, place);
        if (bound === "processesMax") pids = directory;
        await write(directory, bound, bounds[bound] ?? 0, place.version);
      }
    } catch (error) {
      for (const directory of made.keys()) await rmdir(directory).catch(() => undefined);
      throw error;
    }
    return {
      doors: [...made.keys()].map((directory) => join(directory, "cgroup.procs")),
      hasHitProcesses: async () => {
        const events = pids === null ? "" : await readFile(join(pids, "pids.events"), "latin1").catch(() => "");
        return Number(/^max (\d+)$/m.exec(events)?.[1] ?? 0) > 0;
      },
      remove: async () => {
        for (const directory of made.keys()) await removeGroup(directory);
      },
    };
  }

  async #removeOld(): Promise<void> {
    for (const { directory } of new Set(this.#places.values())) {
      const names = await readdir(directory).catch((): string[] => []);
      for (const name of names) {
        if (name.startsWith(this.#prefix)) await removeGroup(join(directory, name));
      }
    }
  }
}

/** A program that joins the groups and then becomes the command behind it: all that this starts is in them from its first moment. */
export function joining(doors: readonly string[]): readonly string[] {
  const script = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo 0 >"$1" || exit 126; shift; n=$((n-1)); done; exec "$@"';
  return ["/bin/sh", "-c", script, "outlast", String(doors.length), ...doors];
}

async function write(directory: string, bound: Bound, value: number, version: 1 | 2): Promise<void> {
  const set = (file: string, text: string) => writeFile(join(directory, file), text);
  if (bound === "processesMax") return set("pids.max", String(value));
  if (version === 2) {
    await set("memory.max", String(value));
    // Without them memory would go to the disk, or one process of many be killed. A kernel may lack them.
    await set("memory.swap.max", "0").catch(() => undefined);
    await set("memory.oom.group", "1").catch(() => undefined);
    return;
  }
  await set("memory.limit_in_bytes", String(value));
  await set("memory.memsw.limit_in_bytes", String(value)).catch(() => undefined);
}

/**
 * Ends what is left in a group: what has cleared its environment and left its process group is found nowhere else. The kernel lets go of
 * the last process a moment after its end.
 */
async function removeGroup(directory: string): Promise<void> {
  for (let tries = 0; tries < removeTriesMax; tries += 1) {
    await endAllIn(directory);
    try {
      return await rmdir(directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EBUSY") return;
    }
    await new Promise<void>((resolve) => setTimeout(resolve, removeWaitMs));
  }
}

async function endAllIn(directory: string): Promise<void> {
  const text = await readFile(join(directory, "cgroup.procs"), "latin1").catch(() => "");
  for (const pid of text.split("\n").map(Number)) {
    if (!(pid > 1)) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile; who may not be ended keeps the group there, and the next start tries again.
    }
  }
}

async function isWritable({ directory, version }: Place, name: string): Promise<boolean> {
  const probe = join(directory, `outlast-${name}-probe-${process.pid}`);
  try {
    await mkdir(probe, { recursive: version === 2 });
    await rmdir(probe);
    return true;
  } catch {
    return false;
  }
}

/** Where groups could be made, as far as this process sees its own place in the tree. */
async function findPlaces(): Promise<ReadonlyMap<Bound, Place>> {
  const places = new Map<Bound, Place>();
  const [own, mounts] = await Promise.all([
    readFile("/proc/self/cgroup", "utf8").catch(() => ""),
    readFile("/proc/self/mountinfo", "utf8").catch(() => ""),
  ]);
  for (const [bound, controller] of Object.entries(controllers) as [Bound, string][]) {
    const ofFirst = placeIn(own, mounts, controller);
    if (ofFirst !== null) places.set(bound, { directory: ofFirst, version: 1 });
  }
  const second = placeIn(own, mounts, null);
  if (second === null) return places;
  const missing = (Object.keys(controllers) as Bound[]).filter((bound) => !places.has(bound));
  const usable = await prepare(
    second,
    missing.map((bound) => controllers[bound]),
  );
  if (usable === null) return places;
  for (const bound of missing)
    if (usable.controllers.has(controllers[bound])) places.set(bound, { directory: usable.directory, version: 2 });
  return places;
}

/** The directory of this process in the tree of a controller of version 1, or in that of version 2 (null). */
function placeIn(own: string, mounts: string, controller: string | null): string | null {
  const line = own.split("\n").find((each) => {
    const [, names = ""] = each.split(":");
    return controller === null ? each.startsWith("0::") : names.split(",").includes(controller);
  });
  const path = line?.split(":").slice(2).join(":");
  if (path === undefined) return null;
  for (const mount of mounts.split("\n")) {
    const [before = "", after = ""] = mount.split(" - ");
    const [, , , root = "/", point = ""] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    const isIt =
      controller === null ? type === "cgroup2" : type === "cgroup" && options.split(",").includes(controller);
    if (!isIt || !`${path}/`.startsWith(root === "/" ? "/" : `${root}/`)) continue;
    return join(point, path.slice(root === "/" ? 0 : root.length));
  }
  return null;
}

/**
 * Makes the group of this process one that may bound others: it and its ancestors, which must be all that is in there, move into a
 * group below.
 * @returns where groups may be made, and what they may bound; null where that is not this process's to do
 */
export async function prepare(
  own: string,
  wanted: readonly string[],
): Promise<{ readonly directory: string; readonly controllers: ReadonlySet<string> } | null> {
  const directory = basename(own) === ownName ? dirname(own) : own;
  // The session of a person is run by systemd alone, whoever may write there.
  if (directory.endsWith(".scope")) return null;
  const read = async (file: string): Promise<readonly string[]> =>
    (await readFile(join(directory, file), "utf8").catch(() => "")).split(/\s+/).filter((word) => word !== "");
  const there = new Set(await read("cgroup.controllers"));
  const usable = wanted.filter((name) => there.has(name));
  if (usable.length === 0) return null;
  const enabled = new Set(await read("cgroup.subtree_control"));
  try {
    if (!usable.every((name) => enabled.has(name))) {
      const inside = await read("cgroup.procs");
      const family = await ancestorsOf(process.pid);
      if (!inside.every((pid) => family.has(pid))) return null;
      if (inside.length > 0) {
        await mkdir(join(directory, ownName), { recursive: true });
        for (const pid of inside) await writeFile(join(directory, ownName, "cgroup.procs"), pid);
      }
      for (const name of usable) await writeFile(join(directory, "cgroup.subtree_control"), `+${name}`);
    }
  } catch {
    return null;
  }
  return { directory, controllers: new Set(usable) };
}

async function ancestorsOf(pid: number): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (let each = String(pid); each !== "0" && each !== "" && !found.has(each); ) {
    found.add(each);
    const status = await readFile(`/proc/${each}/status`, "latin1").catch(() => "");
    each = /^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? "";
  }
  return found;
}
