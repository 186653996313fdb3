/** The receiver of the world's webhooks: it notes what it takes, and it fails, or takes something and its answer is lost. */
import type { TaskId } from "../../model/ids.ts";
import type { TaskState } from "../../model/task.ts";
import type { PostOutcome, Receivers, WebhookMessage } from "../../ports/receivers.ts";
import type { Ledger } from "../checkers/ledger.ts";
import type { Coverage } from "./coverage.ts";
import type { Knobs } from "./knobs.ts";
import type { Network } from "./network.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** How long it is up, or down, at a time. */
const spellMs = 8_000;

interface Body {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly webhook: string;
    readonly task?: { readonly id: TaskId; readonly state: TaskState; readonly attempt?: number };
  };
}

interface ReceiverParts {
  readonly knobs: Knobs;
  readonly random: Random;
  readonly network: Network;
  readonly timeline: Timeline;
  readonly ledger: Ledger;
  readonly coverage: Coverage;
}

export class Receiver {
  readonly #parts: ReceiverParts;
  readonly #random: Random;
  readonly #spells: Random;

  constructor(parts: ReceiverParts) {
    this.#parts = parts;
    this.#random = parts.random.fork("receiver");
    this.#spells = parts.random.fork("spells of the receiver");
  }

  /** As the process of one master reaches it. */
  reachedFrom(process: Process): Receivers {
    return {
      refusalOf: () => null,
      post: (message) => ({ outcome: this.#send(process, message), abort: () => undefined }),
    };
  }

  async #send(process: Process, message: WebhookMessage): Promise<PostOutcome> {
    const { network } = this.#parts;
    await process.sleep(network.latency());
    const outcome = this.#take(process, message);
    await process.sleep(network.latency());
    return outcome;
  }

  #take(process: Process, { id, body: text }: WebhookMessage): PostOutcome {
    const { coverage, ledger } = this.#parts;
    const share = this.#isTroubled ? this.#random.next() : 1;
    if (share < 0.2 || this.#isDown) {
      coverage.saw("a receiver of webhooks failed");
      return share < 0.1 ? { status: 503 } : { problem: "connect ECONNREFUSED" };
    }
    const { type, timestamp, data } = JSON.parse(text) as Body;
    const { webhook, task } = data;
    const about = task === undefined ? {} : { task: task.id, state: task.state, attempt: task.attempt ?? 0 };
    ledger.add({
      kind: "webhook-taken",
      life: process.name,
      webhook,
      message: id,
      type,
      toldAt: Date.parse(timestamp),
      ...about,
    });
    coverage.saw("a webhook was delivered");
    if (share >= 0.35) return { status: 200 };
    coverage.saw("the answer of a receiver was lost");
    return { problem: "socket hang up" };
  }

  /** Until the faults are over. */
  get #isTroubled(): boolean {
    const { knobs, timeline } = this.#parts;
    return knobs.temper !== "calm" && timeline.now < knobs.unsafeMs;
  }

  get #isDown(): boolean {
    return this.#isTroubled && this.#spells.fork(`${Math.floor(this.#parts.timeline.now / spellMs)}`).chance(0.3);
  }
}
