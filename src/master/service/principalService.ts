/** Users, tokens, sessions and the audit record as the API sees them. Secrets are made and hashed here. */

import { hash, randomBytes } from "node:crypto";
import type { Principals } from "../../core/scheduler/principals.ts";
import { OutlastError } from "../../model/errors.ts";
import { defaults, limits } from "../../model/limits.ts";
import { type AuditRecord, auditIdBefore } from "../../model/principals/audit.ts";
import type { NewToken, NewUser, UserChange } from "../../model/principals/changes.ts";
import type { Actor } from "../../model/principals/principal.ts";
import {
  type SessionOwner,
  type SessionRecord,
  type TokenRecord,
  type TokenView,
  toTokenView,
  toUserView,
  type UserRecord,
  type UserView,
} from "../../model/principals/records.ts";
import { wallTime } from "../../ports/clock.ts";
import type { Inbox } from "../journal/inbox.ts";
import type { MasterState } from "../masterState.ts";
import type { Changes } from "../streams/changes.ts";
import { Passwords } from "./passwords.ts";
import type {
  AuditPage,
  AuditQuery,
  OpenedSession,
  PrincipalApi,
  SignedIn,
  SignIn,
  TokenSignIn,
} from "./principalApi.ts";
import { Refusals } from "./refusalNotes.ts";
import type { ServiceCalls } from "./templateService.ts";

/** Tells tokens from session secrets and from other programs' secrets, for people and for scanners. */
const tokenPrefix = "olt_";
const sessionPrefix = "ols_";
const secretBytes = 32;

export interface PrincipalServiceParts {
  readonly state: MasterState;
  readonly inbox: Inbox;
  readonly changes: Changes;
}

export class PrincipalService implements PrincipalApi {
  readonly #calls: ServiceCalls;
  readonly #state: MasterState;
  readonly #inbox: Inbox;
  readonly #changes: Changes;
  readonly #passwords = new Passwords();
  readonly #refusals: Refusals;

