/** A webhook as a form: what its fields hold, and the webhook that they come to. */
import type { Webhook, WebhookView } from "../../api/schema.ts";
import { durationField, durationMsOf, linesOf, patternsOf, UnreadableField } from "../../parts/fieldTexts.ts";

export type Content = WebhookView["content"];
export type Trigger = NonNullable<Webhook["on"]>[number];
export type EndState = NonNullable<Webhook["states"]>[number];

export const triggers: readonly Trigger[] = ["end", "failure", "late", "alarm"];
export const endStates: readonly EndState[] = ["success", "failed", "cancelled", "skipped"];

/** In the words of docs/webhooks.md. */
export const triggerTexts: { readonly [Name in Trigger]: string } = {
  end: "a task has ended",
  failure: "a task has failed, and is not tried again by itself",
  late: "a task has not started although its time has come, or a tick was missed",
  alarm: "the cluster needs somebody's attention",
};

/** Where a webhook does not say. */
const usualTriggers: Trigger[] = ["end"];
export const usualLateMs = 60_000;

export interface Draft {
  readonly url: string;
  readonly description: string;
  readonly on: ReadonlySet<Trigger>;
  /** All of them stand for no filter. */
  readonly states: ReadonlySet<EndState>;
  /** Patterns with spaces between them. */
  readonly queues: string;
  readonly templates: string;
  /** Patterns, each on a line of its own. */
  readonly names: string;
  /** A number and a unit; empty for what is usual. */
  readonly late: string;
  /** Empty to have one made, or to keep the one that it has. */
  readonly secret: string;
}

export function triggersOf({ on = usualTriggers }: Content): readonly Trigger[] {
  return on;
}

const fresh: Content = { url: "", on: ["failure"] };

/** What the fields hold at first: of a webhook that is there, or of a new one. */
export function draftOf(content: Content | null): Draft {
  const { url, description = "", on, states, queues, templates, names, lateMs } = content ?? fresh;
  return {
    ...{ url, description },
    on: new Set(on ?? usualTriggers),
    states: new Set(states ?? endStates),
    queues: (queues ?? []).join(" "),
    templates: (templates ?? []).join(" "),
    names: (names ?? []).join("\n"),
    late: lateMs === undefined ? "" : durationField(lateMs),
    secret: "",
  };
}

/**
 * The webhook to put; what is usual is left out.
 * @throws UnreadableField
 */
export function webhookOf({ url, description, on, states, late, secret, ...texts }: Draft): Webhook {
  if (on.size === 0) throw new UnreadableField("Choose at least one event to be told.");
  if (on.has("end") && states.size === 0) throw new UnreadableField("Choose at least one way in which tasks end.");
  const hasAllStates = !on.has("end") || states.size === endStates.length;
  const filters = {
    on: on.size === 1 && on.has("end") ? undefined : triggers.filter((each) => on.has(each)),
    states: hasAllStates ? undefined : endStates.filter((each) => states.has(each)),
    queues: patternsOf(texts.queues),
    templates: patternsOf(texts.templates),
    names: linesOf(texts.names),
    lateMs:
      !on.has("late") || late.trim() === "" ? undefined : durationMsOf(late, "The time after which a start is late"),
    description: description === "" ? undefined : description,
    secret: secret === "" ? undefined : secret,
  };
  return { url, ...Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)) };
}

/** Of 256 random bits, as the Standard Webhooks specification writes it. */
export function randomSecret(): string {
  return `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
}
