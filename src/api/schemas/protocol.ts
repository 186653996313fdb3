/**
 * Schemas of what workers send. Unknown properties are let through, so that a newer worker can talk to an older master;
 * an unknown kind of report is not. These are checked tens of thousands of times a second: keep them flat.
 */
import { limits } from "../../model/limits.ts";
import {
  anything,
  attempt,
  id,
  instant,
  limitKeyword,
  list,
  oneOf,
  open,
  orNull,
  ref,
  type Schema,
  safeCount,
  text,
  truth,
  whole,
} from "./schema.ts";

const session: Schema = { type: "string", minLength: 1, maxLength: limits.idLengthMax, [limitKeyword]: "idLengthMax" };
const label: Schema = { type: "string", maxLength: limits.nameLengthMax, [limitKeyword]: "nameLengthMax" };
const attemptRef = { task: id, attempt };
const issuedAttempt = {
  ...attemptRef,
  assignedAt: { ...instant, description: "By the leader's clock; sent back as it came." },
};

export const protocolSchemas = {
  AttemptRef: open(attemptRef),
  IssuedAttempt: open(issuedAttempt),
  RunningAttempt: open({ ...issuedAttempt, startedAt: instant }),
  AttachRequest: open(
    {
      protocol: { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER },
      boot: id,
      capacity: whole(1, limits.capacityMax, "capacityMax"),
      queues: list(id, { maxItems: limits.workerQueuesMax, [limitKeyword]: "workerQueuesMax" }),
      // Attempts that are being killed hold their slots too, so there are never more than slots.
      running: list(ref("RunningAttempt"), { maxItems: limits.capacityMax, [limitKeyword]: "capacityMax" }),
      outbox: list(ref("IssuedAttempt"), { maxItems: limits.outboxAttemptsMax, [limitKeyword]: "outboxAttemptsMax" }),
      isDraining: truth,
      epochMax: safeCount,
      incarnation: orNull(id),
      probePort: { type: ["integer", "null"], minimum: 1, maximum: 65_535 },
      hostname: label,
      pid: safeCount,
      version: label,
    },
    {
      relay: {
        ...truth,
        description: "To a standby: pass this session on, for the leader cannot be reached from here.",
      },
    },
  ),
  AttachAnswer: open({
    session: text,
    epoch: safeCount,
    incarnation: id,
    abort: list(ref("AttemptRef")),
    verdicts: list(ref("Verdict")),
    heartbeatMs: safeCount,
  }),
  Verdict: open({ ...attemptRef, verdict: oneOf(["committed", "stale"]) }),
  StartedItem: open({ kind: { const: "started" }, ...issuedAttempt, startedAt: instant }),
  ResultItem: open(
    {
      kind: { const: "result" },
      ...issuedAttempt,
      boot: id,
      outcome: oneOf(["success", "failed", "aborted"]),
      startedAt: instant,
      endedAt: instant,
    },
    {
      output: anything,
      error: open({
        code: label,
        message: {
          type: "string",
          maxLength: limits.errorMessageLengthMax,
          [limitKeyword]: "errorMessageLengthMax",
        },
      }),
      exit: open({ code: { type: ["integer", "null"] }, signal: orNull(label) }),
      logBytes: safeCount,
    },
  ),
  DrainingItem: open({ kind: { const: "draining" } }),
  ByeItem: open({ kind: { const: "bye" } }),
  ReportItem: {
    type: "object",
    required: ["kind"],
    discriminator: { propertyName: "kind" },
    oneOf: [ref("StartedItem"), ref("ResultItem"), ref("DrainingItem"), ref("ByeItem")],
  },
  ReportRequest: open({
    boot: id,
    session,
    epoch: safeCount,
    items: list(ref("ReportItem"), { maxItems: limits.reportItemsMax, [limitKeyword]: "reportItemsMax" }),
  }),
  ReportAnswer: open({ epoch: safeCount, verdicts: list(ref("Verdict")) }),
  LogPost: open({ session, chunks: list(ref("LogPiece")) }),
  LogPiece: open({
    ...attemptRef,
    offset: whole(0, limits.logAttemptBytesMax, "logAttemptBytesMax"),
    at: instant,
    base64: {
      type: "string",
      maxLength: Math.ceil(limits.logChunkBytesMax / 3) * 4,
      [limitKeyword]: "logChunkBytesMax",
      contentEncoding: "base64",
    },
    isTruncated: truth,
  }),
  StreamMessage: {
    description: "One `data:` line of a worker's stream.",
    oneOf: [
      open({ kind: { const: "assign" }, epoch: safeCount, assignments: list(ref("Assignment")) }),
      open({
        kind: { const: "abort" },
        epoch: safeCount,
        reason: oneOf(["cancelled", "timeout", "killed"]),
        attempts: list(ref("AttemptRef")),
      }),
      open({ kind: { const: "drain" }, epoch: safeCount }),
      open({ kind: { const: "beat" }, epoch: safeCount }),
    ],
  },
  Assignment: open({
    ...issuedAttempt,
    name: text,
    kind: text,
    input: anything,
    timeoutMs: { type: ["integer", "null"] },
  }),
};
