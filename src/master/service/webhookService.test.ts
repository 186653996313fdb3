/** What a webhook may say, and which of its deliveries somebody may read who is bound to queues. */
import { expect, test } from "vitest";
import { createReceivers } from "../../node/receivers.ts";
import type { ServiceCalls } from "./templateService.ts";
import { WebhookService } from "./webhookService.ts";

test("deliveries from before a webhook heard of some queues only are shown to nobody who may not reach the others", async () => {
  const events = [
    { type: "task.failed", task: "mine", queue: "reports" },
    { type: "task.failed", task: "theirs", queue: "salaries" },
    { type: "alarm", alarm: { message: "The store is slow.", fields: {} } },
    { type: "test" },
  ];
  const records = events.map((event, index) => ({
    id: `h@${index}`,
    value: { webhook: "h", madeIn: 1, at: 1, ...event },
  }));
  const store = {
    readRecord: async () => ({ name: "h", madeIn: 1, content: { url: "https://example.com", queues: ["reports"] } }),
    listRecords: async () => ({ records, isMore: false }),
  };
  const calls = { store, read: (read: () => unknown) => read() } as unknown as ServiceCalls;
  const service = new WebhookService(calls, createReceivers(true));
  const query = { isGivenUp: true, after: null, limit: 10 };
  const ids = async (queues?: readonly string[]) => {
    const page = await service.deliveries("h", query, { name: "user:ada", ...(queues !== undefined && { queues }) });
    return page.deliveries.map(({ id }) => id);
  };
  expect(await ids(["reports"])).toEqual(["h@0", "h@3"]);
  expect(await ids()).toEqual(["h@0", "h@1", "h@2", "h@3"]);
});

test.each([
  [{ states: ["failed"], on: ["failure", "late"] }, "/states", "--on failure,late,end"],
  [{ lateMs: 1000 }, "/lateMs", "--on end,late"],
])("a filter of an event that the webhook is not told of is refused: %j", async (content, path, hint) => {
  const service = new WebhookService({ checkLeading: () => {} } as ServiceCalls, createReceivers(true));
  const put = service.put("h", { url: "https://example.com", ...content });
  await expect(put).rejects.toMatchObject({
    code: "invalid",
    details: { path, hint: expect.stringContaining(hint) as string },
  });
});
