/** Watches another master's process through a bare TCP connection: when the process dies, its kernel closes it at once. */
import { connect } from "node:net";
import type { Peers } from "../ports/peers.ts";
import { probe } from "./probe.ts";

export function createPeers(): Peers {
  return {
    watch(address, onClose) {
      const { hostname, port } = new URL(address);
      const socket = connect({ host: bare(hostname), port: Number(port) });
      socket.on("error", () => undefined);
      socket.once("close", onClose);
      socket.resume();
      return {
        close(): void {
          socket.off("close", onClose);
          socket.destroy();
        },
      };
    },
    probe(address) {
      const { hostname, port } = new URL(address);
      return probe(bare(hostname), Number(port));
    },
  };
}

/** A URL writes an IPv6 address in brackets; sockets want it without. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
