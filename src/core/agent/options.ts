/** What an Agent is made from, and what it shows of itself. */
import type { BootId, Incarnation, SessionId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { ResultItem } from "../../model/protocol.ts";

export interface AgentSettings {
  /** A bare report is sent this often when there is nothing to tell; the leader may ask for another rhythm. */
  readonly heartbeatMs: number;
  /** A master whose stream is silent for this long is gone. */
  readonly suspectMs: number;
  readonly killGraceMs: number;
  /** How long a drain that the leader ordered may take. */
  readonly drainTimeoutMs: number;
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
  readonly attachHedgeMs: number;
  readonly attachWaitMs: number;
  /** How long a worker that a standby relays waits before it looks whether the leader can be reached directly. */
  readonly directRetryMs: number;
  readonly startedWaitMs: number;
  /** The progress of one attempt is sent at most this often. */
  readonly progressMs: number;
  /** How long a worker takes nothing after an attempt that its machine could not start; twice as long each time. */
  readonly troubleBaseMs: number;
  readonly troubleMaxMs: number;
  /** After so long without another one, the pauses begin anew. */
  readonly troubleCalmMs: number;
  readonly byeWaitMs: number;
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
}

export const defaultAgentSettings: AgentSettings = {
  heartbeatMs: defaults.heartbeatMs,
  suspectMs: defaults.suspectMs,
  killGraceMs: defaults.killGraceMs,
  drainTimeoutMs: defaults.drainTimeoutMs,
  reconnectBaseMs: defaults.reconnectBaseMs,
  reconnectMaxMs: defaults.reconnectMaxMs,
  attachHedgeMs: defaults.attachHedgeMs,
  attachWaitMs: defaults.attachWaitMs,
  directRetryMs: defaults.directRetryMs,
  startedWaitMs: defaults.startedWaitMs,
  progressMs: defaults.progressMs,
  troubleBaseMs: defaults.troubleBaseMs,
  troubleMaxMs: defaults.troubleMaxMs,
  troubleCalmMs: defaults.troubleCalmMs,
  byeWaitMs: defaults.byeWaitMs,
  retryBaseMs: defaults.retryBaseMs,
  retryMaxMs: defaults.retryMaxMs,
};

export interface AgentOptions {
  readonly boot: BootId;
  readonly capacity: number;
  readonly masters: readonly string[];
  /** What earlier boots left on disk. */
  readonly outbox: readonly ResultItem[];
  readonly epochMax: number;
  readonly incarnation: Incarnation | null;
  readonly settings: AgentSettings;
}

/** How the worker stands, for its operator. */
export interface AgentView {
  readonly phase: "searching" | "attached" | "finished";
  readonly master: string | null;
  readonly session: SessionId | null;
  readonly epoch: number;
  readonly isDraining: boolean;
  /** Slots in use. */
  readonly running: number;
  readonly waiting: number;
  /** Results that no master has settled yet. */
  readonly unsettled: number;
  /** Why it takes no tasks at the moment; null if it does. */
  readonly trouble: string | null;
}
