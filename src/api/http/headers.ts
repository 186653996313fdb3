/** The headers of every answer, and the choice of headers that a standby relays. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { MasterApi, MasterStatus } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";

/** Browsers must not run, frame, sniff or store anything from this API. */
const securityHeaders = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
} as const;

/** Security headers, and the seq that this master has read: the answer is at least that new. */
export function everyHeader(master: MasterApi): { readonly [name: string]: string } {
  const status = statusOrNull(master);
  return {
    ...securityHeaders,
    "x-outlast-epoch": String(status?.epoch ?? 0),
    "x-outlast-seq": String(status?.seq ?? 0),
  };
}

/** Null while the master is opening its store; the API listens before that. */
export function statusOrNull(master: MasterApi): MasterStatus | null {
  try {
    return master.status();
  } catch (error) {
    if (error instanceof OutlastError && error.code === "unavailable") return null;
    throw error;
  }
}

/** Marks a relayed request, so that it is relayed only once: `https` if it came in over TLS, else `1`. */
export const relayedHeader = "x-outlast-relayed";
/** Where a relayed request came from. */
export const relayedClientHeader = "x-outlast-relayed-client";

/** Hop-by-hop headers (RFC 9110, 7.6.1), and headers that concern this master alone. */
const notPassedOn: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  // The standby has checked these.
  "host",
  "origin",
  // They concern the connection to the standby, which tells them in its own words.
  "x-outlast-relayed",
  "x-outlast-relayed-client",
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "forwarded",
]);

/** The headers of a request or an answer that are relayed. */
export function passedOn(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const ofConnection = new Set(
    String(headers.connection ?? "")
      .toLowerCase()
      .split(",")
      .map((name) => name.trim()),
  );
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !notPassedOn.has(name) && !ofConnection.has(name)),
  );
}
