/** The part of the client that works on many tasks at once, by the filter that lists them: `client.bulk`. */
import type { TaskState } from "../model/task.ts";
import type { CallOptions } from "./callOptions.ts";
import type { Connection } from "./connection.ts";

/** At least one of these. Without `states`: all that the operation makes sense for. */
export interface BulkFilter {
  readonly states?: readonly TaskState[];
  readonly queue?: string;
  readonly name?: string;
  /** The worker of the current or last attempt. */
  readonly host?: string;
  /** Only children of this task; not for deleting. */
  readonly parent?: string;
  /** True for tasks without a parent only; not together with `parent`. */
  readonly roots?: boolean;
}

export interface BulkOptions extends CallOptions {
  /** True: nothing is changed, and what would be is yielded. */
  readonly isDryRun?: boolean;
}

/** A task that was changed, or would be; or one that matches and cannot be, with the reason. */
export interface BulkItem {
  readonly id: string;
  readonly refused?: string;
  /** With `refused`: what to do instead. */
  readonly hint?: string;
}

interface Part {
  readonly tasks: readonly string[];
  readonly refused: readonly { readonly id: string; readonly message: string; readonly hint?: string }[];
  readonly cursor: string | null;
}

export class Bulk {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Cancels every unfinished task that matches. Yields each once it is cancelled. */
  cancel(filter: BulkFilter, options: BulkOptions = {}): AsyncGenerator<BulkItem, void, undefined> {
    return this.#run("cancel", filter, options);
  }

  /**
   * Deletes every finished task without a parent that matches, with its output and all that is below it. Yields each once its whole
   * family is gone.
   */
  delete(filter: BulkFilter, options: BulkOptions = {}): AsyncGenerator<BulkItem, void, undefined> {
    return this.#run("delete", filter, options);
  }

  /**
   * Retries every task that matches: the failed ones, unless `states` names others. A task of a graph that has ended is retried
   * with its whole graph; a child whose parent has succeeded without it is refused. Yields each once it is open again.
   */
  retry(filter: BulkFilter, options: BulkOptions = {}): AsyncGenerator<BulkItem, void, undefined> {
    return this.#run("retry", filter, options);
  }

  /** Part by part, the oldest tasks first. Where it is broken off, a repeat does the rest. */
  async *#run(
    action: "cancel" | "delete" | "retry",
    { states, ...rest }: BulkFilter,
    { isDryRun = false, signal }: BulkOptions,
  ): AsyncGenerator<BulkItem, void, undefined> {
    const filter = { ...rest, ...(states !== undefined && { state: states }) };
    let cursor: string | null = null;
    do {
      const body = JSON.stringify({ filter, isDryRun, ...(cursor !== null && { cursor }) });
      const part: Part = await this.#connection.json<Part>({
        method: "POST",
        path: `/v1/bulk/${action}`,
        body,
        signal,
      });
      for (const id of part.tasks) yield { id };
      for (const { id, message, hint } of part.refused)
        yield { id, refused: message, ...(hint !== undefined && { hint }) };
      ({ cursor } = part);
    } while (cursor !== null);
  }
}
