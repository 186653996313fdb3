/** Decides who a request comes from, and whether its route is for him. */
import { timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyRequest } from "fastify";
import type { MasterApi } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { beatClaim, type LeaderBeat, watchClaim } from "../../model/lease.ts";
import { defaults } from "../../model/limits.ts";
import { anybody, may, ownWorker, type Principal, principalName, root } from "../../model/principals/principal.ts";
import { peerHeader } from "../../ports/peers.ts";
import { relayedClientHeader, relayedHeader, statusOrNull } from "../http/headers.ts";
import { checkHost, checkOrigin, isLoopback, TokenCheck } from "./access.ts";
import { type CookieSettings, csrfHeader, csrfToken, readCookie } from "./cookies.ts";
import type { Grant } from "./grant.ts";
import type { Access } from "./routeAccess.ts";

/** How the server can be reached, which decides what a browser's request must show. */
export interface Reach {
  readonly isTls: boolean;
  /** A proxy in front of the master ends TLS, and tells where requests come from. */
  readonly isBehindProxy: boolean;
}

export class Guard {
  readonly #master: MasterApi;
  readonly #rootToken: TokenCheck | null;
  readonly #workerToken: TokenCheck | null;
  readonly reach: Reach;

  /** @param workerToken with it a worker may do what workers do; unlike a root token it asks nobody else for a credential */
  constructor(master: MasterApi, rootToken: TokenCheck | null, reach: Reach, workerToken?: string) {
    this.#master = master;
    this.#rootToken = rootToken;
    this.#workerToken = workerToken === undefined ? null : new TokenCheck(workerToken);
    this.reach = reach;
  }

  /** True where nobody needs a credential. */
  get isOpen(): boolean {
    const { principals } = this.#master;
    return this.#rootToken === null && principals.isKnown && principals.isEmpty;
  }

