/** What a receiver is sent: the body of a delivery. */

import { limits } from "../../model/limits.ts";
import { utcText } from "../../model/schedules/utcText.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { DeliveryRecord } from "../../model/webhooks/delivery.ts";

/** @param document the task as the store has it now; null if it is gone, or the event is about none */
export function bodyOf(webhook: string, delivery: DeliveryRecord, document: TaskDocument | null): string {
  const { type, at } = delivery;
  const body = { type, timestamp: utcText(at), data: { webhook, ...dataOf(delivery, document) } };
  return JSON.stringify(body);
}

function dataOf(delivery: DeliveryRecord, document: TaskDocument | null): object {
  const { type, queue, name, template, schedule, alarm } = delivery;
  if (type === "test") return { message: "This is a test." };
  if (type === "alarm") return { ...alarm };
  if (type === "schedule.late") return { schedule, name, queue, ...(template !== undefined && { template }) };
  return { task: taskOf(delivery, document) };
}

/** Its output is not sent: it may be large, or nobody's business; the receiver can read it. */
function taskOf({ task: id, queue, state, attempt, dueAt }: DeliveryRecord, document: TaskDocument | null): object {
  const known = { id, queue, state, ...(attempt !== undefined && { attempt }), ...(dueAt !== undefined && { dueAt }) };
  if (document === null) return known;
  const { name, kind, createdAt, startAt, parent, origin, schedule } = document;
  // Since then it may have been retried.
  const isSame = document.state === state && document.attempt === (attempt ?? document.attempt);
  const { startedAt, endedAt, host, error, exit, failures } = document;
  return {
    ...known,
    ...{ name, kind, createdAt },
    ...(startAt !== null && { startAt }),
    ...(parent !== undefined && { parent }),
    ...(origin !== undefined && { template: origin.template }),
    ...(schedule !== undefined && { schedule }),
    ...(isSame && {
      failures,
      ...(startedAt !== undefined && { startedAt }),
      ...(endedAt !== undefined && { endedAt }),
      ...(host !== undefined && { host }),
      ...(exit !== undefined && { exit }),
      ...(error !== undefined && {
        error: { ...error, message: error.message.slice(0, limits.deliveryErrorLengthMax) },
      }),
    }),
  };
}
