/** What the Agent wants done. The shell does it in this order and reports how it went. */
import type { Incarnation, SessionId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import type {
  AbortCause,
  Assignment,
  AttachRequest,
  AttemptRef,
  ItemAnswer,
  ReportItem,
  ResultItem,
} from "../../model/protocol.ts";
import type { LinkNumber } from "./inputs.ts";

export type AgentEffect =
  /** Answered by `attached` or `attach-failed`, unless the Agent has given this link up by then. */
  | { readonly kind: "attach"; readonly link: LinkNumber; readonly address: string; readonly state: AttachState }
  /** Everything that comes down the stream is told as `message`; its end, once, as `stream-closed`. */
  | { readonly kind: "open-stream"; readonly link: LinkNumber; readonly session: SessionId }
  | { readonly kind: "close-stream"; readonly link: LinkNumber; readonly reason: string }
  /** Answered by `reported` or `report-failed`; there is never a second one under way on a link. */
  | {
      readonly kind: "report";
      readonly link: LinkNumber;
      readonly session: SessionId;
      readonly epoch: number;
      readonly items: readonly ReportItem[];
    }
  /** Says that this worker lives, beside a report that waits for its answer. Answered by `beat-answered` or `beat-failed`. */
  | {
      readonly kind: "beat";
      readonly link: LinkNumber;
      readonly session: SessionId;
      readonly epoch: number;
    }
  /** Answered by `ended`, exactly once. */
  | { readonly kind: "start"; readonly assignment: Assignment }
  /** The attempt was started; that it is over is still told by `ended`. */
  | ({ readonly kind: "abort"; readonly graceMs: number; readonly cause: AbortCause } & AttemptRef)
  /** What became of the item that the attempt sent under this ticket; once for each. The attempt may have ended by now. */
  | ({ readonly kind: "acknowledge"; readonly ticket: number; readonly answer: ItemAnswer } & AttemptRef)
  /** A message of the leader for a running attempt. */
  | ({ readonly kind: "deliver"; readonly id: string; readonly body: Json } & AttemptRef)
  /** Answered by `persisted` once it is on disk, however long that takes. */
  | { readonly kind: "persist"; readonly result: ResultItem }
  /** These are settled. Need not be on disk: forgetting it costs one repeated report. */
  | { readonly kind: "forget"; readonly attempts: readonly AttemptRef[] }
  /** Answered by `epoch-saved`. */
  | { readonly kind: "save-epoch"; readonly incarnation: Incarnation; readonly epoch: number }
  | {
      readonly kind: "notice";
      readonly level: "info" | "warn" | "error";
      readonly message: string;
      readonly fields: NoticeFields;
    }
  /** The drain is over: nothing runs, and nothing more will be asked for. */
  | { readonly kind: "finish" };

/** The part of an attach that the Agent knows; the shell adds who and where it is. */
export type AttachState = Pick<
  AttachRequest,
  "running" | "outbox" | "isDraining" | "epochMax" | "incarnation" | "relay" | "trouble"
>;

export interface NoticeFields {
  readonly [name: string]: string | number | boolean | null;
}

/** Where a step puts what it decided. */
export interface AgentOutput {
  readonly effects: AgentEffect[];
}
