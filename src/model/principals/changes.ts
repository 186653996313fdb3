/** What can be asked for of users and tokens. */
import type { Role } from "./principal.ts";

export interface NewUser {
  readonly name: string;
  readonly password: string;
  readonly role: Role;
  /** Patterns of queues; all if left out. */
  readonly queues?: readonly string[];
}

export interface UserChange {
  readonly role?: Role;
  /** Null for all queues. */
  readonly queues?: readonly string[] | null;
  readonly password?: string;
}

export interface NewToken {
  readonly name: string;
  readonly role: Role;
  /** Patterns of queues; all if left out. */
  readonly queues?: readonly string[];
  /** Ms since 1970. */
  readonly expiresAt?: number;
}
