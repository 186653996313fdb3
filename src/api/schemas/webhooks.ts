/** Schemas of webhooks and deliveries. */
import {
  anything,
  count,
  id,
  instant,
  list,
  oneOf,
  open,
  orNull,
  ref,
  taskId,
  text,
  truth,
} from "../../model/schema.ts";
import { taskStates } from "../../model/task.ts";
import { alarmKinds } from "../../model/webhooks/delivery.ts";
import { webhookSchema } from "../../model/webhooks/webhook.ts";

const { secret: _secret, ...shown } = webhookSchema["properties"] as { readonly [name: string]: object };

export const webhookSchemas = {
  Webhook: webhookSchema,
  WebhookPut: open(
    { name: id, isNew: truth },
    { secret: { ...text, description: "What its requests are signed with. It is shown this once." } },
  ),
  WebhookView: open(
    {
      name: id,
      content: open({ url: text }, shown as never),
      createdAt: instant,
      changedAt: instant,
      pending: { ...count, description: "Deliveries that wait, those that are tried again included." },
      delivered: count,
      givenUp: { ...count, description: "Tried for three days without success, or impossible to deliver." },
      dropped: { ...count, description: "Not even tried, since too many waited." },
    },
    {
      rights: anything,
      last: open(
        { at: instant, problem: orNull(text) },
        {},
        { description: "What came of the last request; `problem` is null if it was delivered." },
      ),
    },
  ),
  WebhookList: open({ webhooks: list(ref("WebhookView")) }),
  WebhookRemoved: open({ name: id, isRemoved: { const: true } }),
  WebhookTested: open({ delivery: { ...text, description: "The id of the delivery; it is sent at once." } }),
  DeliveryView: open(
    { id: text, webhook: id, type: text, at: instant },
    {
      queue: id,
      task: taskId,
      state: oneOf(taskStates),
      attempt: count,
      dueAt: instant,
      schedule: open({ name: id, from: instant, to: instant, isSkipped: truth }),
      name: text,
      template: text,
      alarm: open({ message: text, fields: { type: "object" } }, { kind: oneOf(alarmKinds) }),
      tries: { ...count, description: "Requests that have failed." },
      nextAt: instant,
      problem: text,
      givenUpAt: instant,
    },
  ),
  DeliveryPage: open({
    deliveries: list(ref("DeliveryView")),
    cursor: { type: ["string", "null"], description: "Send it to get the next page; null at the end." },
  }),
};
