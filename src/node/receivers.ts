/** Sends webhooks over HTTP, signed as https://www.standardwebhooks.com says. */
import type { IncomingMessage, RequestOptions } from "node:http";
import { limits } from "../model/limits.ts";
import { checkHost, guardedLookup, PrivateAddress } from "../outbound/addressGuard.ts";
import type { PostOutcome, Receivers, WebhookMessage } from "../ports/receivers.ts";

/** @param allowsPrivate true: receivers may be on private addresses */
export function createReceivers(allowsPrivate: boolean): Receivers {
  return {
    refusalOf(url) {
      if (allowsPrivate) return null;
      try {
        checkHost(new URL(url).hostname);
        return null;
      } catch (error) {
        return describe(error);
      }
    },
    post(message) {
      const end = new AbortController();
      const outcome = post(message, end.signal, allowsPrivate).catch((error: unknown) => ({
        problem: describe(error),
      }));
      return { outcome, abort: () => end.abort() };
    },
  };
}

async function post(
  { id, url: text, secret, body }: WebhookMessage,
  signal: AbortSignal,
  allowsPrivate: boolean,
): Promise<PostOutcome> {
  const url = new URL(text);
  if (!allowsPrivate) checkHost(url.hostname);
  const { Webhook } = await import("standardwebhooks");
  const at = new Date();
  const options: RequestOptions = {
    method: "POST",
    signal: AbortSignal.any([signal, AbortSignal.timeout(limits.deliveryWaitMsMax)]),
    // A connection of its own: one that was kept might be broken, or lead where an earlier look-up has led.
    agent: false,
    headers: {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(body),
      "User-Agent": "outlast",
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
      "webhook-signature": new Webhook(secret).sign(id, at, body),
    },
    ...(!allowsPrivate && { lookup: guardedLookup }),
  };
  const { request } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = request(url, options, resolve);
    sent.on("error", reject);
    sent.end(body);
  });
  answer.on("error", () => undefined);
  answer.destroy();
  return { status: answer.statusCode ?? 0 };
}

function describe(error: unknown): string {
  if (error instanceof PrivateAddress) {
    return `${error.message}. It is when the masters are started with --webhook-private.`;
  }
  // An error of several addresses says nothing by itself.
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  const cause = first ?? error;
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === "TimeoutError" || cause.name === "AbortError")
    return `The receiver did not answer within ${limits.deliveryWaitMsMax / 1000} s.`;
  return cause.message;
}
