/**
 * An order: steps that are done once however often the worker dies, a wait for a person that holds no worker, and compensation
 * of what was done when the order cannot be completed.
 */
import { appendFile } from "node:fs/promises";
import { defineTask, NonRetryableError, SignalTimeoutError } from "outlast";

interface Order {
  readonly item: string;
  readonly amount: number;
  /** Stands for the outside world: each effect is one line in this file. */
  readonly ledger: string;
  /** How long the wait for an approval may take, in ms. */
  readonly approvalMs?: number;
}

export const order = defineTask({
  name: "order",
  async run({ item, amount, ledger, approvalMs = 86_400_000 }: Order, ctx) {
    const effect = (what: string) => appendFile(ledger, `${what} ${ctx.taskId}\n`);
    const undo: [key: string, what: string][] = [];
    console.log(`attempt ${ctx.attempt}`);
    try {
      await ctx.step("reserve", () => effect(`reserve ${item}`));
      undo.unshift(["release", `release ${item}`]);
      const payment = await ctx.step("charge", async () => {
        await effect(`charge ${amount}`);
        return { id: `payment-of-${ctx.taskId}` };
      });
      undo.unshift(["refund", `refund ${amount}`]);

      const approval = await ctx.waitFor<{ by: string; isApproved: boolean }>("approval", { timeoutMs: approvalMs });
      if (!approval.isApproved) throw new NonRetryableError(`${approval.by} has refused the order.`);

      await ctx.sleep("cooling-off", 100);
      await ctx.step("ship", () => effect(`ship ${item}`));
      return { payment: payment.id, by: approval.by };
    } catch (error) {
      if (!(error instanceof NonRetryableError) && !(error instanceof SignalTimeoutError)) throw error;
      // What was done is undone, the last first; each undoing is a step, too.
      for (const [key, what] of undo) await ctx.step(key, () => effect(what));
      throw new NonRetryableError(`The order was not completed: ${error.message}`);
    }
  },
});
