/** How a master reaches the receivers of webhooks. */

export interface WebhookMessage {
  /** The same in every try. */
  readonly id: string;
  readonly url: string;
  /** `whsec_` and base64: what the signature is made with. */
  readonly secret: string;
  /** JSON text. */
  readonly body: string;
}

/** The status of the receiver's answer, or why there is none. */
export type PostOutcome = { readonly status: number } | { readonly problem: string };

export interface Posting {
  /** Never rejects. */
  readonly outcome: Promise<PostOutcome>;
  /** Nobody waits for the outcome any more: it may be any, and comes soon. */
  abort(): void;
}

export interface Receivers {
  /** Why nothing is ever sent to this URL, as a sentence; null if that does not show in the URL. */
  refusalOf(url: string): string | null;
  /**
   * Sends a message, signed with the time at which it is sent. Follows no redirect, and reads nothing of the answer but its head.
   * Takes at most `limits.deliveryWaitMsMax`.
   */
  post(message: WebhookMessage): Posting;
}

/** For masters that reach nobody, as in most tests. */
export const noReceivers: Receivers = {
  refusalOf: () => null,
  post: () => ({ outcome: Promise.resolve({ problem: "This master sends no webhooks." }), abort: () => undefined }),
};
