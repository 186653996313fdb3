/** Finds in a finished history which situations of webhooks came up. */
import type { WebhookRecord } from "../../model/webhooks/webhook.ts";
import type { History } from "../checkers/ledger.ts";
import type { Coverage } from "./coverage.ts";

export function noteWebhooks(coverage: Coverage, history: History): void {
  const webhooks = new Map<string, WebhookRecord>();
  for (const { writes } of history.entries) {
    const isTakeOver = writes.some((write) => write.kind === "marker");
    if (isTakeOver && [...webhooks.values()].some(({ pending }) => pending > 0))
      coverage.saw("a leader took over deliveries that waited");
    for (const write of writes) {
      if (write.kind !== "record" || write.value === null) continue;
      if (write.collection === "deliveries" && write.value.type === "task.late")
        coverage.saw("a task was told to be late");
      if (write.collection !== "webhooks") continue;
      webhooks.set(write.id, write.value);
      if (write.value.isRemoved === true) coverage.saw("deliveries waited for a webhook that was removed");
    }
  }
}
