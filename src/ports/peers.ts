/** How a master watches another one: by connections, so that a dead process is noticed at once. */
import type { LeaderBeat } from "../model/lease.ts";

export interface Peers {
  /** Keeps a connection to the master at this base URL. */
  watch(address: string, handlers: PeerHandlers): { close(): void };
  /** `refused` proves that no process listens there. */
  probe(address: string): Promise<"refused" | "connected" | "unknown">;
}

/**
 * Signs with the token that all masters share. The token itself is not sent: at the address of a leader that is gone, somebody else
 * may listen by now.
 */
export interface PeerKey {
  sign(claim: string): string;
  /** True if `signature` is that of this claim. */
  verifies(claim: string, signature: string): boolean;
}

/** Brings the signature of a standby's `watchClaim`. */
export const peerHeader = "x-outlast-peer";

export interface PeerHandlers {
  /** What the master there tells while it leads. */
  readonly onBeat: (beat: LeaderBeat) => void;
  /** Called once, when the connection is lost or cannot be made. */
  readonly onClose: () => void;
}
