/** Names the place where a process listens, so that two living processes never have the same name. */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";

const nameLength = 12;

/**
 * A digest of this machine's running network stack and the port. On Linux that is the boot of the kernel and the network
 * namespace, so that containers differ; elsewhere it is the host name and the hardware addresses.
 * @returns null if this machine does not tell
 */
export function placeOf(address: string, port: number): string | null {
  const stack = networkStack();
  if (stack === null) return null;
  return createHash("sha256").update(`${stack}/${address}/${port}`).digest("hex").slice(0, nameLength);
}

function networkStack(): string | null {
  if (process.platform === "linux") {
    try {
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      return `${boot}/${readlinkSync("/proc/self/ns/net")}`;
    } catch {
      return null;
    }
  }
  const hardware = Object.values(networkInterfaces()).flatMap((cards) => cards?.map(({ mac }) => mac) ?? []);
  return `${hostname()}/${[...new Set(hardware)].sort().join(",")}`;
}
