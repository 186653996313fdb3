/** Keeps requests that users ask for away from what only this machine or its network can reach. */
import { lookup as lookupName } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** Addresses that are not for everybody: RFC 6890 and its registries, as far as a connection could go there. */
const reserved: readonly (readonly [net: string, bits: number, family: "ipv4" | "ipv6"])[] = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["224.0.0.0", 4, "ipv4"],
  ["240.0.0.0", 4, "ipv4"],
  ["::", 127, "ipv6"],
  // These carry an IPv4 address inside, which a gateway may turn into a private one.
  ["64:ff9b::", 96, "ipv6"],
  ["64:ff9b:1::", 48, "ipv6"],
  ["2001::", 32, "ipv6"],
  ["2002::", 16, "ipv6"],
  ["fc00::", 7, "ipv6"],
  ["fe80::", 10, "ipv6"],
  ["ff00::", 8, "ipv6"],
];

const blocked = new BlockList();
for (const [net, bits, family] of reserved) blocked.addSubnet(net, bits, family);

/** Its message is a sentence without an end: whoever shows it adds what would allow the call. */
export class PrivateAddress extends Error {
  override readonly name = "PrivateAddress";
}

export function isPrivateAddress(address: string): boolean {
  return blocked.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

/**
 * Resolves names for a connection, and refuses private addresses at the last moment: the address that is checked is the one that
 * is connected to.
 */
export const guardedLookup: LookupFunction = (hostname, options, callback) => {
  lookupName(hostname, { ...options, all: true }, (error, found) => {
    if (error !== null) return callback(error, "");
    const allowed = found.filter(({ address }) => !isPrivateAddress(address));
    const [first] = allowed;
    if (first === undefined) return callback(refusal(hostname), "");
    if (options.all === true) callback(null, allowed);
    else callback(null, first.address, first.family);
  });
};

/** Must be called for a host that is an address, which nobody looks up. @throws PrivateAddress */
export function checkHost(hostname: string): void {
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP(address) !== 0 && isPrivateAddress(address)) throw refusal(hostname);
}

function refusal(hostname: string): PrivateAddress {
  return new PrivateAddress(`${hostname} is a private address, which is not called from here`);
}
