/**
 * Schemas of what workers send. Unknown properties are accepted, so that a newer worker can talk to an older master;
 * an unknown kind of report item is not. These are checked tens of thousands of times a second: keep them flat.
 */

import { sha256Pattern } from "../../model/blob.ts";
import { remoteNamePattern, runKeyPattern } from "../../model/kinds/remote.ts";
import { limits } from "../../model/limits.ts";
import {
  anything,
  attempt,
  count,
  duration,
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
  taskId,
  text,
  truth,
  whole,
} from "../../model/schema.ts";
import { kindName, label } from "../../model/submission.ts";
import { boundMeans } from "../../model/task.ts";
import { traceparentPattern } from "../../model/trace.ts";
import { signalName } from "./tasks.ts";

const session: Schema = { type: "string", minLength: 1, maxLength: limits.idLengthMax, [limitKeyword]: "idLengthMax" };
const version: Schema = { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
const itemId: Schema = { ...safeCount, description: "Unique in one boot. An item with an id is acknowledged by it." };
const shortText: Schema = { type: "string", maxLength: limits.nameLengthMax, [limitKeyword]: "nameLengthMax" };
const stepKey: Schema = {
  type: "string",
  minLength: 1,
  maxLength: limits.stepKeyLengthMax,
  [limitKeyword]: "stepKeyLengthMax",
};
const attemptRef = { task: taskId, attempt };
const exitRecord = open(
  { code: { type: ["integer", "null"] }, signal: orNull(shortText) },
  { bounds: open({}, { memory: oneOf(boundMeans), processes: oneOf(["cgroup"]) }) },
);
const issuedAttempt = {
  ...attemptRef,
  assignedAt: { ...instant, description: "By the leader's clock; workers send it back unchanged." },
};

const traceparent: Schema = {
  type: "string",
  pattern: traceparentPattern,
  description: "The trace that the new tasks belong to.",
};

export const protocolSchemas = {
  RunningAttempt: open({ ...issuedAttempt, startedAt: instant }),
  WaitingResult: open(issuedAttempt, {
    endedAt: {
      ...instant,
      description: "When its process ended, by the worker's clock; left out where it never had one.",
    },
  }),
  AttachRequest: open(
    {
      protocol: { ...version, description: "The only version that the worker speaks, or the lowest." },
      boot: id,
      capacity: whole(1, limits.capacityMax, "capacityMax"),
      queues: list(id, { maxItems: limits.workerQueuesMax, [limitKeyword]: "workerQueuesMax" }),
      // Attempts that are being killed hold their slots too, so there are never more than slots.
      running: list(ref("RunningAttempt"), { maxItems: limits.capacityMax, [limitKeyword]: "capacityMax" }),
      outbox: list(ref("WaitingResult"), { maxItems: limits.outboxAttemptsMax, [limitKeyword]: "outboxAttemptsMax" }),
      isDraining: truth,
      epochMax: safeCount,
      incarnation: orNull(id),
      probePort: { type: ["integer", "null"], minimum: 1, maximum: 65_535 },
      hostname: shortText,
      pid: safeCount,
      version: shortText,
    },
    {
      protocolMin: { ...version, description: "Since protocol 2: the lowest version that the worker speaks." },
      protocolMax: { ...version, description: "Since protocol 2: the highest." },
      kinds: list(kindName, { maxItems: limits.workerKindsMax, [limitKeyword]: "workerKindsMax" }),
      labels: list(label, { maxItems: limits.workerLabelsMax, [limitKeyword]: "workerLabelsMax" }),
      trouble: { ...shortText, description: "Why this worker takes no tasks at the moment. Since protocol 2." },
      relay: {
        ...truth,
        description: "To a standby: relay this session to the leader, which the worker cannot reach.",
      },
    },
  ),
  AttachAnswer: open(
    {
      session: text,
      epoch: safeCount,
      incarnation: id,
      abort: list(
        open(attemptRef, {
          assignedAt: issuedAttempt.assignedAt,
          reason: { const: "cancelled", description: "Its task is over; left out: it may run elsewhere." },
        }),
      ),
      verdicts: list(ref("Verdict")),
      heartbeatMs: safeCount,
    },
    { protocol: { ...version, description: "The version that this session speaks; 1 if it is left out." } },
  ),
  Verdict: open({ ...attemptRef, verdict: oneOf(["committed", "stale"]) }),
  StartedItem: open({ kind: { const: "started" }, ...issuedAttempt, startedAt: instant }),
  ResultItem: open(
    {
      kind: { const: "result" },
      ...issuedAttempt,
      boot: id,
      outcome: oneOf(["success", "failed", "aborted", "suspended"]),
      startedAt: instant,
      endedAt: instant,
    },
    {
      id: itemId,
      output: anything,
      error: open({
        code: shortText,
        message: {
          type: "string",
          maxLength: limits.errorMessageLengthMax,
          [limitKeyword]: "errorMessageLengthMax",
        },
      }),
      exit: exitRecord,
      exits: list(exitRecord, {
        maxItems: limits.execCommandsMax,
        [limitKeyword]: "execCommandsMax",
        description: "Of several commands: how each ended that was started, in order.",
      }),
      logBytes: safeCount,
      waits: list(ref("Wait"), { minItems: 1, maxItems: limits.waitsMax, [limitKeyword]: "waitsMax" }),
      retryAfterMs: duration,
    },
  ),
  Wait: {
    description: "What a suspended task waits for.",
    type: "object",
    required: ["kind"],
    discriminator: { propertyName: "kind" },
    oneOf: [
      open({ kind: { const: "children" }, key: stepKey }),
      open({ kind: { const: "sleep" }, key: stepKey, ms: duration }),
      open({ kind: { const: "signal" }, key: stepKey, name: signalName }, { timeoutMs: duration }),
    ],
  },
  OpenRun: open(
    {
      service: { type: "string", pattern: remoteNamePattern, [limitKeyword]: "remoteNameLengthMax" },
      key: { type: "string", pattern: runKeyPattern },
    },
    {
      handle: {
        type: "string",
        minLength: 1,
        maxLength: limits.remoteHandleLengthMax,
        [limitKeyword]: "remoteHandleLengthMax",
        description: "What the service calls it; left out while that is not known, nor whether it was started.",
      },
    },
  ),
  StepItem: open(
    { kind: { const: "step" }, ...issuedAttempt, key: stepKey, value: anything },
    {
      id: itemId,
      run: {
        anyOf: [ref("OpenRun"), { enum: ["left", null] }],
        description:
          "Of kind `remote`: the job that it has at its service from here on; null: it has ended; `left`: it could not be stopped.",
      },
    },
  ),
  SubmitItem: open(
    { kind: { const: "submit" }, ...issuedAttempt, key: stepKey, submission: ref("Submission") },
    { id: itemId, traceparent },
  ),
  ChildrenItem: open(
    {
      kind: { const: "children" },
      ...issuedAttempt,
      key: stepKey,
      first: whole(0, limits.childrenMax, "childrenMax"),
      submissions: list(ref("Submission"), {
        maxItems: limits.childrenPerItemMax,
        [limitKeyword]: "childrenPerItemMax",
      }),
      before: { type: "string", maxLength: 16, description: "The fingerprint of the items before `first`." },
      isLast: truth,
      onFailure: oneOf(["wait", "cancel"]),
    },
    {
      id: itemId,
      traceparent,
      failuresMax: whole(0, limits.childrenMax, "childrenMax"),
      concurrencyMax: whole(1, limits.childrenMax, "childrenMax"),
      backups: { const: true, description: "Children that take much longer than the others get a backup." },
    },
    { description: "Children `first`, `first + 1` … of the set `key` of the task that runs." },
  ),
  ArtifactsItem: open(
    {
      kind: { const: "artifacts" },
      ...issuedAttempt,
      first: whole(0, limits.artifactsMax, "artifactsMax"),
      files: list(
        open({
          path: { type: "string", minLength: 1, maxLength: limits.filePathBytesMax },
          sha256: { type: "string", pattern: sha256Pattern },
          size: safeCount,
        }),
        { minItems: 1, maxItems: limits.artifactsPerItemMax, [limitKeyword]: "artifactsPerItemMax" },
      ),
    },
    { id: itemId },
    { description: "Files that the attempt has uploaded as blobs; they are shown once it is committed." },
  ),
  ProgressItem: open(
    {
      kind: { const: "progress" },
      ...issuedAttempt,
      done: { type: "number" },
      at: instant,
    },
    { id: itemId, total: { type: "number" }, text: shortText },
    { description: "A running attempt says how far it is, in units of its own. Not durable." },
  ),
  DrainingItem: open({ kind: { const: "draining" } }),
  TroubleItem: open(
    { kind: { const: "trouble" }, text: orNull(shortText) },
    {},
    {
      description: "This machine cannot run tasks at the moment, for this reason; null once it can. Since protocol 2.",
    },
  ),
  ByeItem: open({ kind: { const: "bye" } }),
  ReportItem: {
    type: "object",
    required: ["kind"],
    discriminator: { propertyName: "kind" },
    oneOf: [
      ref("StartedItem"),
      ref("ResultItem"),
      ref("ProgressItem"),
      ref("StepItem"),
      ref("SubmitItem"),
      ref("ChildrenItem"),
      ref("ArtifactsItem"),
      ref("DrainingItem"),
      ref("TroubleItem"),
      ref("ByeItem"),
    ],
  },
  ReportRequest: open({
    boot: id,
    session,
    epoch: safeCount,
    items: list(ref("ReportItem"), { maxItems: limits.reportItemsMax, [limitKeyword]: "reportItemsMax" }),
  }),
  ReportAnswer: open(
    {
      epoch: safeCount,
      verdicts: list(ref("Verdict"), { description: "One for each result without an id, in order." }),
    },
    { acks: list(ref("Acknowledgement"), { description: "One for each item with an id." }) },
  ),
  Acknowledgement: open(
    {
      id: safeCount,
      verdict: oneOf(["committed", "stale", "refused"], {
        description:
          "`stale`: the item's attempt is over, and the item has changed nothing. `refused`: it was not taken, and has changed nothing.",
      }),
    },
    {
      made: { ...taskId, description: "Of a `submit`, in its first answer: the task that there is now." },
      code: oneOf(["invalid", "too-large", "too-many", "unsupported", "conflict"], {
        description: "Why it was refused.",
      }),
      message: text,
    },
  ),
  StepsRequest: open({ session, task: taskId, attempt, after: orNull(stepKey) }),
  StepsPage: open(
    {
      steps: list(
        open({
          key: text,
          step: open(
            {},
            {
              value: anything,
              children: ref("ChildrenOutcome"),
              slept: open({ at: instant }),
              signal: { ...orNull(open({ id: text, payload: anything })) },
            },
          ),
        }),
      ),
      next: { ...orNull(text), description: "Give it back as `after` to get the next page; null at the end." },
    },
    {
      family: open({
        sets: list(open({ key: text, created: count, fingerprint: text, isSealed: truth })),
        sleeps: list(open({ key: text, until: instant })),
      }),
    },
  ),
  ChildrenOutcome: open(
    { total: count, succeeded: count, failed: count, cancelled: count },
    { firstFailed: open({ index: count, id: text }, { error: ref("AttemptError") }) },
  ),
  ChildrenRequest: open({
    session,
    task: taskId,
    attempt,
    key: stepKey,
    from: whole(0, limits.childrenMax, "childrenMax"),
  }),
  ChildrenPage: open({
    children: list(
      open(
        { index: count, id: text, name: text, state: oneOf(["success", "failed", "cancelled"]) },
        { output: anything, error: ref("AttemptError") },
      ),
    ),
    next: { ...orNull(count), description: "Give it back as `from` to get the next page; null at the end." },
  }),
  LogPost: open({ session, chunks: list(ref("LogPiece")) }),
  LogPiece: open(
    {
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
    },
    { assignedAt: issuedAttempt.assignedAt },
  ),
  StreamMessage: {
    description: "One `data:` line of a worker's stream.",
    oneOf: [
      open({ kind: { const: "assign" }, epoch: safeCount, assignments: list(ref("Assignment")) }),
      open({
        kind: { const: "abort" },
        epoch: safeCount,
        reason: oneOf(["cancelled", "timeout", "killed"]),
        attempts: list(open(attemptRef, { assignedAt: issuedAttempt.assignedAt })),
      }),
      open({ kind: { const: "drain" }, epoch: safeCount }),
      open(
        { kind: { const: "tell" }, epoch: safeCount, messages: list(ref("AttemptMessage")) },
        {},
        { description: "Messages to running attempts. Since protocol 2." },
      ),
      open({ kind: { const: "beat" }, epoch: safeCount }),
    ],
  },
  AttemptMessage: open({
    ...issuedAttempt,
    id: { ...text, description: "Handed to the attempt once, however often it comes." },
    body: anything,
  }),
  Assignment: open({
    ...issuedAttempt,
    name: text,
    kind: text,
    input: anything,
    timeoutMs: { type: ["integer", "null"] },
  }),
};
