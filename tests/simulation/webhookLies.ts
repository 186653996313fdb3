/** Lies about what webhooks are told. */
import type { TaskId } from "../../src/model/ids.ts";
import type { DeliveryRecord } from "../../src/model/webhooks/delivery.ts";
import type { WebhookRecord } from "../../src/model/webhooks/webhook.ts";
import type { Happening } from "../../src/proof/checkers/ledger.ts";
import { created, life, MadeHistory, status, task } from "./madeHistory.ts";

const id = "a@0000000000000004-00000";

export const webhookLies = {
  I50: {
    "an end that a webhook is never told of": () => cancelled().entry(gone, webhookOf({ delivered: 1 })),
    "an end that has not happened": () => cancelled().add({ ...taken, state: "success" }),
    "an end that is told before it is in the journal": () =>
      hooked()
        .add(taken)
        .entry(...end),
    "two messages for one end": () =>
      cancelled()
        .add(taken)
        .add({ ...taken, message: "another" }),
    "an end of another task": () =>
      cancelled()
        .add(taken)
        .add({ ...taken, task: "t2" as TaskId }),
    "a count that is not that of the deliveries": () =>
      cancelled()
        .add(taken)
        .entry(webhookOf({ pending: 2 })),
    "a task that is late before its time": () =>
      cancelled()
        .add(taken)
        .add({ ...taken, type: "task.late", state: "created", toldAt: -1, message: "late" }),
  },
} satisfies { readonly [invariant: string]: { readonly [name: string]: () => MadeHistory } };

/** A receiver fails once, and then is told. */
export function goodWebhook(): MadeHistory {
  return cancelled()
    .add(taken)
    .entry({ kind: "record", collection: "deliveries", id, value: { ...delivery, tries: 1, nextAt: 5 } })
    .add(taken)
    .entry(gone, webhookOf({ delivered: 1 }));
}

/** Changed in the entry of an end that it hears of, at the instant at which it was made. */
export function changedWebhook(): MadeHistory {
  return hooked()
    .entry(...end, deaf)
    .add(taken);
}

/** The same, from and back to what does not hear of that end. */
export function webhookChangedBack(): MadeHistory {
  return hooked(webhookOf(other))
    .entry(...end, deaf)
    .add(taken);
}

/** It was changed back before it was written: only its instant tells that, and not even that where it was changed before at that of the entry. */
export function webhookChangedUnseen(before: number): MadeHistory {
  const [told, delivered] = end;
  return hooked(webhookOf({ ...other, changedAt: before }))
    .entry(told, delivered, webhookOf({ ...other, pending: 1, changedAt: 0 }))
    .add(taken);
}

const delivery: DeliveryRecord = {
  webhook: "a",
  madeIn: 3,
  type: "task.cancelled",
  at: 0,
  task,
  state: "cancelled",
  attempt: 0,
};
const gone = { kind: "record", collection: "deliveries", id, value: null } as const;
const taken: Extract<Happening, { kind: "webhook-taken" }> = {
  kind: "webhook-taken",
  ...{ life, webhook: "a", message: "m", type: "task.cancelled", toldAt: 0, task, state: "cancelled", attempt: 0 },
};

function webhookOf(counts: Partial<WebhookRecord> = {}) {
  const secret = { fingerprint: "f", secret: "whsec_x", lateUntil: 0, lateUntilId: "" };
  const times = { madeIn: 3, createdAt: -1, changedAt: -1 };
  const none = { pending: 0, delivered: 0, givenUp: 0, dropped: 0 };
  const value = { name: "a", content: { url: "https://a/" }, ...secret, ...times, ...none, ...counts };
  return { kind: "record", collection: "webhooks", id: "a", value } as const;
}

const end = [
  { kind: "status", status: status({ state: "cancelled" }) },
  { kind: "record", collection: "deliveries", id, value: delivery },
  webhookOf({ pending: 1 }),
] as const;

const other: Partial<WebhookRecord> = { fingerprint: "g", content: { url: "https://a/", on: ["failure"] } };
const deaf = webhookOf({ ...other, pending: 1 });

function hooked(webhook = webhookOf()): MadeHistory {
  return new MadeHistory().entry(...created).entry(webhook);
}

function cancelled(): MadeHistory {
  return hooked().entry(...end);
}
