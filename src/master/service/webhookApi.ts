/** What a master offers for webhooks; a part of `MasterApi`. */
import type { Json } from "../../model/json.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { DeliveryRecord, UndeliveredRecord } from "../../model/webhooks/delivery.ts";
import type { WebhookView } from "../../model/webhooks/webhook.ts";

export interface PutWebhook {
  readonly name: string;
  readonly isNew: boolean;
  /** Told once: where this call has made it. */
  readonly secret?: string;
}

/** One that waits, or one that was given up. */
export type DeliveryView = Omit<DeliveryRecord, "madeIn"> &
  Pick<UndeliveredRecord, "id"> & { readonly givenUpAt?: number };

export interface DeliveryPage {
  readonly deliveries: readonly DeliveryView[];
  /** Give it back as `after` to get the next page; null at the end. */
  readonly cursor: string | null;
}

export interface DeliveryQuery {
  /** True: those that were given up, instead of those that wait. */
  readonly isGivenUp: boolean;
  readonly after: string | null;
  readonly limit: number;
}

export interface WebhookApi {
  /** Makes a webhook or changes it. Rejects with `invalid`. */
  put(name: string, content: Json, by?: Actor): Promise<PutWebhook>;
  /** What waits to be delivered to it is thrown away. */
  remove(name: string, by?: Actor): Promise<void>;
  list(by?: Actor): Promise<readonly WebhookView[]>;
  read(name: string, by?: Actor): Promise<WebhookView>;
  /** Sends it an event. Resolves with the id of the delivery once that is in the journal. */
  test(name: string, by?: Actor): Promise<string>;
  deliveries(name: string, query: DeliveryQuery, by?: Actor): Promise<DeliveryPage>;
}
