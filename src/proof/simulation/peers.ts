/** How one simulated master watches another: a connection that breaks with the process, and probes of its port. */
import { defaults } from "../../model/limits.ts";
import type { Peers } from "../../ports/peers.ts";
import type { Process } from "./process.ts";
import type { KnownMaster, World } from "./world.ts";

export function simulatedPeers(world: World, machine: string, process: Process): Peers {
  const { network } = world;
  const isCutFrom = (other: KnownMaster): boolean =>
    network.isCut(machine, other.machine) || network.isCut(other.machine, machine);
  return {
    watch(address, onClose) {
      let isClosed = false;
      const close = (): void => {
        if (isClosed) return;
        isClosed = true;
        process.after(network.latency(), onClose);
      };
      const peer = world.masterAt(address);
      const stop = peer?.running?.process.onDeath(() => network.whenOpen(peer.machine, machine, close));
      if (stop === undefined) close();
      return {
        close() {
          isClosed = true;
          stop?.();
        },
      };
    },
    async probe(address) {
      await process.sleep(network.latency() * 2);
      const peer = world.masterAt(address);
      if (peer === null || isCutFrom(peer)) return "unknown";
      if (peer.running !== null) return "connected";
      if (!world.knobs.addressesVanish) return "refused";
      await process.sleep(defaults.probeTimeoutMs);
      return "unknown";
    },
  };
}
