/** Ends one try after a while; the bound can be lifted from a stream once it is open, the caller's signal stays. */
import { defaults } from "../model/limits.ts";

export class Deadline {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout>;
  readonly #outer: AbortSignal | undefined;
  readonly #onOuterAbort = () => this.#controller.abort(this.#outer?.reason);
  #isLifted = false;
  #isCleared = false;

  /** @param waitMs for the head of the answer */
  constructor(outer: AbortSignal | undefined, waitMs: number) {
    outer?.throwIfAborted();
    this.#outer = outer;
    this.#timer = this.#start(waitMs);
    outer?.addEventListener("abort", this.#onOuterAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something has moved, such as the head of the answer: what follows has a time of its own. */
  extend(): void {
    if (this.#isCleared) return;
    clearTimeout(this.#timer);
    this.#timer = this.#start(defaults.clientTryMs);
  }

  /** Leaves the answer open; the returned function closes it. */
  lift(): () => void {
    this.#isLifted = true;
    return () => {
      this.#outer?.removeEventListener("abort", this.#onOuterAbort);
      this.#controller.abort();
    };
  }

  clear(): void {
    this.#isCleared = true;
    clearTimeout(this.#timer);
    if (!this.#isLifted) this.#outer?.removeEventListener("abort", this.#onOuterAbort);
  }

  #start(waitMs: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(new Error("No answer in time.")), waitMs);
  }
}
