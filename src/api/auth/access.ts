/** Who may talk to this master: the token, and the checks that keep web pages of others from using a browser as their arm. */
import { hash, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";

/** The token itself is forgotten; its hash has one length, so that comparing takes one time. */
export class TokenCheck {
  readonly #hash: Buffer;
  readonly isLongEnough: boolean;

  constructor(token: string) {
    this.#hash = digest(token);
    this.isLongEnough = token.length >= limits.tokenLengthMin;
  }

  /** @throws OutlastError `unauthorized` */
  check(authorization: string | undefined): void {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (given === undefined) {
      throw new OutlastError("unauthorized", "A token is needed here.", {
        hint: "Send it as `Authorization: Bearer TOKEN`; the command line takes it from OUTLAST_TOKEN or --token.",
      });
    }
    if (!timingSafeEqual(digest(given), this.#hash)) {
      throw new OutlastError("unauthorized", "This token is not the master's.");
    }
  }
}

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/**
 * Without a token, whatever reaches the port is obeyed. A page whose own name was made to point here (DNS rebinding) comes
 * with that name in `Host`; so only names that nobody else can own are taken: addresses, localhost, and what this master is called.
 * @throws OutlastError `forbidden`
 */
export function checkHost(host: string | undefined, masterAddress: string): void {
  const name = hostName(host);
  if (name === null) throw new OutlastError("bad-request", "The request does not say which host it is meant for.");
  if (isIP(name) !== 0 || name === "localhost" || name.endsWith(".localhost")) return;
  if (URL.canParse(masterAddress) && name === hostName(new URL(masterAddress).host)) return;
  throw new OutlastError("forbidden", `This master is not called ${JSON.stringify(name.slice(0, 80))}.`, {
    hint: "Ask by address or localhost, start the master with --advertise and this name, or set a token.",
  });
}

/**
 * Browsers say where a page came from; only our own pages may call. There is no CORS.
 * @throws OutlastError `forbidden`
 */
export function checkOrigin(origin: string | undefined, host: string | undefined): void {
  if (origin === undefined) return;
  if (URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()) return;
  throw new OutlastError("forbidden", "Pages of another origin may not use this API.", {
    hint: "Call it from a server, or through one of your own.",
  });
}

/** Name or address without the port, in small letters and without brackets; null if there is none. */
function hostName(host: string | undefined): string | null {
  if (host === undefined || !URL.canParse(`http://${host}/`)) return null;
  const { hostname } = new URL(`http://${host}/`);
  return hostname.replace(/^\[|\]$/g, "");
}

/** True for addresses that only this machine can reach. */
export function isLoopback(address: string): boolean {
  return address === "localhost" || address === "::1" || (isIP(address) === 4 && address.startsWith("127."));
}

/**
 * Whoever reaches the API can run commands on every worker: beyond this machine, only with a token worth the name.
 * @throws OutlastError `bad-request`
 */
export function checkExposure(address: string, token: TokenCheck | null): void {
  if (isLoopback(address)) return;
  if (token === null) {
    throw new OutlastError(
      "bad-request",
      `Refusing to listen on ${address} without a token: anybody there could run commands on the workers.`,
      {
        hint: "Set OUTLAST_TOKEN (try `openssl rand -base64 32`), or listen on 127.0.0.1.",
      },
    );
  }
  if (!token.isLongEnough) {
    throw new OutlastError("bad-request", `The token is too short to listen on ${address} with it.`, {
      limit: "tokenLengthMin",
      hint: `Take at least ${limits.tokenLengthMin} random characters: \`openssl rand -base64 32\`.`,
    });
  }
}
