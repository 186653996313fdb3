/** Webhooks: put, read, test, remove, and what becomes of their deliveries. */
import type { Json } from "../../model/json.ts";
import { limits } from "../../model/limits.ts";
import { id, oneOf } from "../../model/schema.ts";
import { consistentQuery, pageQuery, pathName, type Route } from "./route.ts";

const parameters = { name: { ...id, description: "The webhook's name." } };
const access = { needs: "operate", of: "webhook" } as const;

export const webhookRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/webhooks",
    name: "listWebhooks",
    access: { needs: "operate", of: "each" },
    summary: "List the webhooks, by name.",
    tag: "webhooks",
    query: consistentQuery,
    answers: { 200: { description: "All that the caller may handle.", schema: "WebhookList" } },
    handle: async (_request, _reply, { master }) => ({ webhooks: await master.webhooks.list() }),
  },
  {
    method: "GET",
    path: "/v1/webhooks/:name",
    name: "getWebhook",
    access,
    summary:
      "Read one webhook: what it is told, and how many deliveries wait or were given up. Its secret is not shown.",
    tag: "webhooks",
    parameters,
    query: consistentQuery,
    answers: { 200: { description: "The webhook.", schema: "WebhookView" } },
    handle: (request, _reply, { master }) => master.webhooks.read(pathName(request)),
  },
  {
    method: "PUT",
    path: "/v1/webhooks/:name",
    name: "putWebhook",
    access,
    summary: "Make a webhook, or change it. What waits to be delivered goes to its new URL.",
    tag: "webhooks",
    parameters,
    body: { schema: "Webhook", limit: "webhookBodyBytesMax" },
    needsLeader: true,
    answers: {
      200: { description: "It was there before.", schema: "WebhookPut" },
      201: { description: "Made.", schema: "WebhookPut" },
    },
    handle: async (request, reply, { master }) => {
      const put = await master.webhooks.put(pathName(request), request.body as Json);
      return reply.code(put.isNew ? 201 : 200).send(put);
    },
  },
  {
    method: "DELETE",
    path: "/v1/webhooks/:name",
    name: "removeWebhook",
    access,
    summary: "Remove a webhook. What waits to be delivered to it is thrown away.",
    tag: "webhooks",
    parameters,
    needsLeader: true,
    answers: { 200: { description: "Removed.", schema: "WebhookRemoved" } },
    handle: async (request, _reply, { master }) => {
      const name = pathName(request);
      await master.webhooks.remove(name);
      return { name, isRemoved: true };
    },
  },
  {
    method: "POST",
    path: "/v1/webhooks/:name/test",
    name: "testWebhook",
    access,
    summary: "Send a webhook an event of type `test`, in the same way as any other.",
    tag: "webhooks",
    parameters,
    needsLeader: true,
    answers: { 202: { description: "It is on its way.", schema: "WebhookTested" } },
    handle: async (request, reply, { master }) =>
      reply.code(202).send({ delivery: await master.webhooks.test(pathName(request)) }),
  },
  {
    method: "GET",
    path: "/v1/webhooks/:name/deliveries",
    name: "listDeliveries",
    access,
    summary:
      "List the deliveries of a webhook that wait, the oldest first, or the last that were given up, in no order.",
    tag: "webhooks",
    parameters,
    query: {
      state: oneOf(["pending", "given-up"], { default: "pending" }),
      ...pageQuery,
      ...consistentQuery,
    },
    answers: { 200: { description: "One page.", schema: "DeliveryPage" } },
    handle: (request, _reply, { master }) => {
      const query = request.query as { readonly state?: string; readonly cursor?: string; readonly limit?: number };
      const { state = "pending", cursor = null, limit = limits.pageDefault } = query;
      return master.webhooks.deliveries(pathName(request), { isGivenUp: state === "given-up", after: cursor, limit });
    },
  },
];
