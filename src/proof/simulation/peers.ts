/** How one simulated master watches another: a stream that breaks with the process or is reset, and probes of its port. */
import type { LeaderBeat } from "../../model/lease.ts";
import { defaults } from "../../model/limits.ts";
import type { Peers } from "../../ports/peers.ts";
import type { Process } from "./process.ts";
import { SimulatedStream, type Speaker } from "./stream.ts";
import type { KnownMaster, World } from "./world.ts";

export function simulatedPeers(world: World, machine: string, process: Process): Peers {
  const { network } = world;
  const isCutFrom = (other: KnownMaster): boolean =>
    network.isCut(machine, other.machine) || network.isCut(other.machine, machine);
  return {
    watch(address, { onBeat, onClose }) {
      const peer = world.masterAt(address) ?? { machine: address, running: null };
      let isClosed = false;
      const listener = {
        onMessage: onBeat,
        onClose: () => {
          if (isClosed) return;
          world.ledger.add({ kind: "peer-lost", life: process.name });
          onClose();
        },
      };
      const stream = new SimulatedStream(world.wire, { machine, process }, peer, listener, beatsOf(world));
      stream.connect();
      return {
        close() {
          isClosed = true;
          stream.close();
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

/** Written down as it leaves the leader: nothing may be told that is not in the store. */
function beatsOf({ ledger, disk, coverage }: World): Speaker<LeaderBeat> {
  return {
    open: ({ face }, sink) => face.onLeaderBeat((beat) => sink.send(beat)),
    opened: () => undefined,
    sent: ({ process }, { epoch, beat, seq }) => {
      coverage.saw("a leader told a standby of its lease");
      const stored = disk.lease === null ? null : { epoch: disk.lease.epoch, beat: disk.lease.beat };
      ledger.add({ kind: "sent-beat", life: process.name, epoch, beat, seq, stored });
    },
    closed: () => undefined,
    describe: ({ epoch, beat, seq }) => `beat ${beat} of epoch ${epoch} at ${seq}`,
    mayRepeat: false,
  };
}
