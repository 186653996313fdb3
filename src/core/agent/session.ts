/** How the Agent stands with the masters: looking for the leader, about to be attached to it, or attached. */
import type { SessionId } from "../../model/ids.ts";
import type { AttachAnswer } from "../../model/protocol.ts";
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
  readonly id: SessionId;
  readonly epoch: number;
  readonly heartbeatMs: number;
  readonly attachedAt: number;
  heardAt: number;
  hasHeard: boolean;
  reportedAt: number;
  /** The one report that waits for its answer. */
  underWay: Parcel | null;
  /** The master is there but could not take the last report: nothing is sent before this. */
  retryAt: number;
  failures: number;
}

export function openSession(now: number, { link, address }: AttachTry, answer: AttachAnswer): Session {
  const { session: id, epoch, heartbeatMs } = answer;
  const times = { attachedAt: now, heardAt: now, reportedAt: now, retryAt: 0 };
  const report = { hasHeard: false, underWay: null, failures: 0 };
  return { phase: "attached", link, address, id, epoch, heartbeatMs, ...times, ...report };
}

/** When a silent master counts as gone; never before it has missed three beats of its own rhythm. */
export function silentAt(session: Session, suspectMs: number): number {
  return session.heardAt + Math.max(suspectMs, 3 * session.heartbeatMs);
}
