/** A master as the others see it, from the note that it keeps renewing in the store. */
import type { Nonce } from "./ids.ts";

export interface MemberRecord {
  readonly nonce: Nonce;
  readonly name: string;
  /** Base URL of its API. */
  readonly address: string;
  readonly role: "standby" | "leader";
  readonly epoch: number;
  /** The last entry it has: the journal must be kept from there on. */
  readonly seq: number;
  /** Counts up while it lives: others watch whether it changes, never what time it is. */
  readonly beat: number;
  readonly roleSince: number;
}

/** A master as the API shows it. */
export interface MemberView extends Omit<MemberRecord, "beat"> {
  /** Since its note last changed, by the time of the master that was asked. */
  readonly unchangedMs: number;
  /** Entries that it is behind the leader, as far as both have told. */
  readonly lag: number;
}
