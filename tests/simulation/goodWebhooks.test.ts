/** What the checker of webhooks must accept. */
import { expect, test } from "vitest";
import { webhooksTold } from "../../src/proof/checkers/webhooksTold.ts";
import { changedWebhook, goodWebhook, webhookChangedBack, webhookChangedUnseen } from "./webhookLies.ts";

test("a webhook that is told in the end is accepted", () => {
  expect(webhooksTold.check(goodWebhook().build())).toEqual([]);
});

test.each([changedWebhook(), webhookChangedBack(), webhookChangedUnseen(-1), webhookChangedUnseen(0)])(
  "a webhook may be told of an end in whose entry it was changed",
  (made) => {
    expect(webhooksTold.check(made.build())).toEqual([]);
  },
);