  /**
   * Checks what does not depend on the caller: no page of others may call, and no name that is not this master's.
   * @throws OutlastError `forbidden`
   */
  checkSource(request: FastifyRequest, isSignIn: boolean): void {
    const { host, origin, cookie } = request.headers;
    checkOrigin(origin, this.reach.isBehindProxy ? request.host : host);
    // With TLS, a foreign name has no certificate of ours; a proxy knows its names itself.
    const isNameKnown = this.reach.isTls || this.reach.isBehindProxy || request.headers[relayedHeader] !== undefined;
    const isAtStake = isSignIn || cookie !== undefined || this.#rootToken === null;
    if (isAtStake && !isNameKnown) checkHost(host, statusOrNull(this.#master)?.address ?? "");
    else if (this.#rootToken === null && this.isOpen) checkHost(host, statusOrNull(this.#master)?.address ?? "");
  }

  /** @throws OutlastError `unauthorized`; `forbidden` for a change that a foreign page may have made */
  async identify(request: FastifyRequest): Promise<Grant> {
    const address = this.addressOf(request);
    const bearer = bearerOf(request.headers.authorization);
    if (bearer !== null && this.#rootToken?.matches(bearer) === true) return grant(root, address);
    if (bearer !== null && this.#workerToken?.matches(bearer) === true) return grant(ownWorker, address);
    await this.#untilKnown();
    if (bearer !== null) return this.#byBearer(bearer, address);
    const secret = this.cookieOf(request);
    if (secret !== null) return this.#byCookie(request, secret, address);
    if (this.isOpen) return grant(anybody, address);
    throw new OutlastError("unauthorized", "A token or a session is required.", {
      hint: "Send a token as `Authorization: Bearer TOKEN`, or sign in. The command line reads it from OUTLAST_TOKEN, --token-file, or `outlast login`.",
    });
  }

  /** True for a master that shows that it has the token that all share, and for everybody where nobody needs a credential. */
  isPeer(request: FastifyRequest): boolean {
    const signature = request.headers[peerHeader];
    if (this.#rootToken === null || typeof signature !== "string") return this.isOpen;
    return this.#rootToken.verifies(watchClaim(statusOrNull(this.#master)?.address ?? ""), signature);
  }

  /** What a leader tells, so that those who have the masters' token can see that it comes from one. */
  signed(beat: LeaderBeat): LeaderBeat & { readonly signature?: string } {
    return this.#rootToken === null ? beat : { ...beat, signature: this.#rootToken.sign(beatClaim(beat)) };
  }

  /** @throws OutlastError `forbidden` */
  check({ principal, address }: Grant, access: Access, action: string, target: string | undefined): void {
    const { needs, of, isForWorkers } = access;
    if (needs === "everybody" || needs === "signed-in") return;
    if (isForWorkers === true && may(principal, "work")) return;
    const isMissing = !may(principal, needs);
    if (!isMissing && (of !== "all" || principal.queues === null)) return;
    this.#master.principals.noteRefusal({
      by: principalName(principal),
      action,
      ...(target !== undefined && { target }),
      ...(address !== "" && { address }),
    });
    if (isMissing) {
      const who = principal.kind === "user" ? `User ${principal.name}` : `Token ${principal.name}`;
      throw new OutlastError("forbidden", `${who} has the role ${principal.role}, which may not do this.`, {
        needs,
        hint: "docs/api.md lists what each role may do. An admin can change roles.",
      });
    }
    throw new OutlastError("forbidden", "This is for users and tokens that are not bound to queues.");
  }

  /** False once the credential is gone, has expired, or its user was changed. */
  isCurrent({ principal, credential }: Grant): boolean {
    const { principals } = this.#master;
    if (principal.kind === "root" || principal === ownWorker) return true;
    if (!principals.isKnown) return false;
    if (credential === null) return this.isOpen;
    if (!principals.isCurrent(credential)) return false;
    if (credential.kind === "token") return true;
    return principals.findUser(principal.name)?.changedAt === credential.userChangedAt;
  }

  cookieOf(request: FastifyRequest): string | null {
    const settings = this.cookieSettings(request);
    return settings === null ? null : readCookie(request.headers.cookie, settings);
  }

  /** Null while this master is opening its store. */
  cookieSettings(request: FastifyRequest): CookieSettings | null {
    const status = statusOrNull(this.#master);
    const isSecure = request.headers[relayedHeader] === "https" || request.protocol === "https";
    return status === null ? null : { incarnation: status.incarnation, isSecure };
  }

  /** A master tells where a request came from that it relays. Anybody else who says so is not believed. */
  addressOf(request: FastifyRequest): string {
    // The address is gone once the caller has disconnected.
    const ip: string | undefined = request.ip;
    const own = (ip ?? "").replace(/^::ffff:/, "");
    const told = request.headers[relayedClientHeader];
    const isTold = typeof told === "string" && isIP(told) !== 0 && request.headers[relayedHeader] !== undefined;
    return isTold && this.#isMaster(own) ? told : own;
  }

  #isMaster(address: string): boolean {
    if (isLoopback(address)) return true;
    return this.#master.members().some((member) => {
      return URL.canParse(member.address) && new URL(member.address).hostname.replace(/^\[|\]$/g, "") === address;
    });
  }

  #byBearer(secret: string, address: string): Grant {
    const { principals } = this.#master;
    if (secret.startsWith("ols_")) return this.#bySession(secret, address);
    const token = principals.findToken(secret);
    if (token === null) {
      throw new OutlastError("unauthorized", "The token is wrong, was removed, or has expired.");
    }
    const { name, role, queues = null } = token;
    const credential = { kind: "token", id: name } as const;
    principals.noteUse(credential);
    return { principal: { kind: "token", name, role, queues }, credential, sessionSecret: null, address };
  }

  #byCookie(request: FastifyRequest, secret: string, address: string): Grant {
    const session = this.#bySession(secret, address);
    if (request.method === "GET" || request.method === "HEAD") return session;
    const { origin } = request.headers;
    // The origin of a relayed request was checked where it came in. No page of others can set that header.
    if (origin === undefined && request.headers[relayedHeader] === undefined)
      throw new OutlastError("forbidden", "A change with a cookie needs the header Origin.");
    const given = request.headers[csrfHeader];
    if (typeof given !== "string" || !isEqual(given, csrfToken(secret))) {
      throw new OutlastError("forbidden", `A change with a cookie needs the header ${csrfHeader}.`, {
        hint: "GET /v1/session tells its value as `csrf`.",
      });
    }
    return session;
  }

  #bySession(secret: string, address: string): Grant {
    const { principals } = this.#master;
    const session = principals.findSession(secret);
    const user = session === null ? null : principals.findUser(session.user);
    if (session === null || user === null) {
      throw new OutlastError("unauthorized", "The session is over.", { hint: "Sign in again." });
    }
    const { name, role, queues = null, changedAt } = user;
    const credential = { kind: "session", id: session.id, userChangedAt: changedAt } as const;
    principals.noteUse(credential);
    return { principal: { kind: "user", name, role, queues }, credential, sessionSecret: secret, address };
  }

  /** A master that has only just started has yet to read who there is. */
  async #untilKnown(): Promise<void> {
    const until = performance.now() + defaults.electionWaitMs;
    while (!this.#master.principals.isKnown) {
      if (performance.now() >= until)
        throw new OutlastError("unavailable", "This master is still reading its journal.", { hint: "Try again." });
      await sleep(defaults.leaderPollMs);
    }
  }
}

function grant(principal: Principal, address: string): Grant {
  return { principal, credential: null, sessionSecret: null, address };
}

function bearerOf(authorization: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1] ?? null;
}

function isEqual(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}
