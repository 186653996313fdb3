/** What the journal keeps of users, tokens and sessions. Secrets are kept as hashes only. */
import type { Role } from "./principal.ts";

/** A password as argon2id left it, with what is needed to compute it again. Bytes are base64. */
export interface PasswordHash {
  readonly algorithm: "argon2id";
  readonly salt: string;
  readonly hash: string;
  readonly memoryKiB: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** A record of the collection `users`; its id is the name. */
export interface UserRecord {
  readonly name: string;
  readonly role: Role;
  /** Patterns of queues; absent for all. */
  readonly queues?: readonly string[];
  readonly password: PasswordHash;
  readonly createdAt: number;
  readonly createdBy: string;
  /** When its role, its queues or its password changed last. */
  readonly changedAt: number;
}

/** A record of the collection `tokens`; its id is the name. */
export interface TokenRecord {
  readonly name: string;
  readonly role: Role;
  readonly queues?: readonly string[];
  /** SHA-256 of the token, in hexadecimal digits. */
  readonly hash: string;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Not accepted from this instant on; absent for never. */
  readonly expiresAt?: number;
  /** To within `defaults.useNoteMs`; absent if it was never used. */
  readonly lastUsedAt?: number;
}

/** A record of the collection `sessions`; its id is the SHA-256 of the session's secret, in hexadecimal digits. */
export interface SessionRecord {
  readonly id: string;
  /** Empty for a session that was opened with a token. */
  readonly user: string;
  /** The hash of the token's record that opened it. The session is worth what that token is, for as long as it is there. */
  readonly tokenHash?: string;
  /** It was opened with the root token, which its secret proves: it is worth nothing once masters have another one. */
  readonly isRoot?: true;
  readonly createdAt: number;
  /** Moves on while the session is used. */
  readonly expiresAt: number;
  /** Where it was signed in from. */
  readonly address: string;
}

/** Who opens a session; a user as he was at `changedAt`. */
export type SessionOwner =
  | { readonly kind: "user"; readonly name: string; readonly changedAt: number }
  | { readonly kind: "token"; readonly name: string; readonly hash: string }
  | { readonly kind: "root" };

/** A user as the API shows it. */
export type UserView = Omit<UserRecord, "password">;
/** A token as the API shows it. */
export type TokenView = Omit<TokenRecord, "hash">;

export function toUserView({ password: _password, ...view }: UserRecord): UserView {
  return view;
}

export function toTokenView({ hash: _hash, ...view }: TokenRecord): TokenView {
  return view;
}
