/** The memory of users, tokens and sessions. Masters that follow look requests' credentials up here, too. */
import { defaults, limits } from "../../model/limits.ts";
import type { SessionOwner, SessionRecord, TokenRecord, UserRecord } from "../../model/principals/records.ts";
import type { Batch } from "./effects.ts";
import type { RecordModule } from "./recordModule.ts";

export class Principals {
  readonly users = new Map<string, UserRecord>();
  readonly tokens = new Map<string, TokenRecord>();
  readonly sessions = new Map<string, SessionRecord>();
  readonly #tokenOfHash = new Map<string, TokenRecord>();
  readonly #sessionsOfOwner = new Map<string, Set<string>>();
  /** No session expires before this instant. */
  #quietUntil = Number.POSITIVE_INFINITY;

  /** True where nobody could sign in. */
  get isEmpty(): boolean {
    return this.users.size === 0 && this.tokens.size === 0;
  }

  tokenOfHash(hash: string): TokenRecord | undefined {
    return this.#tokenOfHash.get(hash);
  }

  sessionsOf(owner: SessionOwner): readonly SessionRecord[] {
    return [...(this.#sessionsOfOwner.get(ownerKey(owner)) ?? [])].flatMap((id) => this.sessions.get(id) ?? []);
  }

  readonly userModule: RecordModule<UserRecord> = {
    put: (name, record) => void (record === null ? this.users.delete(name) : this.users.set(name, record)),
    recordOf: (name) => this.users.get(name) ?? null,
  };

  readonly tokenModule: RecordModule<TokenRecord> = {
    put: (name, record) => {
      const before = this.tokens.get(name);
      if (before !== undefined) this.#tokenOfHash.delete(before.hash);
      this.tokens.delete(name);
      if (record === null) return;
      this.tokens.set(name, record);
      this.#tokenOfHash.set(record.hash, record);
    },
    recordOf: (name) => this.tokens.get(name) ?? null,
  };

  readonly sessionModule: RecordModule<SessionRecord> = {
    put: (id, record) => {
      const before = this.sessions.get(id);
      if (before !== undefined) this.#dropSession(before);
      if (record === null) return;
      this.sessions.set(id, record);
      const key = ownerKeyOf(record);
      const own = this.#sessionsOfOwner.get(key) ?? new Set();
      this.#sessionsOfOwner.set(key, own.add(id));
      this.#quietUntil = Math.min(this.#quietUntil, record.expiresAt);
    },
    recordOf: (id) => this.sessions.get(id) ?? null,
  };

  writeUser(batch: Batch, name: string, value: UserRecord | null): void {
    this.userModule.put(name, value, batch.now);
    batch.out.writes.push({ kind: "record", collection: "users", id: name, value });
  }

  writeToken(batch: Batch, name: string, value: TokenRecord | null): void {
    this.tokenModule.put(name, value, batch.now);
    batch.out.writes.push({ kind: "record", collection: "tokens", id: name, value });
  }

  writeSession(batch: Batch, id: string, value: SessionRecord | null): void {
    this.sessionModule.put(id, value, batch.now);
    batch.out.writes.push({ kind: "record", collection: "sessions", id, value });
  }

  endSessionsOf(batch: Batch, owner: SessionOwner): void {
    for (const { id } of this.sessionsOf(owner)) this.writeSession(batch, id, null);
  }

  /** Removes the sessions that have expired, as far as one entry should hold them. */
  endExpired(batch: Batch): void {
    if (batch.now < this.#quietUntil) return;
    const expired = [...this.sessions.values()].filter(({ expiresAt }) => expiresAt <= batch.now);
    for (const { id } of expired.slice(0, limits.expiredPerStepMax)) this.writeSession(batch, id, null);
    let next = Number.POSITIVE_INFINITY;
    for (const { expiresAt } of this.sessions.values()) next = Math.min(next, expiresAt);
    // Sessions that are used move their end on, so this is looked at now and then only.
    this.#quietUntil = Number.isFinite(next) ? Math.max(next, batch.now + defaults.refusalsMs) : next;
  }

  get nextWakeAt(): number | null {
    return Number.isFinite(this.#quietUntil) ? this.#quietUntil : null;
  }

  #dropSession(record: SessionRecord): void {
    const key = ownerKeyOf(record);
    this.sessions.delete(record.id);
    const own = this.#sessionsOfOwner.get(key);
    own?.delete(record.id);
    if (own?.size === 0) this.#sessionsOfOwner.delete(key);
  }
}

function ownerKey(owner: SessionOwner): string {
  if (owner.kind === "root") return "root";
  return owner.kind === "user" ? `user ${owner.name}` : `token ${owner.hash}`;
}

function ownerKeyOf({ user, tokenHash, isRoot }: SessionRecord): string {
  if (isRoot === true) return "root";
  return tokenHash === undefined ? `user ${user}` : `token ${tokenHash}`;
}
