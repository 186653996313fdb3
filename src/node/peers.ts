/** Watches another master's process through an open connection, which its kernel closes at once when the process dies. */
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import type { Nonce } from "../model/ids.ts";
import type { LeaderBeat } from "../model/lease.ts";
import type { Peers } from "../ports/peers.ts";
import { readStream } from "./httpAnswer.ts";
import { probe } from "./probe.ts";

/** @param token the one that all masters share; null if they have none */
export function createPeers(token: string | null): Peers {
  return {
    watch(address, { onBeat, onClose }) {
      const url = new URL(`${address.replace(/\/+$/, "")}/healthz/lifeline`);
      const get = url.protocol === "https:" ? httpsGet : httpGet;
      const leaving = new AbortController();
      const headers = { accept: "text/event-stream", ...(token !== null && { authorization: `Bearer ${token}` }) };
      // Not shared with other requests, which might close it.
      const request = get(url, { agent: false, headers }, (answer) => {
        readStream(answer, leaving.signal, (data) => {
          const beat = readBeat(data);
          if (beat !== null) onBeat(beat);
        }).catch(() => request.destroy());
      });
      // `close` follows an error and is handled once.
      request.on("error", () => undefined);
      request.once("close", onClose);
      return {
        close(): void {
          leaving.abort();
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

/** Null for what is no beat: of another version, or of something that is no master. */
function readBeat(data: string): LeaderBeat | null {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { epoch, nonce, beat, ttlMs, seq, isResigned } = value as { readonly [Key in keyof LeaderBeat]?: unknown };
  if (!isCount(epoch) || !isCount(beat) || !isCount(ttlMs) || !isCount(seq)) return null;
  if (typeof nonce !== "string" || typeof isResigned !== "boolean") return null;
  return { epoch, nonce: nonce as Nonce, beat, ttlMs, seq, isResigned };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Removes the brackets of an IPv6 address in a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
