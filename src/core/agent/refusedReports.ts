/**
 * A master refuses a whole report because of one bad item, such as a result that was damaged on disk. Its items are then sent one by
 * one until the one is found that is to blame, so that it does not hold back what other attempts have to say.
 */
import { limits } from "../../model/limits.ts";
import type { ItemRefusal } from "../../model/protocol.ts";
import type { HeldAttempt } from "./attempt.ts";
import type { AgentAttempts } from "./attempts.ts";
import type { AgentOutput } from "./effects.ts";
import type { LinkFailure } from "./inputs.ts";
import type { AgentReports, ReportBatch } from "./reports.ts";

/** No master will ever take it. */
const finalCodes: readonly string[] = ["invalid", "bad-request", "bad-json", "too-large"];

/** The error of an attempt whose result no master takes. */
const refusedCode = "result-refused";

export class RefusedReports {
  readonly #attempts: AgentAttempts;
  readonly #reports: AgentReports;

  constructor(attempts: AgentAttempts, reports: AgentReports) {
    this.#attempts = attempts;
    this.#reports = reports;
  }

  /**
   * @returns the item that is to blame, if it is one that waits for an answer; "sought" while it is looked for, "found" if it was and
   * needs no answer; null if the master refuses even a report without items, or for another reason
   */
  take(now: number, batch: ReportBatch, failure: LinkFailure, out: AgentOutput): Blamed | "sought" | "found" | null {
    const { items } = batch;
    if (!finalCodes.includes(failure.code) || items.length === 0) return null;
    if (this.#reports.itemsMax > 1) {
      // The first report from here on has no items, which shows that it is one of them.
      this.#reports.itemsMax = 0;
      this.#reports.putBack(batch);
      return "sought";
    }
    this.#reports.itemsMax = Number.POSITIVE_INFINITY;
    const { kind, ...item } = items[0] ?? { kind: "bye" };
    const { code, message: reason } = failure;
    const { task, attempt } = item as { readonly task?: string; readonly attempt?: number };
    const fields = { item: kind, code, reason, ...(task !== undefined && { task, attempt }) };
    const message = "a master refused what this worker reported; it is not sent again";
    out.effects.push({ kind: "notice", level: "warn", message, fields });
    for (const held of batch.results) this.#fail(now, held, reason, out);
    const [held] = batch.speakers.keys();
    return held === undefined
      ? "found"
      : { held, refusal: { code: code === "too-large" ? code : "invalid", message: reason } };
  }

  /** The master has taken so many items. */
  answered(count: number): void {
    const { itemsMax } = this.#reports;
    if (itemsMax === 0) this.#reports.itemsMax = 1;
    // Nothing is left, and none was to blame.
    else if (count === 0) this.#reports.itemsMax = Number.POSITIVE_INFINITY;
  }

  /** Its attempt counts as failed, so that its task does not wait for ever; if that is refused, too, nothing can be told of it. */
  #fail(now: number, held: HeldAttempt, reason: string, out: AgentOutput): void {
    const { result } = held;
    if (result === null || result.error?.code === refusedCode) return this.#attempts.settle(now, [held], out);
    const { kind, boot, startedAt, endedAt } = result;
    const error = {
      code: refusedCode,
      message: `No master takes its result: ${reason}`.slice(0, limits.errorMessageLengthMax),
    };
    held.setResult({ kind, ...held.issued, boot, outcome: "failed", startedAt, endedAt, error }, 0);
    this.#reports.addResult(held);
  }
}

/** What an attempt has said, which gets the answer that it is refused. */
export interface Blamed {
  readonly held: HeldAttempt;
  readonly refusal: ItemRefusal;
}
