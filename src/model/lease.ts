/** The note that a leader keeps renewing: a hint that it lives. Nothing that matters rests on it. */
import type { Nonce } from "./ids.ts";

export interface Lease {
  readonly epoch: number;
  readonly nonce: Nonce;
  /** Counts up while the holder lives: others watch whether it changes, never what time it is. */
  readonly beat: number;
  /** Base URL of the holder's API. */
  readonly address: string;
  /** True when the holder has left on purpose. */
  readonly isResigned: boolean;
  /** How long it may stand still, in ms, before it is nobody's: more than usual where the holder's store is slow. */
  readonly ttlMs: number;
}

/** What a leader tells those who watch its process: its lease, once the store has it, and how far the journal is. */
export interface LeaderBeat extends Pick<Lease, "epoch" | "nonce" | "beat" | "isResigned" | "ttlMs"> {
  /** The last entry that it has committed. */
  readonly seq: number;
}

/** What a standby signs that wants to be told by the leader at `address`. Elsewhere it is worth nothing. */
export function watchClaim(address: string): string {
  return `watch ${address}`;
}

/** What a leader signs of all that it tells. */
export function beatClaim({ epoch, nonce, beat, isResigned, ttlMs, seq }: LeaderBeat): string {
  return `beat ${epoch} ${nonce} ${beat} ${isResigned} ${ttlMs} ${seq}`;
}
