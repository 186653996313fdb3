/** Bugs in how events reach the receivers of webhooks. */
import type { Mutant } from "./mutant.ts";

export const webhookMutants: readonly Mutant[] = [
  {
    name: "takes any answer of a receiver for a success",
    patches: [
      {
        file: "src/master/webhooks/deliverer.ts",
        search: "return status >= 200 && status < 300 ? null : ",
        replace: "return status >= 200 ? null : ",
      },
    ],
  },
  {
    name: "does not look for deliveries that the leader before has left",
    patches: [
      {
        file: "src/master/webhooks/deliveryQueue.ts",
        search: "this.#hasMore = webhook.pending > 0;",
        replace: "this.#hasMore = webhook.pending < 0;",
      },
    ],
  },
  {
    name: "tells a webhook of the attempt before the last one",
    patches: [
      {
        file: "src/core/scheduler/webhooks.ts",
        search: "queue: queue.name, state, attempt }",
        replace: "queue: queue.name, state, attempt: Math.max(0, attempt - 1) }",
      },
    ],
  },
  {
    name: "gives a delivery that is tried again another message id",
    patches: [
      {
        file: "src/master/webhooks/deliverer.ts",
        search: "id: messageId(incarnation, id),",
        replace: "id: messageId(incarnation, `${id}-${delivery.tries ?? 0}`),",
      },
    ],
  },
  {
    name: "throws a delivery away at its first failure",
    patches: [
      {
        file: "src/core/scheduler/webhooksModule.ts",
        search: 'isFailure && result === "failed" && !isTooOld(',
        replace: 'isFailure && result === "lost" && !isTooOld(',
      },
      {
        file: "src/core/scheduler/webhooksModule.ts",
        search: "  if (isFailure) {",
        replace: '  if (isFailure && result === "lost") {',
      },
    ],
  },
  {
    name: "counts a delivery that has arrived as one that waits",
    patches: [
      {
        file: "src/core/scheduler/webhooksModule.ts",
        search: "    pending: pending - 1,\n    ...(isDelivered",
        replace: "    pending: isDelivered ? pending : pending - 1,\n    ...(isDelivered",
      },
    ],
  },
  {
    name: "calls a task suspect before it has lost its worker often enough",
    patches: [
      {
        file: "src/core/scheduler/attempts.ts",
        search: "  if (task.losses === defaults.lossesBeforeAlone) {",
        replace: "  if (task.losses >= 1) {",
      },
    ],
  },
  {
    name: "overlooks an end if its task had no attempt",
    patches: [
      {
        file: "src/core/scheduler/tasks.ts",
        search: "if (this.#webhooks.size > 0) this.#webhooks.noteEnd(",
        replace: "if (this.#webhooks.size > 0 && task.attempt > 0) this.#webhooks.noteEnd(",
      },
    ],
  },
  {
    name: "tells of a late task again after each election",
    patches: [
      {
        file: "src/core/scheduler/lateWatch.ts",
        search: "if (lateAt < this.#until || (",
        replace: "if (lateAt < 0 || (",
      },
    ],
  },
];
