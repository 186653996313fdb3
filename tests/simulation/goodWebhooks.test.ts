/** What the checker of webhooks must accept. */
import { expect, test } from "vitest";
import { webhooksTold } from "../../src/proof/checkers/webhooksTold.ts";
import { goodWebhook } from "./webhookLies.ts";

test("a webhook that is told in the end is accepted", () => {
  expect(webhooksTold.check(goodWebhook().build())).toEqual([]);
});
