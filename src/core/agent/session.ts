/** The Agent's connection to the masters: looking for the leader, about to be attached to it, or attached. */

import { hashToUnit } from "../../model/hash.ts";
import type { SessionId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { type AttachAnswer, protocolVersions } from "../../model/protocol.ts";
import type { LinkNumber } from "./inputs.ts";
import type { AttachTry } from "./masters.ts";
import type { ReportBatch } from "./reports.ts";

export type Link =
  | { readonly phase: "searching" }
  /**
   * A leader has answered; that counts once its epoch is on disk. While the disk refuses it, no task is taken anyway, and the
   * leader must hear of what runs here, or it gives that up.
   */
  | { readonly phase: "saving"; readonly attach: AttachTry; readonly answer: AttachAnswer }
  | Session;

export interface Session {
  readonly phase: "attached";
  readonly link: LinkNumber;
  readonly address: string;
  /** The master is a standby that passes everything on to the leader. */
  readonly isRelay: boolean;
  readonly id: SessionId;
  /** The version of the worker protocol that was agreed on. */
  readonly protocol: number;
  readonly epoch: number;
  readonly heartbeatMs: number;
  readonly attachedAt: number;
  heardAt: number;
  hasHeard: boolean;
  /** When something was last sent to it. */
  spokeAt: number;
  /** When it last answered. */
  answeredAt: number;
  /** The one report that waits for its answer. */
  underWay: ReportBatch | null;
  /** The master is there but could not take the last report: nothing is sent before this. */
  retryAt: number;
  failures: number;
}

export function openSession(now: number, { link, address, isRelay }: AttachTry, answer: AttachAnswer): Session {
  const { session: id, epoch, heartbeatMs, protocol = protocolVersions.min } = answer;
  const times = { attachedAt: now, heardAt: now, spokeAt: now, answeredAt: now, retryAt: 0 };
  const report = { hasHeard: false, underWay: null, failures: 0 };
  return { phase: "attached", link, address, isRelay, id, protocol, epoch, heartbeatMs, ...times, ...report };
}

/** What a worker has to say. */
export interface Telling {
  /** When something is due to be told; null if there is nothing that cannot wait for the next heartbeat. */
  readonly dueAt: number | null;
  /** It holds no attempt, so that nothing is lost if its end is noticed a beat later. */
  readonly isIdle: boolean;
}

/** When the next report leaves: one at a time, at once if something is due to be told, else to say that the worker lives. */
export function reportAt({ underWay, spokeAt, heartbeatMs, retryAt }: Session, { dueAt, isIdle }: Telling): number {
  if (underWay !== null) return Number.POSITIVE_INFINITY;
  const bareAt = spokeAt + heartbeatMs * (isIdle ? defaults.idleBeats : 1);
  return Math.max(retryAt, Math.min(bareAt, dueAt ?? bareAt));
}

/** When the worker says again that it lives while a report waits for its answer: that is no silence. */
export function beatAt({ underWay, spokeAt, heartbeatMs }: Session): number {
  return underWay === null || underWay.saysBye ? Number.POSITIVE_INFINITY : spokeAt + heartbeatMs;
}

/** The report under way could not be taken: the next one waits, longer each time. */
export function postpone(
  now: number,
  session: Session,
  { retryBaseMs, retryMaxMs }: { readonly retryBaseMs: number; readonly retryMaxMs: number },
): void {
  session.underWay = null;
  session.failures += 1;
  // A report is the worker's heartbeat as well: once the master can take it, it must not have to wait for it.
  const waitMsMax = Math.min(retryMaxMs, session.heartbeatMs);
  session.retryAt = now + Math.min(waitMsMax, retryBaseMs * 2 ** Math.min(session.failures - 1, 30));
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

/** When something is due in this phase by itself; null while only an answer is waited for. */
export function linkWakeAt(
  link: Link,
  search: { readonly nextWakeAt: number },
  { suspectMs, directRetryMs }: { readonly suspectMs: number; readonly directRetryMs: number },
  telling: Telling,
): number | null {
  switch (link.phase) {
    case "searching":
      return search.nextWakeAt;
    case "saving":
      return null;
    case "attached": {
      const ownAt = Math.min(silentAt(link, suspectMs), directAt(link, directRetryMs));
      return Math.min(ownAt, reportAt(link, telling), beatAt(link));
    }
    default:
      return link satisfies never;
  }
}

/** The clock jumped or stood still for this long: the master was not silent in it. */
export function excuse(now: number, session: Session, byMs: number): void {
  session.heardAt = Math.min(now, session.heardAt + byMs);
  session.answeredAt = Math.min(now, session.answeredAt + byMs);
}
