/** Decides who a request comes from, and whether its route is for him. */
import { timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import type { FastifyRequest } from "fastify";
import type { MasterApi } from "../../master/service/masterApi.ts";
import { OutlastError } from "../../model/errors.ts";
import { beatClaim, type LeaderBeat, watchClaim } from "../../model/lease.ts";
import { defaults } from "../../model/limits.ts";
import { anybody, may, ownWorker, type Principal, principalName, root } from "../../model/principals/principal.ts";
import type { SessionRecord, TokenRecord } from "../../model/principals/records.ts";
import { peerHeader } from "../../ports/peers.ts";
import { relayedClientHeader, relayedHeader, statusOrNull } from "../http/headers.ts";
import { checkHost, checkOrigin, isLoopback, TokenCheck } from "./access.ts";
import { BearerDelays } from "./bearerDelays.ts";
import { type CookieSettings, csrfHeader, csrfToken, readCookie } from "./cookies.ts";
import type { Grant } from "./grant.ts";
import type { Access } from "./routeAccess.ts";

/** How the server can be reached, which decides what a browser's request must show. */
export interface Reach {
  readonly isTls: boolean;
  /** A proxy in front of the master ends TLS, and tells where requests come from. */
  readonly isBehindProxy: boolean;
  /** Names besides that of its own address, such as a load balancer's; in lower case. */
  readonly hostNames: readonly string[];
  /** True where workers must show a certificate. */
  readonly asksWorkers: boolean;
}

export class Guard {
  readonly #master: MasterApi;
  readonly #rootToken: TokenCheck | null;
  readonly #workerToken: TokenCheck | null;
  readonly #bearers: BearerDelays;
  readonly reach: Reach;

  /** @param workerToken with it a worker may do what workers do; unlike a root token it asks nobody else for a credential */
  constructor(master: MasterApi, rootToken: TokenCheck | null, reach: Reach, workerToken?: string) {
    this.#master = master;
    this.#rootToken = rootToken;
    this.#workerToken = workerToken === undefined ? null : new TokenCheck(workerToken);
    this.#bearers = new BearerDelays(rootToken?.isLongEnough === true);
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
    if ((isAtStake && !isNameKnown) || (this.#rootToken === null && this.isOpen))
      checkHost(host, statusOrNull(this.#master)?.address ?? "", this.reach.hostNames);
  }

  /** Whatever a token says, a worker must also have a certificate where they are asked for one. @throws OutlastError `forbidden` */
  checkCertificate(request: FastifyRequest, access: Access | undefined): void {
    const isForWorker = access?.needs === "work" || request.grant?.principal.role === "worker";
    if (!this.reach.asksWorkers || !isForWorker) return;
    const socket = request.raw.socket as TLSSocket;
    if (socket.authorized && socket.getPeerX509Certificate() !== undefined) return;
    throw new OutlastError("forbidden", "A worker must show a certificate here, signed by the masters' authority.", {
      hint: "Start it with --tls-client-cert and --tls-client-key. Masters show their own certificate to each other, so it must be signed by this authority, too, and be for servers and clients.",
    });
  }

  /** @throws OutlastError `unauthorized`; `forbidden` for a change that a foreign page may have made */
  async identify(request: FastifyRequest): Promise<Grant> {
    const address = this.addressOf(request);
    const bearer = bearerOf(request.headers.authorization);
    if (bearer !== null) return this.identifyBearer(bearer, address);
    await this.#untilKnown();
    const secret = this.cookieOf(request);
    if (secret !== null) return this.#byCookie(request, secret, address);
    if (this.isOpen) return grant(anybody, address);
    throw new OutlastError("unauthorized", "A token or a session is required.", {
      hint: "Send a token as `Authorization: Bearer TOKEN`, or sign in. The command line reads it from OUTLAST_TOKEN, --token-file, or `outlast login`.",
    });
  }

  /**
   * What a token or a session's secret is worth. Guessing is slow: after wrong ones from an address, others from there are refused
   * for a while. Right ones that cannot be guessed are taken all the same, so nobody shuts out his neighbours.
   * @throws OutlastError `unauthorized`, `too-many`
   */
  async identifyBearer(secret: string, address: string): Promise<Grant> {
    if (this.#rootToken?.matches(secret) === true) {
      this.#bearers.checkRoot(address);
      return grant(root, address);
    }
    if (this.#workerToken?.matches(secret) === true) return grant(ownWorker, address);
    await this.#untilKnown();
    const found = await this.#orSoon(secret, () => {
      return secret.startsWith("ols_") ? this.#findSession(secret, address) : this.#findToken(secret, address);
    });
    if (found !== null) return found;
    this.#bearers.noteWrong(address);
    throw secret.startsWith("ols_") ? sessionOver() : wrongToken();
  }

  /** Opens a session for a browser with a token: whatever it opens by itself, such as a download, is then signed in, too. */
  async signInByToken(secret: string, address: string, replaces: string | null): Promise<Opened> {
    const rootCheck = this.#rootToken;
    const { principal, credential } = await this.identifyBearer(secret, address);
    const { principals } = this.#master;
    const token = credential?.kind === "token" ? principals.findToken(secret) : null;
    if (token === null && (principal !== root || rootCheck === null)) throw wrongToken();
    const sign = (text: string) => rootCheck?.sign(sessionClaim(text)) ?? "";
    const opened = await principals.signInByToken({ token, address, replaces, sign });
    return { principal, sessionSecret: opened.secret, expiresAt: opened.expiresAt };
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
      action: actionOf(action),
      ...(target !== undefined && { target }),
      ...(address !== "" && { address }),
    });
    if (isMissing) {
      const who = principal.kind === "user" ? `User ${principal.name}` : `Token ${principal.name}`;
      throw new OutlastError("forbidden", `${who} has the role ${principal.role}, which may not do this.`, {
        needs,
        hint: "docs/access.md lists what each role may do. An admin can change roles.",
      });
    }
    throw new OutlastError("forbidden", "This is for users and tokens that are not bound to queues.");
  }

  /** False once the credential is gone, has expired, or its user was changed. */
  isCurrent({ principal, credential }: Grant): boolean {
    const { principals } = this.#master;
    if (principal === ownWorker || (principal.kind === "root" && credential === null)) return true;
    if (!principals.isKnown) return false;
    if (credential === null) return this.isOpen;
    if (!principals.isCurrent(credential)) return false;
    if (principal.kind !== "user") return true;
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

  #findToken(secret: string, address: string): Grant | null {
    const token = this.#master.principals.findToken(secret);
    if (token === null) return null;
    const credential = { kind: "token", id: token.name } as const;
    this.#master.principals.noteUse(credential);
    return { principal: tokenPrincipal(token), credential, sessionSecret: null, address };
  }

  async #byCookie(request: FastifyRequest, secret: string, address: string): Promise<Grant> {
    const session = await this.#orSoon(secret, () => this.#findSession(secret, address));
    if (session === null) throw sessionOver();
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

  #findSession(secret: string, address: string): Grant | null {
    const { principals } = this.#master;
    const session = principals.findSession(secret);
    if (session === null) return null;
    const owner = this.#ownerOf(session, secret);
    if (owner === null) return null;
    const credential = { kind: "session", id: session.id, ...owner.credential } as const;
    principals.noteUse(credential);
    return { principal: owner.principal, credential, sessionSecret: secret, address };
  }

  /** Null once the user or the token is gone. */
  #ownerOf(session: SessionRecord, secret: string): SessionOwner | null {
    const { principals } = this.#master;
    if (session.isRoot === true) {
      const [random = "", signature = ""] = secret.split(".");
      return this.#rootToken?.verifies(sessionClaim(random), signature) === true ? { principal: root } : null;
    }
    if (session.tokenHash !== undefined) {
      const token = principals.tokenOf(session);
      if (token === null) return null;
      principals.noteUse({ kind: "token", id: token.name });
      return { principal: tokenPrincipal(token) };
    }
    const user = principals.findUser(session.user);
    if (user === null) return null;
    const { name, role, queues = null, changedAt } = user;
    return { principal: { kind: "user", name, role, queues }, credential: { userChangedAt: changedAt } };
  }

  /** A standby has yet to read of a session or a token that the leader made a moment ago, so it looks for a while. */
  async #orSoon(secret: string, find: () => Grant | null): Promise<Grant | null> {
    const until = performance.now() + (/^ol[st]_/.test(secret) ? defaults.electionWaitMs : 0);
    for (;;) {
      const found = find();
      if (found !== null || statusOrNull(this.#master)?.role !== "standby" || performance.now() >= until) return found;
      await sleep(defaults.tailPollMs);
    }
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

interface SessionOwner {
  readonly principal: Principal;
  readonly credential?: { readonly userChangedAt: number };
}

interface Opened {
  readonly principal: Principal;
  readonly sessionSecret: string;
  readonly expiresAt: number;
}

function tokenPrincipal({ name, role, queues }: TokenRecord): Principal {
  return { kind: "token", name, role, queues: queues ?? null };
}

/** What a master with the root token signs in the secret of a session that was opened with it. */
function sessionClaim(random: string): string {
  return `session ${random}`;
}

function wrongToken(): OutlastError {
  return new OutlastError("unauthorized", "The token is wrong, was removed, or has expired.");
}

function sessionOver(): OutlastError {
  return new OutlastError("unauthorized", "The session is over.", { hint: "Sign in again." });
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

/** The audit record calls what was refused as it calls what was done: `drain-worker` for the route `drainWorker`. */
function actionOf(route: string): string {
  return route.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
