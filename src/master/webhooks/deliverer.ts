/**
 * Delivers events to the receivers of webhooks while its master leads. It learns of deliveries when they are committed, or reads
 * them from the store, and what has come of them goes back into the journal in batches. Commits never wait for it, and what is
 * under way when its master dies is sent again by the next leader.
 */
import type { Write } from "../../model/entry.ts";
import type { Incarnation } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { TaskDocument } from "../../model/task.ts";
import { type DeliveryOutcome, type DeliveryRecord, deliveryPrefix, messageId } from "../../model/webhooks/delivery.ts";
import { asksForNames, matchesNames, type WebhookRecord } from "../../model/webhooks/webhook.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Posting, PostOutcome, Receivers } from "../../ports/receivers.ts";
import { type Store, StoreUnavailable } from "../../ports/store.ts";
import { DeliveryQueue, type HeldDelivery } from "./deliveryQueue.ts";
import { bodyOf } from "./message.ts";

export interface DelivererParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly receivers: Receivers;
  readonly incarnation: Incarnation;
  /** Hands outcomes to the scheduler, at most `limits.deliveryOutcomesMax`. */
  readonly onOutcomes: (outcomes: readonly DeliveryOutcome[]) => void;
}

type Result = Pick<DeliveryOutcome, "result" | "problem">;

export class Deliverer {
  readonly #parts: DelivererParts;
  readonly #queues = new Map<string, DeliveryQueue>();
  readonly #postings = new Set<Posting>();
  #isStopped = false;
  #sending = 0;
  #outcomes: DeliveryOutcome[] = [];
  #noteTimer: Timer | null = null;
  #timer: Timer | null = null;

  constructor(parts: DelivererParts) {
    this.#parts = parts;
  }

  /** @param webhooks as the journal has them when its master begins to lead */
  start(webhooks: Iterable<WebhookRecord>): void {
    for (const webhook of webhooks) this.#queues.set(webhook.name, new DeliveryQueue(webhook));
    this.#go();
  }

  stop(): void {
    this.#isStopped = true;
    for (const posting of this.#postings) posting.abort();
    this.#timer?.cancel();
    this.#noteTimer?.cancel();
  }

  /** Sees all writes of each entry that this leader commits. */
  note(writes: readonly Write[]): void {
    // An entry that brings deliveries brings their webhooks, too: with how many wait.
    const webhooks = writes.filter((write) => write.kind === "record" && write.collection === "webhooks");
    if (webhooks.length === 0) return;
    for (const { id, value } of webhooks) this.#noteWebhook(id, value);
    for (const write of writes) {
      if (write.kind === "record" && write.collection === "deliveries") this.#noteDelivery(write.id, write.value);
    }
    this.#go();
  }

  #noteWebhook(name: string, record: WebhookRecord | null): void {
    const queue = this.#queues.get(name);
    if (record === null) this.#queues.delete(name);
    else if (queue !== undefined) queue.webhook = record;
    // Its first deliveries come in this entry or later.
    else this.#queues.set(name, new DeliveryQueue({ ...record, pending: 0 }));
  }

