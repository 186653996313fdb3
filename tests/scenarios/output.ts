/** What the Scheduler decided, one line each, as it stands in scenario files. Instants are ms since the scenario began. */
import type { Reply, SchedulerEffect } from "../../src/core/scheduler/effects.ts";
import type { RecordWrite, Write } from "../../src/model/entry.ts";
import type { AttemptRef } from "../../src/model/protocol.ts";

export function describeWrite(write: Write, beganAt: number): string {
  switch (write.kind) {
    case "spec":
      return `write spec of ${write.spec.id}`;
    case "status": {
      const {
        id,
        state,
        attempt,
        failures,
        kills,
        losses = 0,
        isAlone = false,
        host,
        boot,
        retryAt,
        error,
        output,
      } = write.status;
      const parts = [`write ${id} ${state}`];
      if (attempt > 0) parts.push(`attempt ${attempt} on ${host}/${boot}`);
      if (isAlone) parts.push("alone there");
      if (failures > 0) parts.push(`failures ${failures}`);
      if (kills > 0) parts.push(`kills ${kills}`);
      if (losses > 1) parts.push(`losses in a row ${losses}`);
      if (retryAt !== undefined) parts.push(`not before ${retryAt - beganAt}`);
      if (error !== undefined) parts.push(`because ${error.code}: ${error.message}`);
      if (output !== undefined) parts.push(`gave ${JSON.stringify(output)}`);
      return parts.join(", ");
    }
    case "record":
      return describeRecord(write, beganAt);
    case "forget-task":
      return `forget task ${write.id}`;
    case "reopen-task":
      return `reopen task ${write.head.id}`;
    case "digest":
      return "write digest";
    case "marker":
      return `write marker ${write.address}`;
    default:
      return write satisfies never;
  }
}

function describeRecord(write: RecordWrite, beganAt: number): string {
  if (write.value === null) return `remove ${write.id} from ${write.collection}`;
  if (write.collection === "queues") {
    const { isPaused, concurrencyMax, rate } = write.value;
    const bounds = [
      ...(concurrencyMax === undefined ? [] : [`${concurrencyMax} at a time`]),
      ...(rate === undefined ? [] : [`${rate.count} in ${rate.perMs} ms`]),
    ];
    return [`write queue ${write.id} ${isPaused ? "paused" : "open"}`, ...bounds].join(", ");
  }
  if (write.collection === "queueStarts") {
    const starts = write.value.starts.map(([at, count]) => `${count} at ${at - beganAt}`);
    return `write starts of ${write.id}: ${starts.join(", ")}`;
  }
  if (write.collection !== "workers") return `write ${write.collection} ${write.id} ${JSON.stringify(write.value)}`;
  const { id, boot, state, isDraining, capacity } = write.value;
  return `write worker ${id}/${boot} ${state}${isDraining ? " draining" : ""}, capacity ${capacity}`;
}

export function describeEffect(effect: SchedulerEffect): string {
  switch (effect.kind) {
    case "reply":
      return `reply ${describeReply(effect.reply)}`;
    case "assign": {
      const attempts = effect.attempts.map(
        (each) => `${nameOf(each)}${each.timeoutMs === null ? "" : ` for ${each.timeoutMs} ms`}`,
      );
      return `assign to ${effect.worker} in ${effect.session}: ${attempts.join(" ")}`;
    }
    case "abort":
      return `abort on ${effect.worker} in ${effect.session}: ${effect.attempts.map(nameOf).join(" ")} (${effect.reason})`;
    case "drain":
      return `drain ${effect.worker} in ${effect.session}`;
    case "progress":
      return `progress of ${nameOf(effect)}: ${effect.progress.done}`;
    case "close-session":
      return `close ${effect.session} of ${effect.worker}: ${effect.reason}`;
    case "probe":
      return `probe ${effect.worker}/${effect.boot} at ${effect.host}:${effect.port}`;
    case "delete-object":
      return `delete object ${effect.object}`;
    case "alarm":
      return `alarm: ${effect.message}`;
    case "load-graph":
      return `load the graph ${effect.task}`;
    case "resolve-inputs":
      return `resolve the inputs of ${effect.tasks.join(" ")}`;
    case "look-up-attempts":
      return `look up on ${effect.worker}: ${effect.ends.map(nameOf).join(" ")}`;
    case "conclude-graph":
      return `conclude the graph ${effect.task}, ${effect.hasFailed ? "which has failed" : "which has succeeded"}`;
    default:
      return effect satisfies never;
  }
}

function describeReply(reply: Reply): string {
  switch (reply.kind) {
    case "submitted":
      return reply.tasks
        .map(({ id, isNew, replaced }) => {
          const instead = replaced === undefined ? "" : ` instead of ${replaced}`;
          return `${id} is ${isNew ? "new" : "there already"}${instead}`;
        })
        .join(", ");
    case "attached": {
      const abort =
        reply.abort.length === 0
          ? ""
          : `, abort ${reply.abort.map((ref) => (ref.reason === undefined ? nameOf(ref) : `${nameOf(ref)} (${ref.reason})`)).join(" ")}`;
      const verdicts = reply.verdicts.map((each) => `, ${nameOf(each)} ${each.verdict}`).join("");
      return `attached as ${reply.session}${abort}${verdicts}`;
    }
    case "reported":
      return `reported${reply.verdicts.map((each) => ` ${nameOf(each)} ${each.verdict}`).join("")}${reply.acks.map(({ id, verdict }) => ` #${id} ${verdict}`).join("")}`;
    case "cancelled":
      return `${reply.id} is cancelled`;
    case "refused":
      return `refused, ${reply.code}: ${reply.message}`;
    case "family":
      return `family of generation ${reply.epoch}: ${JSON.stringify(reply.family)}`;
    case "schedule":
      return `schedule, next tick ${reply.nextAt ?? "none"}${reply.isNew ? "" : ", as before"}`;
    case "backfilled":
      return `backfilled ${reply.ticks.length} ticks, next from ${reply.nextFrom ?? "none"}`;
    case "bulk":
      return `bulk: ${reply.done.join(" ")}, ${reply.seen} seen`;
    case "template":
      return `template version ${reply.version}${reply.isNew ? "" : ", as before"}`;
    case "blob":
      return `${reply.isNew ? "new" : "known"} blob in ${reply.object}`;
    case "dependents":
      return `dependents: ${reply.tasks.join(" ")}`;
    case "session":
      return `session until ${reply.expiresAt}`;
    case "webhook":
      return `webhook${reply.isNew ? ", new" : ""}`;
    case "tested":
      return `delivery ${reply.id}`;
    case "retried":
      return `retried ${reply.id}, ${reply.reopened} open again`;
    case "done":
    case "look-again":
      return reply.kind;
    case "workers":
      return reply.workers.map(({ id, state, running }) => `${id} ${state} running ${running}`).join(", ");
    case "queues":
      return reply.queues.map(({ name, isPaused }) => `${name} ${isPaused ? "paused" : "open"}`).join(", ");
    default:
      return reply satisfies never;
  }
}

function nameOf({ task, attempt }: AttemptRef): string {
  return `${task}/${attempt}`;
}
