/** Open requests: each waits for the scheduler's reply, which is sent only after the commit. */
import type { Reply } from "../../core/scheduler/effects.ts";
import type { RequestId } from "../../core/scheduler/inputs.ts";
import { OutlastError } from "../../model/errors.ts";

interface Waiter {
  resolve(reply: Reply): void;
  reject(error: Error): void;
}

export class Requests {
  readonly #open = new Map<RequestId, Waiter>();
  #last = 0;

  /** Opens a request; `send` gets its id and must pass it to the scheduler. Rejects with what `send` throws. */
  ask(send: (request: RequestId) => void): Promise<Reply> {
    this.#last += 1;
    const request = this.#last;
    return new Promise<Reply>((resolve, reject) => {
      this.#open.set(request, { resolve, reject });
      try {
        send(request);
      } catch (error) {
        this.#open.delete(request);
        reject(error);
      }
    });
  }

  /** True while the caller waits for the reply. */
  isOpen(request: RequestId): boolean {
    return this.#open.has(request);
  }

  answer(request: RequestId, reply: Reply): void {
    const waiter = this.#open.get(request);
    if (waiter === undefined) return;
    this.#open.delete(request);
    if (reply.kind === "refused") waiter.reject(new OutlastError(reply.code, reply.message, reply.details));
    else waiter.resolve(reply);
  }

  /** Rejects all open requests. */
  rejectAll(error: () => OutlastError): void {
    const waiters = [...this.#open.values()];
    this.#open.clear();
    for (const waiter of waiters) waiter.reject(error());
  }
}