  #noteDelivery(id: string, delivery: DeliveryRecord | null): void {
    const name = delivery?.webhook ?? id.slice(0, id.lastIndexOf("@"));
    this.#queues.get(name)?.note(id, delivery);
  }

  /** Reads what there is room for, begins what is due, and comes back when more is. */
  #go(): void {
    if (this.#isStopped) return;
    const { clock } = this.#parts;
    this.#timer?.cancel();
    this.#timer = null;
    const now = clock.now();
    let nextAt = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values()) {
      void this.#read(queue);
      while (this.#sending < limits.deliveriesAtOnceOfAllMax) {
        const held = queue.next(now);
        if (held === null) break;
        void this.#deliver(queue, held);
      }
      nextAt = Math.min(nextAt, queue.nextAt);
    }
    if (nextAt === Number.POSITIVE_INFINITY || this.#sending >= limits.deliveriesAtOnceOfAllMax) return;
    // What is due already waits for an answer, which leads here again.
    if (nextAt > now) this.#timer = clock.at(nextAt, () => this.#go());
  }

  async #read(queue: DeliveryQueue): Promise<void> {
    const wanted = queue.beginReading();
    if (wanted === null) return;
    const { store, clock, log } = this.#parts;
    const { after, limit } = wanted;
    const query = { idPrefix: deliveryPrefix(queue.webhook.name), limit, ...(after !== "" && { after }) };
    try {
      const { records, isMore } = await store.listRecords("deliveries", query);
      if (this.#isStopped) return;
      queue.noteRead(records, isMore, clock.now());
      this.#go();
    } catch (error) {
      queue.noteRead(null, true, clock.now());
      if (this.#isStopped) return;
      if (!(error instanceof StoreUnavailable)) log.error("deliveries could not be read", { error });
      clock.at(clock.now() + defaults.commitRetryMsMax, () => this.#go());
    }
  }

  async #deliver(queue: DeliveryQueue, held: HeldDelivery): Promise<void> {
    held.isBusy = true;
    queue.sending += 1;
    this.#sending += 1;
    const { delivery } = held;
    let result: Result | null;
    try {
      result = await this.#try(queue, held.id, delivery);
    } catch (error) {
      // The store cannot be read: nothing has been sent, and nothing counts.
      if (!(error instanceof StoreUnavailable)) this.#parts.log.error("a delivery could not be tried", { error });
      result = null;
    }
    queue.sending -= 1;
    this.#sending -= 1;
    if (this.#isStopped) return;
    if (result === null) {
      held.isBusy = false;
      held.dueAt = this.#parts.clock.now() + defaults.commitRetryMsMax;
    } else {
      this.#tell({ id: held.id, delivery, ...result });
    }
    this.#go();
  }

  async #try(queue: DeliveryQueue, id: string, delivery: DeliveryRecord): Promise<Result> {
    const { webhook } = queue;
    const { receivers, incarnation, clock, log } = this.#parts;
    if (webhook.isRemoved === true || webhook.madeIn !== delivery.madeIn) return { result: "skipped" };
    const document = delivery.task === undefined ? null : await this.#parts.store.readTask(delivery.task);
    const judgement = judge(webhook, delivery, document);
    if (judgement !== null) return judgement;
    const { url, name } = { ...webhook.content, name: webhook.name };
    const message = {
      id: messageId(incarnation, id),
      url,
      secret: webhook.secret,
      body: bodyOf(name, delivery, document),
    };
    const posting = receivers.post(message);
    this.#postings.add(posting);
    const problem = problemOf(await posting.outcome);
    this.#postings.delete(posting);
    queue.noteAnswer(problem === null, clock.now());
    if (problem === null) return { result: "delivered" };
    if (queue.failures === 1)
      log.warn("the receiver of a webhook has not taken a delivery", { webhook: name, problem });
    return { result: "failed", problem };
  }

  /** Outcomes wait a moment for others: they share an entry. */
  #tell(outcome: DeliveryOutcome): void {
    this.#outcomes.push(outcome);
    if (this.#outcomes.length >= limits.deliveryOutcomesMax) return this.#flush();
    const { clock } = this.#parts;
    this.#noteTimer ??= clock.at(clock.now() + defaults.deliveryNoteMs, () => this.#flush());
  }

  #flush(): void {
    this.#noteTimer?.cancel();
    this.#noteTimer = null;
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    if (outcomes.length > 0 && !this.#isStopped) this.#parts.onOutcomes(outcomes);
  }
}

/** What can be said without asking the receiver; null if it is to be told. */
function judge(webhook: WebhookRecord, delivery: DeliveryRecord, document: TaskDocument | null): Result | null {
  if (delivery.type === "test" || delivery.type === "alarm" || !asksForNames(webhook)) return null;
  const name = document?.name ?? delivery.name;
  if (name === undefined) {
    return { result: "lost", problem: "The task was removed before its name could be looked at." };
  }
  const template = document?.origin?.template ?? delivery.template;
  return matchesNames(webhook, name, template) ? null : { result: "skipped" };
}

function problemOf(answer: PostOutcome): string | null {
  if ("problem" in answer) return answer.problem.slice(0, limits.deliveryProblemLengthMax);
  const { status } = answer;
  return status >= 200 && status < 300 ? null : `The receiver answered ${status}.`;
}
