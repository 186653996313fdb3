/** How the Agent stands with the masters: looking for the leader, about to be attached to it, or attached. */
import type { SessionId } from "../../model/ids.ts";
import type { AttachAnswer } from "../../model/protocol.ts";
import { hashToUnit } from "../hash.ts";
import type { LinkNumber } from "./inputs.ts";
import type { AttachTry } from "./masters.ts";
import type { Parcel } from "./reports.ts";

export type Link =
  | { readonly phase: "searching" }
  /** A leader has answered; that counts once its epoch is on disk. */
  | { readonly phase: "saving"; readonly attach: AttachTry; readonly answer: AttachAnswer }
  | Session;

export interface Session {
  readonly phase: "attached";
  readonly link: LinkNumber;
  readonly address: string;
  /** The master is a standby that passes everything on to the leader. */
  readonly isRelay: boolean;
  readonly id: SessionId;
  readonly epoch: number;
  readonly heartbeatMs: number;
  readonly attachedAt: number;
  heardAt: number;
  hasHeard: boolean;
  reportedAt: number;
  /** When a report was last answered. */
  answeredAt: number;
  /** The one report that waits for its answer. */
  underWay: Parcel | null;
  /** The master is there but could not take the last report: nothing is sent before this. */
  retryAt: number;
  failures: number;
}

export function openSession(now: number, { link, address, isRelay }: AttachTry, answer: AttachAnswer): Session {
  const { session: id, epoch, heartbeatMs } = answer;
  const times = { attachedAt: now, heardAt: now, reportedAt: now, answeredAt: now, retryAt: 0 };
  const report = { hasHeard: false, underWay: null, failures: 0 };
  return { phase: "attached", link, address, isRelay, id, epoch, heartbeatMs, ...times, ...report };
}

/** When a relayed worker looks for a direct way again, between two reports; not all workers at once. */
export function directAt({ isRelay, attachedAt, underWay, id }: Session, directRetryMs: number): number {
  if (!isRelay || underWay !== null) return Number.POSITIVE_INFINITY;
  return attachedAt + Math.round(directRetryMs * (0.75 + 0.5 * hashToUnit(id)));
}

/** When a silent master counts as gone; never before it has missed three beats of its own rhythm. */
export function silentAt(session: Session, suspectMs: number): number {
  return session.heardAt + Math.max(suspectMs, 3 * session.heartbeatMs);
}

/** The clock jumped or stood still for this long: the master was not silent in it. */
export function excuse(now: number, session: Session, byMs: number): void {
  session.heardAt = Math.min(now, session.heardAt + byMs);
  session.answeredAt = Math.min(now, session.answeredAt + byMs);
}
