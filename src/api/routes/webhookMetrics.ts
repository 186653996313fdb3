/** What `/metrics` shows of webhooks. The journal counts deliveries, so that a new leader goes on where the one before has stopped. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { MasterApi } from "../../master/service/masterApi.ts";

export function addWebhookFigures(master: MasterApi, registers: Registry[]): void {
  new Gauge({
    name: "outlast_webhook_deliveries_pending",
    help: "Deliveries that wait for the receiver of a webhook.",
    labelNames: ["webhook"],
    registers,
    collect() {
      this.reset();
      for (const { name, pending } of master.stats().webhooks) this.set({ webhook: name }, pending);
    },
  });
  new Counter({
    name: "outlast_webhook_deliveries_total",
    help: "Deliveries that are over: delivered, given up after too many failures, or dropped since too many waited.",
    labelNames: ["webhook", "result"],
    registers,
    collect() {
      this.reset();
      for (const { name: webhook, delivered, givenUp, dropped } of master.stats().webhooks) {
        this.inc({ webhook, result: "delivered" }, delivered);
        this.inc({ webhook, result: "given-up" }, givenUp);
        this.inc({ webhook, result: "dropped" }, dropped);
      }
    },
  });
}
