/** Watches another master's process through an open connection, which its kernel closes at once when the process dies. */
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import type { Peers } from "../ports/peers.ts";
import { probe } from "./probe.ts";

export function createPeers(): Peers {
  return {
    watch(address, onClose) {
      const url = new URL(`${address.replace(/\/+$/, "")}/healthz/lifeline`);
      const get = url.protocol === "https:" ? httpsGet : httpGet;
      // Not shared with other requests, which might close it.
      const request = get(url, { agent: false, headers: { accept: "text/event-stream" } }, (answer) => answer.resume());
      // `close` follows an error and is handled once.
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

/** Removes the brackets of an IPv6 address in a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
