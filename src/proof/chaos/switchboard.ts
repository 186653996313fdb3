/**
 * A network of the run's own: each process in a network namespace behind one bridge, whose plug can be pulled. What is sent then
 * vanishes, with no reset and no refusal, as where a machine drops off the network. Only root on Linux can make one.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { isAlive } from "../cluster/folder.ts";

/** All last octets have three digits, so that all addresses are of the same length. */
const hostOctet = 100;
const processesMax = 255 - hostOctet - 1;
const subnetMax = 256;
/** `outlast-<pid>-<number>` is a namespace, `ol<pid>` its bridge, `ol<pid>v<number>` a plug; the pid is that of the run. */
const namespaceName = /^outlast-(\d+)-\d+$/;
const namespacesFolder = "/run/netns";

interface Plug {
  readonly namespace: string;
  readonly device: string;
  readonly address: string;
}

export class Switchboard {
  /** Where the run itself is reached by its processes. */
  readonly host: string;
  readonly #bridge: string;
  readonly #plugs: ReadonlyMap<string, Plug>;

  private constructor(host: string, bridge: string, plugs: ReadonlyMap<string, Plug>) {
    this.host = host;
    this.#bridge = bridge;
    this.#plugs = plugs;
  }

  /** Null where this process may not make one. Clears away what killed runs have left. */
  static open(processes: readonly string[]): Switchboard | null {
    if (process.platform !== "linux" || process.getuid?.() !== 0 || processes.length > processesMax) return null;
    const prefix = freePrefix();
    if (prefix === null) return null;
    const bridge = bridgeOf(process.pid);
    const host = `${prefix}.${hostOctet}`;
    const plugs = new Map(
      processes.map((name, index) => [
        name,
        {
          namespace: `outlast-${process.pid}-${index + 1}`,
          device: `${bridge}v${index + 1}`,
          address: `${prefix}.${hostOctet + 1 + index}`,
        },
      ]),
    );
    const board = new Switchboard(host, bridge, plugs);
    try {
      for (const pid of abandonedRuns()) removeAll(pid);
      board.#make();
      board.#tryOut();
      return board;
    } catch {
      board.close();
      return null;
    }
  }

  addressOf(name: string): string {
    return this.#plug(name).address;
  }

  /** What to put before a command so that it runs in the namespace of this process; it is replaced by the command, and keeps its pid. */
  launcherOf(name: string): readonly string[] {
    return ["nsenter", `--net=${namespacesFolder}/${this.#plug(name).namespace}`, "--"];
  }

  pull(name: string): void {
    ip("link", "set", this.#plug(name).device, "nomaster");
  }

  plugIn(name: string): void {
    ip("link", "set", this.#plug(name).device, "master", this.#bridge);
  }

  close(): void {
    // They would go with their namespaces too, but some time later only.
    for (const { device } of this.#plugs.values()) tryIp("link", "delete", device);
    removeAll(process.pid);
  }

  #make(): void {
    ip("link", "add", this.#bridge, "type", "bridge");
    ip("address", "add", `${this.host}/24`, "dev", this.#bridge);
    ip("link", "set", this.#bridge, "up");
    for (const { namespace, device, address } of this.#plugs.values()) {
      ip("netns", "add", namespace);
      ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", namespace);
      ip("link", "set", device, "master", this.#bridge, "up");
      ip("-netns", namespace, "address", "add", `${address}/24`, "dev", "eth0");
      ip("-netns", namespace, "link", "set", "eth0", "up");
      ip("-netns", namespace, "link", "set", "lo", "up");
    }
  }

  /** @throws if processes cannot be started in the namespaces after all: `nsenter` is missing, or not allowed */
  #tryOut(): void {
    const [name] = this.#plugs.keys();
    if (name === undefined) return;
    const [command = "", ...words] = this.launcherOf(name);
    execFileSync(command, [...words, "true"], { stdio: "ignore" });
  }

  #plug(name: string): Plug {
    const plug = this.#plugs.get(name);
    if (plug === undefined) throw new Error(`${name} has no plug.`);
    return plug;
  }
}

function ip(...words: readonly string[]): void {
  execFileSync("ip", words, { stdio: "ignore" });
}

function bridgeOf(pid: number): string {
  return `ol${pid.toString(36)}`;
}

/** The first three octets of a network that this machine is not in; null if there is none left. */
function freePrefix(): string | null {
  const taken = Object.values(networkInterfaces()).flatMap(
    (addresses) => addresses?.map(({ address }) => address) ?? [],
  );
  for (let tries = 0; tries < subnetMax; tries++) {
    const prefix = `10.213.${(process.pid + tries) % subnetMax}`;
    if (!taken.some((address) => address.startsWith(`${prefix}.`))) return prefix;
  }
  return null;
}

function namespaces(): { readonly name: string; readonly pid: number }[] {
  try {
    return readdirSync(namespacesFolder).flatMap((name) => {
      const pid = namespaceName.exec(name)?.[1];
      return pid === undefined ? [] : [{ name, pid: Number(pid) }];
    });
  } catch {
    // Nobody has made one since this machine was started.
    return [];
  }
}

function abandonedRuns(): Set<number> {
  return new Set(namespaces().flatMap(({ pid }) => (isAlive(pid) ? [] : [pid])));
}

function removeAll(pid: number): void {
  for (const { name, pid: owner } of namespaces()) if (owner === pid) tryIp("netns", "delete", name);
  tryIp("link", "delete", bridgeOf(pid));
}

function tryIp(...words: readonly string[]): void {
  try {
    ip(...words);
  } catch {
    // It was gone already.
  }
}
