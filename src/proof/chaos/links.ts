/** All links of a run: from every worker and every client to every master, each through a proxy that can be hurt. */
import { findFreePorts } from "../../cli/freePort.ts";
import { ChaosProxy, type LinkTrouble } from "./proxy.ts";

export class Links {
  /** By `<end> <master>`. */
  readonly #proxies = new Map<string, ChaosProxy>();
  readonly #addresses = new Map<string, string[]>();

  private constructor() {}

  /**
   * @param masters the base URL of each master
   * @param host where the links themselves are; of the same length as the masters' hosts
   */
  static async open(masters: ReadonlyMap<string, string>, ends: readonly string[], host: string): Promise<Links> {
    const links = new Links();
    // All at once, and none of a master that does not listen yet: no two of them may be the same, whatever is free right now.
    const ofMasters = new Set([...masters.values()].map((address) => Number(new URL(address).port)));
    const free = await findFreePorts(ends.length * masters.size + ofMasters.size);
    const left = free.filter((port) => !ofMasters.has(port));
    for (const end of ends) {
      const ports = left.splice(0, masters.size);
      const ownAddresses = ports.map((port) => `http://${host}:${port}`);
      const renamed = new Map([...masters.values()].map((address, index) => [address, ownAddresses[index] ?? ""]));
      links.#addresses.set(end, ownAddresses);
      for (const [index, [master, address]] of [...masters].entries()) {
        const { hostname, port } = new URL(address);
        const target = { host: hostname, port: Number(port) };
        const proxy = new ChaosProxy({ host, port: ports[index] ?? 0, target, renamed });
        await proxy.open();
        links.#proxies.set(`${end} ${master}`, proxy);
      }
    }
    return links;
  }

  /** Where this worker or client finds its masters. */
  addressesFor(end: string): readonly string[] {
    return this.#addresses.get(end) ?? [];
  }

  async set(end: string, masters: readonly string[], trouble: LinkTrouble | null): Promise<void> {
    const proxies = masters.flatMap((master) => this.#proxies.get(`${end} ${master}`) ?? []);
    await Promise.all(proxies.map((proxy) => proxy.set(trouble)));
  }

  async heal(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.set(null)));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.close()));
  }
}
