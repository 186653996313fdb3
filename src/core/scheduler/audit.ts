/** Writes who changed what into the entry that holds the change. */
import type { AuditRecord } from "../../model/principals/audit.ts";
import { auditId } from "../../model/principals/audit.ts";
import type { QueueSettings } from "../../model/worker.ts";
import type { Batch, Reply } from "./effects.ts";
import type { SchedulerInput } from "./inputs.ts";
import type { SchedulerState } from "./state.ts";

/** What an audit record says of an input, besides who is behind it. */
type Deed = Pick<AuditRecord, "action" | "target" | "count" | "detail">;

/**
 * To be called when an input has been taken.
 * @param effectsBefore how many effects the batch had before
 */
export function auditInput(state: SchedulerState, batch: Batch, input: SchedulerInput, effectsBefore: number): void {
  const { by } = input;
  if (by === undefined || !("request" in input)) return;
  const { effects } = batch.out;
  let answer: Reply | null = null;
  for (let index = effects.length - 1; index >= effectsBefore && answer === null; index -= 1) {
    const effect = effects[index];
    if (effect?.kind === "reply" && effect.request === input.request) answer = effect.reply;
  }
  const deed = answer === null ? null : deedOf(input, answer);
  if (deed === null || answer === null) return;
  const isRefused = answer.kind === "refused";
  // A request that came too late, or was not understood, changed nothing; one that may not be made is of interest.
  if (answer.kind === "refused" && answer.code !== "forbidden") return;
  // Where nobody needs a credential, tasks are all alike, and the record would only be long.
  if (by.name === "anybody" && deed.action === "submit") return;
  const { name, address } = by;
  writeAudit(state, batch, {
    at: batch.now,
    by: name,
    ...deed,
    outcome: isRefused ? "refused" : "done",
    ...(address !== undefined && { address }),
  });
}

export function writeAudit(state: SchedulerState, batch: Batch, record: AuditRecord): void {
  const { seq, writes } = batch.out;
  if (state.audited.seq !== seq) state.audited = { seq, count: 0 };
  const id = auditId(record.at, seq, state.audited.count);
  state.audited.count += 1;
  writes.push({ kind: "record", collection: "audit", id, value: record });
}

/** Null for what changes nothing. */
function deedOf(input: SchedulerInput, answer: Reply): Deed | null {
  const { kind: action } = input;
  switch (input.kind) {
    case "submit": {
      const fresh = answer.kind === "submitted" ? answer.tasks.filter(({ isNew }) => isNew) : [];
      const [first] = fresh;
      if (first === undefined) return null;
      const replaced = fresh.flatMap((task) => task.replaced ?? []);
      const detail = `instead of ${replaced.join(", ")}`.slice(0, detailLengthMax);
      return {
        ...{ action, target: first.id },
        ...(fresh.length > 1 && { count: fresh.length }),
        ...(replaced.length > 0 && { detail }),
      };
    }
    case "cancel-many":
    case "delete-many": {
      const done = answer.kind === "bulk" ? answer.done : [];
      const [first] = done;
      return first === undefined ? null : { action, target: first, count: done.length };
    }
    case "cancel":
      return { action, target: input.id };
    case "retry":
      return deedOfRetry(input, answer);
    case "signal":
      return { action, target: input.task, detail: input.signal.name };
    case "put-template":
    case "put-schedule": {
      const isNew = (answer.kind === "template" || answer.kind === "schedule") && answer.isNew;
      if (!isNew) return null;
      return { action, target: input.kind === "put-schedule" ? input.schedule.name : input.name };
    }
    case "put-webhook":
      return { action, target: input.name, detail: hostOf(input.content.url) };
    case "test-webhook":
    case "remove-webhook":
    case "remove-template":
    case "remove-schedule":
    case "remove-user":
    case "remove-token":
      return { action, target: input.name };
    case "backfill-schedule": {
      const count = answer.kind === "backfilled" && !input.isDryRun ? answer.ticks.length : 0;
      return count === 0 ? null : { action, target: input.name, count };
    }
    case "pause-schedule":
      return { action: input.isPaused ? "pause-schedule" : "resume-schedule", target: input.name };
    case "set-queue":
      return { ...auditQueue(input.settings), target: input.name };
    case "drain-worker":
    case "report-exit":
      return { action, target: input.worker };
    case "add-user":
      return { action, target: input.user.name, detail: describe(input.user) };
    case "change-user": {
      const { role, queues, password } = input.change;
      const what = [
        ...(role === undefined ? [] : [`role ${role}`]),
        ...(queues === undefined ? [] : [queues === null ? "all queues" : `queues ${queues.join(" ")}`]),
        ...(password === undefined ? [] : ["password"]),
      ];
      return { action, target: input.name, detail: what.join(", ").slice(0, detailLengthMax) };
    }
    case "add-token":
      return { action, target: input.token.name, detail: describe(input.token) };
    case "open-session": {
      const { owner } = input.session;
      return { action: "sign-in", ...(owner.kind !== "root" && { target: owner.name }) };
    }
    case "close-session":
      return { action: "sign-out" };
    default:
      return null;
  }
}

function deedOfRetry(
  { kind: action, id, isFromScratch, isDryRun = false }: Input<"retry">,
  answer: Reply,
): Deed | null {
  const count = answer.kind === "retried" ? answer.reopened : 0;
  if (isDryRun || (answer.kind === "retried" && count === 0)) return null;
  return { action, target: id, ...(count > 1 && { count }), ...(isFromScratch && { detail: "from scratch" }) };
}

type Input<Kind extends SchedulerInput["kind"]> = Extract<SchedulerInput, { kind: Kind }>;

const detailLengthMax = 400;

/** Of a receiver only the beginning of its URL: what follows may be a secret. */
function hostOf(url: string): string {
  return (/^https?:\/\/[^/?#]*/i.exec(url)?.[0] ?? "").replace(/\/\/.*@/, "//").slice(0, detailLengthMax);
}

/** Bounds that were set, or that the queue was paused or resumed. */
function auditQueue({ isPaused, concurrencyMax, rate }: QueueSettings): Pick<Deed, "action" | "detail"> {
  if (isPaused !== undefined) return { action: isPaused ? "pause-queue" : "resume-queue" };
  const parts = [
    ...(concurrencyMax === undefined ? [] : [`concurrency ${concurrencyMax ?? "none"}`]),
    ...(rate === undefined ? [] : [`rate ${rate === null ? "none" : `${rate.count} in ${rate.perMs} ms`}`]),
  ];
  return { action: "limit-queue", detail: parts.join(", ") };
}

function describe({ role, queues }: { readonly role: string; readonly queues?: readonly string[] }): string {
  return `${role}${queues === undefined ? "" : `, queues ${queues.join(" ")}`}`.slice(0, detailLengthMax);
}
