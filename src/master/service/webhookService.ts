/** Webhooks as the API sees them: what is asked for is checked here, and secrets are never shown but to the one who is given them. */
import { mayHandleWebhook } from "../../core/scheduler/rights.ts";
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { defaults, limits } from "../../model/limits.ts";
import { type Actor, coversQueue, rightsOf } from "../../model/principals/principal.ts";
import { checkSchema } from "../../model/schemaCheck.ts";
import { type DeliveryRecord, deliveryPrefix, type UndeliveredRecord } from "../../model/webhooks/delivery.ts";
import {
  toWebhookView,
  type WebhookContent,
  type WebhookRecord,
  type WebhookView,
  webhookSchema,
} from "../../model/webhooks/webhook.ts";
import type { Receivers } from "../../ports/receivers.ts";
import { fingerprint } from "./submissions.ts";
import type { ServiceCalls } from "./templateService.ts";
import type { DeliveryPage, DeliveryQuery, PutWebhook, WebhookApi } from "./webhookApi.ts";

const secretPrefix = "whsec_";

export class WebhookService implements WebhookApi {
  readonly #calls: ServiceCalls;
  readonly #receivers: Receivers;

  constructor(calls: ServiceCalls, receivers: Receivers) {
    this.#calls = calls;
    this.#receivers = receivers;
  }

  async put(name: string, given: Json, by?: Actor): Promise<PutWebhook> {
    this.#calls.checkLeading();
    checkSchema(webhookSchema, given, "", "The webhook");
    const { secret = null, ...content } = given as unknown as WebhookContent & { readonly secret?: string };
    this.#checkUrl(content.url);
    checkFilters(content);
    if (secret !== null) checkSecret(secret);
    if (by?.queues !== undefined && content.on?.includes("alarm") === true) {
      const message = "Alarms are about the cluster as a whole, and you are bound to queues.";
      throw new OutlastError("invalid", message, { path: "/on" });
    }
    const { ids } = this.#calls;
    const freshSecret = `${secretPrefix}${Buffer.from(ids.random() + ids.random(), "hex").toString("base64")}`;
    const rights = rightsOf(by);
    const asked = { name, content, fingerprint: fingerprint(content as unknown as Json), secret, freshSecret };
    const reply = await this.#calls.ask((request) => {
      return { kind: "put-webhook", request, ...asked, ...(rights !== undefined && { rights }) };
    }, by);
    if (reply.kind !== "webhook") throw new Error(`The scheduler answered ${reply.kind} to a webhook.`);
    return { name, isNew: reply.isNew, ...(reply.hasFreshSecret && { secret: freshSecret }) };
  }

  async remove(name: string, by?: Actor): Promise<void> {
    await this.#calls.ask((request) => ({ kind: "remove-webhook", request, name }), by);
  }

  async list(by?: Actor): Promise<readonly WebhookView[]> {
    const { read, store } = this.#calls;
    // There are fewer than a page holds.
    const { records } = await read(() => store.listRecords("webhooks", { limit: limits.pageMax }));
    return records
      .map(({ value }) => value)
      .filter((webhook) => isThere(webhook, by))
      .map(toWebhookView);
  }

  async read(name: string, by?: Actor): Promise<WebhookView> {
    return toWebhookView(await this.#record(name, by));
  }

  async test(name: string, by?: Actor): Promise<string> {
    const reply = await this.#calls.ask((request) => ({ kind: "test-webhook", request, name }), by);
    if (reply.kind !== "tested") throw new Error(`The scheduler answered ${reply.kind} to a test of a webhook.`);
    return reply.id;
  }

  async deliveries(name: string, { isGivenUp, after, limit }: DeliveryQuery, by?: Actor): Promise<DeliveryPage> {
    const { read, store } = this.#calls;
    const { madeIn } = await this.#record(name, by);
    const query = { idPrefix: deliveryPrefix(name), limit, ...(after !== null && { after }) };
    const { records, isMore } = await read<RecordPage>(() =>
      isGivenUp ? store.listRecords("undelivered", query) : store.listRecords("deliveries", query),
    );
    // It may have heard of more than it does now.
    const own = records.filter(({ value }) => value.madeIn === madeIn && mayRead(value, by));
    // One that was given up stands under another id, and says which one it had.
    const deliveries = own.map(({ id, value: { madeIn: _seq, ...value } }) => ({ id, ...value }));
    return { deliveries, cursor: isMore ? (records.at(-1)?.id ?? null) : null };
  }

  async #record(name: string, by: Actor | undefined): Promise<WebhookRecord> {
    const { read, store } = this.#calls;
    const record = await read(() => store.readRecord("webhooks", name));
    if (record !== null && isThere(record, by)) return record;
    throw new OutlastError("not-found", `There is no webhook ${name}.`, { hint: "`outlast webhook ls` lists them." });
  }

  /** @throws OutlastError `invalid` */
  #checkUrl(text: string): void {
    const says = (message: string): OutlastError => new OutlastError("invalid", message, { path: "/url" });
    const url = URL.canParse(text) ? new URL(text) : null;
    if (url === null || !["http:", "https:"].includes(url.protocol)) throw says("`url` is no URL with http or https.");
    if (url.username !== "" || url.password !== "")
      throw says("`url` has a user or a password in it, which is not sent.");
    const refusal = this.#receivers.refusalOf(text);
    if (refusal !== null) throw says(refusal);
  }
}

function isThere(webhook: WebhookRecord, by: Actor | undefined): boolean {
  return webhook.isRemoved !== true && mayHandleWebhook(by, webhook);
}

/** A test is about no queue, and an alarm about the cluster as a whole. */
function mayRead({ type, queue }: DeliveryRecord | UndeliveredRecord, by: Actor | undefined): boolean {
  if (queue === undefined) return type === "test" || by?.queues === undefined;
  return coversQueue(by?.queues, queue);
}

/** A filter of an event that the webhook is not told of would have no effect. @throws OutlastError `invalid` */
function checkFilters(content: WebhookContent): void {
  const on: readonly string[] = content.on ?? defaults.webhookTriggers;
  const filters = [
    ["states", "end"],
    ["lateMs", "late"],
  ] as const;
  for (const [filter, trigger] of filters) {
    if (content[filter] === undefined || on.includes(trigger)) continue;
    const message = `\`${filter}\` is of the event \`${trigger}\`, which this webhook is not told of.`;
    const hint = `Add ${trigger} to its events (--on ${[...on, trigger].join(",")}), or leave \`${filter}\` out.`;
    throw new OutlastError("invalid", message, { path: `/${filter}`, hint });
  }
}

/** @throws OutlastError `invalid` */
function checkSecret(secret: string): void {
  const { length } = Buffer.from(secret.slice(secretPrefix.length), "base64");
  const { webhookSecretBytesMin: min, webhookSecretBytesMax: max } = limits;
  if (length >= min && length <= max) return;
  const message = `The secret has ${length} bytes; ${min} to ${max} are allowed, as base64 after ${secretPrefix}.`;
  throw new OutlastError("invalid", message, { path: "/secret", limit: "webhookSecretBytesMax" });
}

interface RecordPage {
  readonly records: readonly { readonly id: string; readonly value: DeliveryRecord | UndeliveredRecord }[];
  readonly isMore: boolean;
}
