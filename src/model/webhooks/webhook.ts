/** Webhooks: which events are told to which receiver. */
import type { Json } from "../json.ts";
import { defaults, limits } from "../limits.ts";
import { coversQueue, queuePattern, type Rights } from "../principals/principal.ts";
import { closed, limitKeyword, list, oneOf, type Schema, whole } from "../schema.ts";
import type { FinalState } from "../task.ts";

/**
 * end      a task has ended, in whatever way
 * failure  a task has failed: it is not tried again by itself
 * late     a task has not started although its time has come; a tick of a schedule was missed
 * alarm    something is wrong with the cluster that somebody should look at
 */
export const webhookTriggers = ["end", "failure", "late", "alarm"] as const;
export type WebhookTrigger = (typeof webhookTriggers)[number];

const endStates: readonly FinalState[] = ["success", "failed", "cancelled", "skipped"];

/** What a user writes. Filters that are left out let everything through. */
export interface WebhookContent {
  readonly description?: string;
  readonly url: string;
  /** `["end"]` if left out. */
  readonly on?: readonly WebhookTrigger[];
  /** Of `end`: only tasks that have ended like this. */
  readonly states?: readonly FinalState[];
  /** Patterns: a name, or its beginning with a `*`. Of a task all of them must match. */
  readonly queues?: readonly string[];
  readonly names?: readonly string[];
  readonly templates?: readonly string[];
  /** How long after its time something that has not started is late. */
  readonly lateMs?: number;
}

/** What came of the last request to the receiver. */
export interface LastAnswer {
  readonly at: number;
  /** Null: it was delivered. */
  readonly problem: string | null;
}

/** Of all deliveries since the webhook was made. */
export interface DeliveryCounts {
  /** Records of deliveries in the store. */
  readonly pending: number;
  readonly delivered: number;
  readonly givenUp: number;
  /** There was no room for them. */
  readonly dropped: number;
}

/** A record of the collection `webhooks`; its id is the name. */
export interface WebhookRecord extends DeliveryCounts {
  readonly name: string;
  /** The entry in which it was made: tells it from an earlier webhook of this name. */
  readonly madeIn: number;
  readonly content: WebhookContent;
  readonly fingerprint: string;
  /** `whsec_` and base64. In plain text, since signatures are made with it; never shown. */
  readonly secret: string;
  /** Of the one who made it. */
  readonly rights?: Rights;
  readonly createdAt: number;
  readonly changedAt: number;
  readonly last?: LastAnswer;
  /** What was due by this instant of the wall clock has been looked at, and of that very instant the tasks up to this id. */
  readonly lateUntil: number;
  readonly lateUntilId: string;
  /** It was removed; the record stays until its deliveries are gone. */
  readonly isRemoved?: true;
}

/** A webhook as the API shows it. */
export type WebhookView = Omit<
  WebhookRecord,
  "fingerprint" | "secret" | "lateUntil" | "lateUntilId" | "isRemoved" | "madeIn"
>;

export function toWebhookView({
  fingerprint: _mark,
  secret: _secret,
  lateUntil: _until,
  lateUntilId: _id,
  isRemoved: _gone,
  madeIn: _seq,
  ...view
}: WebhookRecord): WebhookView {
  return view;
}

/** True if it is told of this at all, before names and templates are looked at. */
export function hearsOf(
  { content, rights }: Pick<WebhookRecord, "content" | "rights">,
  trigger: WebhookTrigger,
  queue: string,
): boolean {
  return (
    (content.on ?? defaults.webhookTriggers).includes(trigger) &&
    coversQueue(content.queues, queue) &&
    coversQueue(rights?.queues, queue)
  );
}

/** True if it is told that a task of this queue has ended like this. */
export function hearsOfEnd(webhook: WebhookRecord, state: FinalState, queue: string): boolean {
  const { states } = webhook.content;
  if (state === "failed" && hearsOf(webhook, "failure", queue)) return true;
  return (states === undefined || states.includes(state)) && hearsOf(webhook, "end", queue);
}

/** True if it is told of the cluster as a whole. */
export function hearsAlarms({ content, rights }: WebhookRecord): boolean {
  return (content.on ?? defaults.webhookTriggers).includes("alarm") && rights?.queues === undefined;
}

/** Whether names matter to it, which only the store knows. */
export function asksForNames({ content }: Pick<WebhookRecord, "content">): boolean {
  return content.names !== undefined || content.templates !== undefined;
}

/** True if its filters let this name, and this template, through. */
export function matchesNames(
  { content: { names, templates } }: Pick<WebhookRecord, "content">,
  name: string,
  template: string | undefined,
): boolean {
  return (
    coversQueue(names, name) &&
    (templates === undefined || (template !== undefined && coversQueue(templates, template)))
  );
}

const pattern: Schema = {
  type: "string",
  minLength: 1,
  maxLength: limits.nameLengthMax,
  [limitKeyword]: "nameLengthMax",
  description: "A name; a `*` at its end stands for any rest.",
};
const patterns = list(pattern, {
  minItems: 1,
  maxItems: limits.webhookPatternsMax,
  [limitKeyword]: "webhookPatternsMax",
});

export const webhookSchema = closed(
  {
    url: {
      type: "string",
      minLength: 1,
      maxLength: limits.webhookUrlLengthMax,
      [limitKeyword]: "webhookUrlLengthMax",
      description: "http or https.",
    },
  },
  {
    description: {
      type: "string",
      maxLength: limits.descriptionLengthMax,
      [limitKeyword]: "descriptionLengthMax",
    },
    on: list(oneOf(webhookTriggers), { minItems: 1, maxItems: webhookTriggers.length, uniqueItems: true }),
    states: list(oneOf(endStates), { minItems: 1, maxItems: endStates.length, uniqueItems: true }),
    queues: list(queuePattern, {
      minItems: 1,
      maxItems: limits.principalQueuesMax,
      [limitKeyword]: "principalQueuesMax",
    }),
    names: patterns,
    templates: patterns,
    lateMs: whole(limits.webhookLateMsMin, limits.durationMsMax, "durationMsMax", { default: defaults.webhookLateMs }),
    secret: {
      type: "string",
      pattern: "^whsec_[A-Za-z0-9+/]+={0,2}$",
      maxLength: limits.nameLengthMax,
      [limitKeyword]: "webhookSecretBytesMax",
      description:
        "24 to 64 bytes in base64 after `whsec_`. If left out, a new webhook is given one, and another keeps its own.",
    },
  },
  { examples: [{ url: "https://example.com/hooks/outlast", on: ["failure"], queues: ["reports"] }] as Json[] },
);