  constructor(calls: ServiceCalls, { state, inbox, changes }: PrincipalServiceParts) {
    this.#calls = calls;
    this.#changes = changes;
    this.#state = state;
    this.#inbox = inbox;
    this.#refusals = new Refusals(calls.clock, (refusals) => {
      if (state.role === "leader") inbox.push({ kind: "note-refusals", refusals });
    });
  }

  get isKnown(): boolean {
    return this.#state.scheduler !== null;
  }

  get isEmpty(): boolean {
    return this.#memory.isEmpty;
  }

  findUser(name: string): UserRecord | null {
    return this.#memory.users.get(name) ?? null;
  }

  findToken(secret: string): TokenRecord | null {
    const token = this.#memory.tokenOfHash(sha256(secret));
    return token === undefined || this.#isTokenOver(token) ? null : token;
  }

  findSession(secret: string): SessionRecord | null {
    const session = this.#memory.sessions.get(sha256(secret));
    return session === undefined || this.#isOver(session.expiresAt) ? null : session;
  }

  tokenOf({ tokenHash }: SessionRecord): TokenRecord | null {
    const token = tokenHash === undefined ? undefined : this.#memory.tokenOfHash(tokenHash);
    return token === undefined || this.#isTokenOver(token) ? null : token;
  }

  isCurrent({ kind, id }: { readonly kind: "session" | "token"; readonly id: string }): boolean {
    const { tokens, sessions } = this.#memory;
    if (kind === "token") {
      const token = tokens.get(id);
      return token !== undefined && !this.#isTokenOver(token);
    }
    const session = sessions.get(id);
    if (session === undefined || this.#isOver(session.expiresAt)) return false;
    return session.tokenHash === undefined || this.tokenOf(session) !== null;
  }

  onChange(listener: () => void): () => void {
    return this.#changes.onPrincipals(listener);
  }

  users(): readonly UserView[] {
    return [...this.#memory.users.values()].map(toUserView).sort(byName);
  }

  async addUser({ password, ...user }: NewUser, by?: Actor): Promise<UserView> {
    this.#calls.checkLeading();
    checkRole(user);
    const kept = { ...user, password: await this.#passwords.hash(checkPassword(password)) };
    await this.#calls.ask((request) => ({ kind: "add-user", request, user: kept }), by);
    const record = this.#memory.users.get(user.name);
    if (record === undefined) throw new OutlastError("conflict", `User ${user.name} was removed meanwhile.`);
    return toUserView(record);
  }

  async changeUser(name: string, { password, ...more }: UserChange, by?: Actor): Promise<void> {
    this.#calls.checkLeading();
    const hashed = password === undefined ? null : await this.#passwords.hash(checkPassword(password));
    const change = { ...more, ...(hashed !== null && { password: hashed }) };
    await this.#calls.ask((request) => ({ kind: "change-user", request, name, change }), by);
  }

  async removeUser(name: string, by?: Actor): Promise<void> {
    await this.#calls.ask((request) => ({ kind: "remove-user", request, name }), by);
  }

  async checkPassword(name: string, password: string): Promise<void> {
    if (!(await this.#passwords.isRight(password, this.findUser(name)?.password ?? null))) throw wrong();
  }

  tokens(): readonly TokenView[] {
    return [...this.#memory.tokens.values()].map(toTokenView).sort(byName);
  }

  async addToken(token: NewToken, by?: Actor): Promise<TokenView & { readonly token: string }> {
    this.#calls.checkLeading();
    checkRole(token);
    if (this.#isTokenOver(token))
      throw new OutlastError("invalid", "The token would have expired already.", { path: "/expiresAt" });
    const secret = `${tokenPrefix}${randomBytes(secretBytes).toString("base64url")}`;
    const kept = { ...token, hash: sha256(secret) };
    await this.#calls.ask((request) => ({ kind: "add-token", request, token: kept }), by);
    const record = this.#memory.tokens.get(token.name);
    if (record === undefined) throw new OutlastError("conflict", `Token ${token.name} was removed meanwhile.`);
    return { ...toTokenView(record), token: secret };
  }

  async removeToken(name: string, by?: Actor): Promise<void> {
    await this.#calls.ask((request) => ({ kind: "remove-token", request, name }), by);
  }

  async signIn({ name, password, address, replaces }: SignIn): Promise<SignedIn> {
    this.#calls.checkLeading();
    const user = this.findUser(name);
    if (!(await this.#passwords.isRight(password, user?.password ?? null)) || user === null) {
      this.noteRefusal({ by: "", action: "sign-in", target: name, address });
      throw wrong();
    }
    const { changedAt } = user;
    const opened = await this.#open(newSecret(), { kind: "user", name, changedAt }, address, replaces);
    return { ...opened, user: toUserView(user) };
  }

  async signInByToken({ token, address, replaces, sign }: TokenSignIn): Promise<OpenedSession> {
    this.#calls.checkLeading();
    const secret = newSecret();
    if (token === null) return this.#open(`${secret}.${sign(secret)}`, { kind: "root" }, address, replaces);
    const { name, hash: tokenHash } = token;
    return this.#open(secret, { kind: "token", name, hash: tokenHash }, address, replaces);
  }

  async signOut(id: string, by?: Actor): Promise<void> {
    await this.#calls.ask((request) => ({ kind: "close-session", request, id }), by);
  }

  noteUse({ kind, id }: { readonly kind: "session" | "token"; readonly id: string }): void {
    if (this.#state.role !== "leader" || this.#state.isTurningAway) return;
    const now = this.#calls.clock.now();
    const { sessions, tokens } = this.#memory;
    const notedAt =
      kind === "token" ? (tokens.get(id)?.lastUsedAt ?? 0) : (sessions.get(id)?.expiresAt ?? now) - defaults.sessionMs;
    if (now - notedAt >= defaults.useNoteMs) this.#inbox.push({ kind: "note-use", credential: kind, id });
  }

  noteRefusal(refusal: Omit<AuditRecord, "at" | "outcome" | "count">): void {
    if (this.#state.role === "leader") this.#refusals.note(refusal);
  }

  async audit({ cursor, limit, before, after, ...filters }: AuditQuery): Promise<AuditPage> {
    const { read, store } = this.#calls;
    const found: AuditRecord[] = [];
    const from = before === undefined ? "" : auditIdBefore(before - 1);
    let place = cursor !== null && cursor > from ? cursor : from;
    for (let scanned = 0; scanned < limits.auditScanMax; ) {
      const query = { limit: limits.pageMax, ...(place !== "" && { after: place }) };
      const { records, isMore } = await read(() => store.listRecords("audit", query));
      scanned += records.length;
      for (const { id, value } of records) {
        if (after !== undefined && value.at < after) return { records: found, cursor: null };
        place = id;
        if (matches(value, filters)) found.push(value);
        if (found.length === limit) return { records: found, cursor: place };
      }
      if (!isMore) return { records: found, cursor: null };
    }
    return { records: found, cursor: place };
  }

  async #open(secret: string, owner: SessionOwner, address: string, replaces: string | null): Promise<OpenedSession> {
    const id = sha256(secret);
    const session = { id, owner, address, replaces: replaces === null ? null : sha256(replaces) };
    const by = {
      name: owner.kind === "root" ? "root" : `${owner.kind}:${owner.name}`,
      ...(address !== "" && { address }),
    };
    const reply = await this.#calls.ask((request) => ({ kind: "open-session", request, session }), by);
    if (reply.kind !== "session") throw new Error(`The scheduler answered ${reply.kind} to a sign-in.`);
    return { secret, expiresAt: reply.expiresAt };
  }

  get #memory(): Principals {
    const { scheduler } = this.#state;
    if (scheduler === null) throw new OutlastError("unavailable", "This master is still reading its journal.");
    return scheduler.principals;
  }

  #isOver(expiresAt: number): boolean {
    return expiresAt <= this.#calls.clock.now();
  }

  /** Whoever made the token has named an instant by the wall clock. */
  #isTokenOver({ expiresAt }: Pick<TokenRecord, "expiresAt">): boolean {
    return expiresAt !== undefined && expiresAt <= wallTime(this.#calls.clock);
  }
}

function matches(record: AuditRecord, { by, action, target, outcome }: Omit<AuditQuery, "cursor" | "limit">): boolean {
  return (
    (by === undefined || record.by === by) &&
    (action === undefined || record.action === action) &&
    (target === undefined || record.target === target) &&
    (outcome === undefined || record.outcome === outcome)
  );
}

function checkPassword(password: string): string {
  if (password.length >= limits.passwordLengthMin) return password;
  throw new OutlastError("invalid", `A password has at least ${limits.passwordLengthMin} characters.`, {
    path: "/password",
    limit: "passwordLengthMin",
  });
}

function checkRole({ role, queues }: Pick<NewToken, "role" | "queues">): void {
  if (role !== "admin" || queues === undefined) return;
  throw new OutlastError("invalid", "An admin cannot be bound to queues.", { path: "/queues" });
}

function newSecret(): string {
  return `${sessionPrefix}${randomBytes(secretBytes).toString("base64url")}`;
}

function wrong(): OutlastError {
  return new OutlastError("unauthorized", "The name or the password is wrong.", {
    hint: "An admin gives a user a new password with `outlast user passwd NAME`.",
  });
}

function sha256(secret: string): string {
  return hash("sha256", secret);
}

function byName(one: { readonly name: string }, other: { readonly name: string }): number {
  return one.name < other.name ? -1 : 1;
}
