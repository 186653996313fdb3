/** What the Agent is told. Each input is one thing that happened outside; time comes with it. */
import type { Incarnation } from "../../model/ids.ts";
import type {
  AttachAnswer,
  AttemptContent,
  AttemptEnd,
  AttemptRef,
  ReportAnswer,
  StreamMessage,
} from "../../model/protocol.ts";

/**
 * Counts the tries to attach. Whatever belongs to one connection carries its number, so that late input from a connection
 * that was given up can be told apart.
 */
export type LinkNumber = number;

export type AgentInput =
  /** Time has come, or nothing else has. Harmless at any moment. */
  | { readonly kind: "wake" }
  | { readonly kind: "attached"; readonly link: LinkNumber; readonly answer: AttachAnswer }
  | { readonly kind: "attach-failed"; readonly link: LinkNumber; readonly failure: LinkFailure }
  | { readonly kind: "message"; readonly link: LinkNumber; readonly message: StreamMessage }
  | { readonly kind: "stream-closed"; readonly link: LinkNumber; readonly reason: string }
  | { readonly kind: "reported"; readonly link: LinkNumber; readonly answer: ReportAnswer }
  | { readonly kind: "report-failed"; readonly link: LinkNumber; readonly failure: LinkFailure }
  | { readonly kind: "beat-answered"; readonly link: LinkNumber; readonly epoch: number }
  | { readonly kind: "beat-failed"; readonly link: LinkNumber; readonly failure: LinkFailure }
  /** An attempt that was started has ended: nothing of it is alive. Once for each start. */
  | ({ readonly kind: "ended"; readonly end: AttemptEnd } & AttemptRef)
  /** A running attempt sends something and waits: answered by `acknowledge` with the same ticket. */
  | ({ readonly kind: "send"; readonly ticket: number; readonly content: AttemptContent } & AttemptRef)
  /** A running attempt says something that needs no answer; only the latest counts. */
  | ({ readonly kind: "tell"; readonly content: AttemptContent } & AttemptRef)
  /** These results are on disk. */
  | { readonly kind: "persisted"; readonly attempts: readonly AttemptRef[] }
  /** Why results cannot be written at the moment; null once they can be again. */
  | { readonly kind: "disk"; readonly trouble: string | null }
  | { readonly kind: "epoch-saved"; readonly incarnation: Incarnation; readonly epoch: number }
  /** Whether output waits to be sent: a draining worker does not leave before. */
  | { readonly kind: "logs"; readonly isPending: boolean }
  /** Take nothing new, finish what runs, leave; what still runs after `timeoutMs` is ended. */
  | { readonly kind: "drain"; readonly timeoutMs: number }
  /** The clock jumped or stood still for this long: nobody was silent, and no attempt used up its time. */
  | { readonly kind: "jumped"; readonly byMs: number };

export interface LinkFailure {
  /** The master's own error code, or `unreachable`, `timeout`, `protocol`. */
  readonly code: string;
  readonly message: string;
  /** Where the master says the leader is, if it said so. */
  readonly leader: string | null;
}

/** The master is there and cannot commit at the moment: attaching to it again would not help. */
export function isPassing({ code }: LinkFailure): boolean {
  return code === "unavailable" || code === "too-many" || code === "internal";
}

/** It may never have got there: the way is broken, in one direction at least. */
export function isSilence({ code }: LinkFailure): boolean {
  return code === "timeout" || code === "too-slow";
}
