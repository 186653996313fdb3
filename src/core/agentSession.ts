/** How the Agent stands with the masters: looking for the leader, asking it in, or attached to it. */
import type { SessionId } from "../model/ids.ts";
import type { AttachAnswer } from "../model/protocol.ts";
import type { Parcel } from "./agentReports.ts";

export type Link =
  | { readonly phase: "searching" }
  | { readonly phase: "attaching"; readonly address: string; readonly giveUpAt: number; readonly saidDraining: boolean }
  /** The answer is good and counts once its epoch is on disk. */
  | {
      readonly phase: "saving";
      readonly address: string;
      readonly answer: AttachAnswer;
      readonly saidDraining: boolean;
    }
  | Session;

export interface Session {
  readonly phase: "attached";
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

export function openSession(now: number, address: string, answer: AttachAnswer): Session {
  const { session: id, epoch, heartbeatMs } = answer;
  const times = { attachedAt: now, heardAt: now, reportedAt: now, retryAt: 0 };
  return { phase: "attached", address, id, epoch, heartbeatMs, ...times, hasHeard: false, underWay: null, failures: 0 };
}

/** When a silent master counts as gone; never before it has missed three beats of its own rhythm. */
export function silentAt(session: Session, suspectMs: number): number {
  return session.heardAt + Math.max(suspectMs, 3 * session.heartbeatMs);
}
