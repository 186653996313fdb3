/** The webhooks of a fake master: kept in a map; nothing is ever delivered. */
import type { DeliveryPage, PutWebhook, WebhookApi } from "../../master/service/webhookApi.ts";
import { OutlastError } from "../../model/errors.ts";
import type { Json } from "../../model/json.ts";
import { checkSchema } from "../../model/schemaCheck.ts";
import { type WebhookContent, type WebhookView, webhookSchema } from "../../model/webhooks/webhook.ts";

export class FakeWebhookApi implements WebhookApi {
  readonly #webhooks = new Map<string, WebhookView>();

  async put(name: string, given: Json): Promise<PutWebhook> {
    checkSchema(webhookSchema, given, "", "The webhook");
    const isNew = !this.#webhooks.has(name);
    const counts = { pending: 0, delivered: 0, givenUp: 0, dropped: 0 };
    const content = given as unknown as WebhookContent;
    this.#webhooks.set(name, { name, content, createdAt: 1000, changedAt: 1000, ...counts });
    return { name, isNew };
  }

  async remove(name: string): Promise<void> {
    if (!this.#webhooks.delete(name)) throw new OutlastError("not-found", `There is no webhook ${name}.`);
  }

  async list(): Promise<readonly WebhookView[]> {
    return [...this.#webhooks.values()];
  }

  async read(name: string): Promise<WebhookView> {
    const found = this.#webhooks.get(name);
    if (found === undefined) throw new OutlastError("not-found", `There is no webhook ${name}.`);
    return found;
  }

  async test(name: string): Promise<string> {
    await this.read(name);
    return `${name}@0000000000000001-00000`;
  }

  async deliveries(name: string): Promise<DeliveryPage> {
    await this.read(name);
    return { deliveries: [], cursor: null };
  }
}
