/** Who wants to know when pieces of an attempt's log are stored. */
import { attemptKey, type TaskId } from "../../model/ids.ts";

export class LogListeners {
  readonly #byAttempt = new Map<string, Set<() => void>>();

  /** @returns how to stop listening */
  listen(task: TaskId, attempt: number, listener: () => void): () => void {
    const key = attemptKey(task, attempt);
    const listeners = this.#byAttempt.get(key) ?? new Set();
    this.#byAttempt.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#byAttempt.get(key) === listeners) this.#byAttempt.delete(key);
    };
  }

  /** Pieces of these attempts are stored. */
  tell(attempts: Iterable<{ readonly task: TaskId; readonly attempt: number }>): void {
    const keys = new Set<string>();
    for (const { task, attempt } of attempts) keys.add(attemptKey(task, attempt));
    for (const key of keys) for (const listener of this.#byAttempt.get(key) ?? []) listener();
  }
}
