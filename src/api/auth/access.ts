/** Access control: the token, and the checks that stop foreign web pages from calling the API through a user's browser. */
import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import type { PeerKey } from "../../ports/peers.ts";

/** Keeps only a hash of the token. Hashes have equal lengths, so comparing takes constant time. */
export class TokenCheck implements PeerKey {
  readonly #hash: Buffer;
  readonly isLongEnough: boolean;

  constructor(token: string) {
    this.#hash = digest(token);
    this.isLongEnough = token.length >= limits.tokenLengthMin;
  }

  matches(token: string): boolean {
    return timingSafeEqual(digest(token), this.#hash);
  }

  /** Shows to others with this token that the claim is made by one of them. */
  sign(claim: string): string {
    return createHmac("sha256", this.#hash).update(claim).digest("base64url");
  }

  verifies(claim: string, signature: string): boolean {
    return timingSafeEqual(digest(signature), digest(this.sign(claim)));
  }

  /** Of the header `authorization`. @throws OutlastError `unauthorized` */
  check(authorization: string | undefined): void {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (given === undefined || !this.matches(given))
      throw new OutlastError("unauthorized", "The token is missing or wrong.");
  }
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/**
 * Without a token, every request that reaches the port is served. A web page can make its own host name resolve to this machine
 * (DNS rebinding); its requests then carry that name in `Host`. So only names that nobody else can own are accepted: addresses,
 * localhost, the name that this master advertises, and those that its operator names.
 * @param others in lower case
 * @throws OutlastError `forbidden`
 */
export function checkHost(host: string | undefined, masterAddress: string, others: readonly string[] = []): void {
  const name = hostName(host);
  if (name === null) throw new OutlastError("bad-request", "The request has no Host header.");
  if (isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost")) return;
  if (URL.canParse(masterAddress) && name === hostName(new URL(masterAddress).host)) return;
  if (others.includes(name)) return;
  const shown = name.slice(0, 80);
  throw new OutlastError("forbidden", `The host name ${JSON.stringify(shown)} is not this master's.`, {
    hint: `If it is yours, such as that of a load balancer, start every master with --host-names ${shown} (OUTLAST_HOST_NAMES), or with --behind-proxy behind a proxy that has TLS. Otherwise use an IP address or localhost.`,
  });
}

/**
 * Browsers send the origin of a page. Only pages of this master may call; there is no CORS.
 * @throws OutlastError `forbidden`
 */
export function checkOrigin(origin: string | undefined, host: string | undefined): void {
  if (origin === undefined) return;
  if (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()) return;
  throw new OutlastError("forbidden", "Web pages of another origin may not call this API.", {
    hint: "Call it from a server.",
  });
}

/** The host name or address without port and brackets, in lower case; null if there is none. */
function hostName(host: string | undefined): string | null {
  const url = host === undefined ? null : URL.parse(`http://${host}/`);
  return url === null ? null : url.hostname.replace(/^\[|\]$/g, "");
}

/** True for addresses that only this machine can reach. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/**
 * Anybody who can reach the API can run commands on every worker. So an address beyond this machine needs a strong token.
 * @throws OutlastError `bad-request`
 */
export function checkExposure(address: string, token: TokenCheck | null): void {
  if (isLoopback(address)) return;
  if (token === null) {
    throw new OutlastError(
      "bad-request",
      `Refusing to listen on ${address} without a token: anybody on that network could run commands on the workers.`,
      {
        hint: "Set OUTLAST_TOKEN (try `openssl rand -base64 32`), or listen on 127.0.0.1.",
      },
    );
  }
  if (!token.isLongEnough) {
    throw new OutlastError("bad-request", `The token is too short to listen on ${address}.`, {
      limit: "tokenLengthMin",
      hint: `Use at least ${limits.tokenLengthMin} random characters, for example from \`openssl rand -base64 32\`.`,
    });
  }
}
