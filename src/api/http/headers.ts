/** The headers that every answer carries, and those that a standby passes on. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import type { MasterApi, MasterStatus } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";

/** This API is for programs: nothing of it is ever to be run, framed, sniffed or kept by a browser. */
const securityHeaders = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
} as const;

/** Security headers, and how far this master has seen the journal: the answer is at least as new as that. */
export function everyHeader(master: MasterApi): { readonly [name: string]: string } {
  const status = statusOrNull(master);
  return {
    ...securityHeaders,
    "x-outlast-epoch": String(status?.epoch ?? 0),
    "x-outlast-seq": String(status?.seq ?? 0),
  };
}

/** Null while the master is still opening its store: the API is there first, to say so. */
export function statusOrNull(master: MasterApi): MasterStatus | null {
  try {
    return master.status();
  } catch (error) {
    if (error instanceof OutlastError && error.code === "unavailable") return null;
    throw error;
  }
}

/** Stands on what a standby passes on, so that it is passed on once only. */
export const relayedHeader = "x-outlast-relayed";

/** What belongs to one connection (RFC 9110, 7.6.1), and what speaks to this master alone. */
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
  // The standby has checked them by its own names.
  "host",
  "origin",
]);

/** The headers of a request or an answer that are meant for the other end. */
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
