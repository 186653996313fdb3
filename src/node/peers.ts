/** Watches another master's process through an open connection, which its kernel closes at once when the process dies. */
import { get as httpGet } from "node:http";
import { get as httpsGet } from "node:https";
import type { Nonce } from "../model/ids.ts";
import { beatClaim, type LeaderBeat, watchClaim } from "../model/lease.ts";
import { type PeerKey, type Peers, peerHeader } from "../ports/peers.ts";
import { noCertificate, type ShowCertificate } from "../ports/transport.ts";
import { readStream } from "./httpAnswer.ts";
import { probe } from "./probe.ts";

/** @param key of the token that all masters share; null if they have none */
export function createPeers(key: PeerKey | null, showCertificate: ShowCertificate = noCertificate): Peers {
  return {
    watch(address, { onBeat, onClose }) {
      const url = new URL(`${address.replace(/\/+$/, "")}/healthz/lifeline`);
      const isSecure = url.protocol === "https:";
      const get = isSecure ? httpsGet : httpGet;
      const leaving = new AbortController();
      const proof = key === null ? {} : { [peerHeader]: key.sign(watchClaim(address)) };
      const headers = { accept: "text/event-stream", ...proof };
      // Not shared with other requests, which might close it.
      const request = get(url, { agent: false, headers, ...(isSecure && showCertificate()) }, (answer) => {
        readStream(answer, leaving.signal, (data) => {
          const beat = readBeat(data, key);
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

/** Null for what is no beat: of another version, of something that is no master, or of somebody without the masters' token. */
function readBeat(data: string, key: PeerKey | null): LeaderBeat | null {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { signature, ...fields } = value as { readonly [Key in keyof LeaderBeat | "signature"]?: unknown };
  const { epoch, nonce, beat, ttlMs, seq, isResigned } = fields;
  if (!isCount(epoch) || !isCount(beat) || !isCount(ttlMs) || !isCount(seq)) return null;
  if (typeof nonce !== "string" || typeof isResigned !== "boolean") return null;
  const told = { epoch, nonce: nonce as Nonce, beat, ttlMs, seq, isResigned };
  if (key !== null && (typeof signature !== "string" || !key.verifies(beatClaim(told), signature))) return null;
  return told;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Removes the brackets of an IPv6 address in a URL. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, "");
}
