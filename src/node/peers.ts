/** Watches another master's process through an open connection: when the process dies, its kernel closes it at once. */
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import type { Peers } from "../ports/peers.ts";
import { probe } from "./probe.ts";

export function createPeers(): Peers {
  return {
    watch(address, onClose) {
      const url = new URL(`${address.replace(/\/+$/, "")}/healthz/lifeline`);
      const get = url.protocol === "https:" ? httpsGet : httpGet;
      // A connection of its own: a shared one might be closed for reasons of somebody else's.
      const request = get(url, { agent: false, headers: { accept: "text/event-stream" } }, (answer) => answer.resume());
      // What went wrong does not matter here; that it is over does, and that is told once, after the error.
      request.on("error", () => undefined);
      request.once("close", onClose);
      return {
        close(): void {
          request.off("close", onClose);
          request.destroy();
        },
      };
    },
    probe(address) {
      const { hostname, port, protocol } = new URL(address);
      return probe(bare(hostname), Number(port || (protocol === "https:" ? 443 : 80)));
    },
  };
}

/** A URL writes an IPv6 address in brackets; sockets want it without. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
