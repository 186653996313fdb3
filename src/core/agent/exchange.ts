/** What attempts and the leader say to each other while an attempt runs: items up, which are acknowledged, and messages down. */
import { limits } from "../../model/limits.ts";
import {
  type AttemptContent,
  type AttemptMessage,
  type AttemptRef,
  attemptItemsSince,
  type ItemAnswer,
  type ItemRefusal,
} from "../../model/protocol.ts";
import type { HeldAttempt } from "./attempt.ts";
import { itemBytes } from "./attemptItems.ts";
import type { AgentAttempts } from "./attempts.ts";
import { checkContent } from "./contentChecks.ts";
import type { AgentOutput } from "./effects.ts";
import type { LinkFailure } from "./inputs.ts";
import { RefusedReports } from "./refusedReports.ts";
import type { AgentReports, Answered, ReportBatch } from "./reports.ts";
import type { Telling } from "./session.ts";

export class Exchange {
  readonly #attempts: AgentAttempts;
  readonly #reports: AgentReports;
  readonly #refused: RefusedReports;
  /** Of the present session, or of the last one. */
  #protocol: number = attemptItemsSince;

  constructor(attempts: AgentAttempts, reports: AgentReports) {
    this.#attempts = attempts;
    this.#reports = reports;
    this.#refused = new RefusedReports(attempts, reports);
  }

  get telling(): Telling {
    return { dueAt: this.#reports.dueAt, isIdle: this.#attempts.isIdle };
  }

  /** An attempt sends something and waits for the acknowledgement; it gets exactly one answer. */
  send(ref: AttemptRef, ticket: number, content: AttemptContent, out: AgentOutput): void {
    const held = this.#attempts.find(ref);
    if (held?.phase !== "running" || held.isVoid || held.itemsIfAny?.isOver === true) {
      return acknowledge(out, ref, ticket, { verdict: "stale" });
    }
    const checked = checkContent(content);
    const refusal = "code" in checked ? checked : this.#add(held, ticket, checked);
    if (refusal !== null) acknowledge(out, ref, ticket, { verdict: "refused", ...refusal });
  }

  #add(held: HeldAttempt, ticket: number, content: AttemptContent): ItemRefusal | null {
    if (this.#protocol < attemptItemsSince) return unsupported();
    const bytes = itemBytes(content);
    if (bytes > limits.attemptItemBytesMax) {
      const message = `The item has ${bytes} bytes; ${limits.attemptItemBytesMax} are allowed.`;
      return { code: "too-large", message };
    }
    const refusal = held.items.add({ id: this.#reports.nextId(), ticket, content, bytes });
    if (refusal !== null) return refusal;
    this.#reports.addSpeaker(held);
    return null;
  }

  /** An attempt says something that needs no acknowledgement; only the latest counts. */
  tell(ref: AttemptRef, content: AttemptContent): void {
    const held = this.#attempts.find(ref);
    const checked = checkContent(content);
    if (held?.phase !== "running" || "code" in checked) return;
    held.items.latest = checked;
    this.#reports.addTeller(held);
  }

  /** The leader has answered a report. */
  answered({ items, count }: Answered, out: AgentOutput): void {
    this.#refused.answered(count);
    for (const [held, answers] of items) {
      for (const [index, item] of held.items.shift(answers.length).entries()) {
        acknowledge(out, held.ref, item.ticket, answers[index] ?? { verdict: "stale" });
      }
      if (answers.some(({ verdict }) => verdict === "stale")) {
        held.items.isOver = true;
        this.#drop(held, { verdict: "stale" }, out);
      }
      if (held.items.pendingCount === 0) this.#attempts.closed(held, out);
    }
  }

  /** The leader takes none of a report. @returns whether the session goes on, and what is to blame is told apart */
  refused(now: number, batch: ReportBatch, failure: LinkFailure, out: AgentOutput): boolean {
    const found = this.#refused.take(now, batch, failure, out);
    if (found === null) return false;
    if (typeof found === "string") return true;
    const { held, refusal } = found;
    this.answered({ items: new Map([[held, [{ verdict: "refused", ...refusal }]]]), results: [], count: 1 }, out);
    return true;
  }

  /** A session begins: what was not acknowledged is sent again, or refused if the master cannot take it. */
  begin(protocol: number, out: AgentOutput): void {
    this.#protocol = protocol;
    this.#reports.itemsMax = Number.POSITIVE_INFINITY;
    for (const held of this.#attempts) {
      if (held.itemsIfAny === null) continue;
      if (protocol < attemptItemsSince) {
        this.#drop(held, { verdict: "refused", ...unsupported() }, out);
        this.#attempts.closed(held, out);
      }
    }
    this.#reports.reset(this.#attempts);
  }

  /** The leader tells attempts something. What does not run here, or was told before, is passed over. */
  deliver(messages: readonly AttemptMessage[], out: AgentOutput): void {
    for (const message of messages) this.#deliver(message, out);
  }

  #deliver({ id, body, ...issued }: AttemptMessage, out: AgentOutput): void {
    const held = this.#attempts.find(issued);
    if (held?.phase !== "running" || held.assignedAt !== issued.assignedAt || !held.items.takeMessage(id)) return;
    out.effects.push({ kind: "deliver", ...held.ref, id, body });
  }

  #drop(held: HeldAttempt, answer: ItemAnswer, out: AgentOutput): void {
    for (const item of held.items.shift(Number.POSITIVE_INFINITY)) {
      acknowledge(out, held.ref, item.ticket, answer);
    }
  }
}

function acknowledge(out: AgentOutput, { task, attempt }: AttemptRef, ticket: number, answer: ItemAnswer): void {
  out.effects.push({ kind: "acknowledge", task, attempt, ticket, answer });
}

function unsupported(): ItemRefusal {
  return { code: "unsupported", message: "The master speaks version 1 of the worker protocol; it takes no items." };
}
