/** A handler's requests to the leader: a few at a time, in order, with refusals turned into errors. */
import type { FilesAnswer, FilesRequest } from "../../model/attemptFiles.ts";
import type { ChildrenPage } from "../../model/family.ts";
import type { AttemptContent, CommittedItem } from "../../model/protocol.ts";
import { NonRetryableError } from "./errors.ts";
import type { HandlerPort } from "./port.ts";

/** The worker refuses more than `limits.attemptItemsMax` items at a time; so many keep the way to the leader full. */
const inFlightMax = 32;

/** Problems with files that another attempt would meet again. */
const final: readonly string[] = ["invalid", "blob-missing"];

export class Requests {
  readonly #port: HandlerPort;
  /** The leader has given this attempt up. */
  readonly #onStale: () => void;
  readonly #line: (() => void)[] = [];
  #inFlight = 0;

  /** None is under way any more. */
  readonly #onIdle: () => void;

  constructor(port: HandlerPort, onStale: () => void, onIdle: () => void) {
    this.#port = port;
    this.#onStale = onStale;
    this.#onIdle = onIdle;
  }

  get isBusy(): boolean {
    return this.#inFlight > 0;
  }

  /**
   * Resolves when the leader has taken the item; never, if it has given the attempt up.
   * @throws NonRetryableError if it refuses the item for what it is
   */
  async send(content: AttemptContent): Promise<CommittedItem> {
    const answer = await this.#take(() => this.#port.send(content));
    switch (answer.verdict) {
      case "committed":
        return answer;
      case "stale":
        this.#onStale();
        return never();
      case "refused":
        // What there is too much of may have room later; everything else would be refused again.
        throw answer.code === "too-many" ? new Error(answer.message) : new NonRetryableError(answer.message);
      default:
        return answer satisfies never;
    }
  }

  readChildren(key: string, from: number): Promise<ChildrenPage> {
    return this.#take(() => this.#port.readChildren(key, from));
  }

  /** @throws Error, or NonRetryableError for what would be refused again */
  async files(asked: FilesRequest): Promise<Exclude<FilesAnswer, { problem: unknown }>> {
    const answer = await this.#take(async () => this.#port.files?.(asked));
    if (answer === undefined) throw new NonRetryableError("There are no files where this handler runs.");
    if (!("problem" in answer)) return answer;
    const { code, message } = answer.problem;
    throw final.includes(code) ? new NonRetryableError(message) : new Error(message);
  }

  async #take<Answer>(request: () => Promise<Answer>): Promise<Answer> {
    if (this.#inFlight >= inFlightMax) await new Promise<void>((resolve) => this.#line.push(resolve));
    else this.#setInFlight(this.#inFlight + 1);
    try {
      return await request();
    } finally {
      // The place is handed on without becoming free in between, so that nobody overtakes those who wait.
      const next = this.#line.shift();
      if (next === undefined) this.#setInFlight(this.#inFlight - 1);
      else next();
    }
  }

  #setInFlight(count: number): void {
    const wasBusy = this.isBusy;
    this.#inFlight = count;
    if (wasBusy === this.isBusy) return;
    this.#port.onBusy?.(this.isBusy);
    if (wasBusy) this.#onIdle();
  }
}

/** What a later attempt answers. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
