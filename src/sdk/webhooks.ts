/** The part of the client that is about webhooks: `client.webhooks`. */
import { OutlastError } from "../model/errors.ts";
import { limits } from "../model/limits.ts";
import type { WebhookContent, WebhookView } from "../model/webhooks/webhook.ts";
import type { CallOptions, ReadOptions } from "./callOptions.ts";
import type { Connection } from "./connection.ts";

export interface NewWebhook extends WebhookContent {
  /** `whsec_` and 24 to 64 bytes in base64. Left out: a new webhook is given one, and another keeps its own. */
  readonly secret?: string;
}

export interface PutWebhook {
  readonly name: string;
  readonly isNew: boolean;
  /** What its requests are signed with, if it is new and none was given. It cannot be read again. */
  readonly secret?: string;
}

/** An event on its way to the receiver of a webhook, or one that was given up. */
export interface WebhookDelivery {
  readonly id: string;
  readonly webhook: string;
  readonly type: string;
  readonly at: number;
  readonly queue?: string;
  readonly task?: string;
  readonly state?: string;
  /** Requests that have failed. */
  readonly tries?: number;
  /** When it is tried again. */
  readonly nextAt?: number;
  readonly problem?: string;
  readonly givenUpAt?: number;
}

export interface DeliveriesOptions extends ReadOptions {
  /** `pending` if left out. */
  readonly state?: "pending" | "given-up";
}

interface Page {
  readonly deliveries: readonly WebhookDelivery[];
  readonly cursor: string | null;
}

export class Webhooks {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Makes a webhook or changes it. */
  async put(name: string, webhook: NewWebhook, { signal }: CallOptions = {}): Promise<PutWebhook> {
    // A secret that a master makes is told once, and that answer may get lost: a try after it would bring none.
    const secret = webhook.secret === undefined && !(await this.#isThere(name, signal)) ? newSecret() : undefined;
    const body = JSON.stringify({ ...webhook, ...(secret !== undefined && { secret }) });
    const answer = await this.#connection.json<PutWebhook>({ method: "PUT", path: pathOf(name), body, signal });
    return secret === undefined ? answer : { ...answer, isNew: true, secret };
  }

  async #isThere(name: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await this.get(name, { consistent: true, ...(signal !== undefined && { signal }) });
      return true;
    } catch (error) {
      if (error instanceof OutlastError && error.code === "not-found") return false;
      throw error;
    }
  }

  get(name: string, { signal, consistent }: ReadOptions = {}): Promise<WebhookView> {
    const path = `${pathOf(name)}${consistent === true ? "?consistent=true" : ""}`;
    return this.#connection.json<WebhookView>({ method: "GET", path, signal });
  }

  async list({ signal, consistent }: ReadOptions = {}): Promise<readonly WebhookView[]> {
    const path = `/v1/webhooks${consistent === true ? "?consistent=true" : ""}`;
    const answer = await this.#connection.json<{ webhooks: readonly WebhookView[] }>({ method: "GET", path, signal });
    return answer.webhooks;
  }

  /** What waits to be delivered to it is thrown away. */
  async remove(name: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#connection.remove(pathOf(name), signal);
  }

  /** Sends it an event of type `test`. @returns the id of the delivery, which is on its way */
  async test(name: string, { signal }: CallOptions = {}): Promise<string> {
    const path = `${pathOf(name)}/test`;
    const answer = await this.#connection.json<{ delivery: string }>({ method: "POST", path, signal });
    return answer.delivery;
  }

  /** Deliveries that wait, the oldest first; or the last that were given up. */
  async *deliveries(
    name: string,
    { state = "pending", signal, consistent }: DeliveriesOptions = {},
  ): AsyncGenerator<WebhookDelivery, void, undefined> {
    let cursor: string | null = null;
    do {
      const query = new URLSearchParams({ state, limit: String(limits.pageMax) });
      if (cursor !== null) query.set("cursor", cursor);
      if (consistent === true) query.set("consistent", "true");
      const path = `${pathOf(name)}/deliveries?${query.toString()}`;
      const page: Page = await this.#connection.json<Page>({ method: "GET", path, signal });
      yield* page.deliveries;
      ({ cursor } = page);
    } while (cursor !== null);
  }
}

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}

function pathOf(name: string): string {
  return `/v1/webhooks/${encodeURIComponent(name)}`;
}
