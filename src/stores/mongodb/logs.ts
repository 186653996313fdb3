/** Pieces of output, each stored once, by the place of their task in the order of creation: a new task of the same id has another. */
import type { TaskId } from "../../model/ids.ts";
import { isOutputOf } from "../../model/logOwner.ts";
import type { LogChunk } from "../../model/protocol.ts";
import type { TaskDocument } from "../../model/task.ts";
import type { LogDocument } from "./collections.ts";
import type { Connection } from "./connection.ts";
import { duplicatesOf } from "./failure.ts";

/** A task as it is now, and its place in the order of creation. */
export interface LogOwner {
  readonly ord: number;
  readonly task: Pick<TaskDocument, "createdAt" | "attempt" | "assignedAt">;
}

export class LogCollection {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Output that belongs to none of `owners` is left out, since nobody could ask for it. */
  async put(chunks: readonly LogChunk[], owners: ReadonlyMap<TaskId, LogOwner>): Promise<void> {
    const documents = chunks.flatMap((chunk): LogDocument[] => {
      const { task, attempt, offset, at, isTruncated, bytes } = chunk;
      const owner = owners.get(task);
      if (owner === undefined || !isOutputOf(owner.task, chunk)) return [];
      const { ord } = owner;
      const run = `${ord}/${attempt}`;
      return [{ _id: `${run}/${offset}`, task, run, ord, offset, at, isTruncated, bytes: Buffer.from(bytes) }];
    });
    if (documents.length === 0) return;
    try {
      await this.#connection.logs.insertMany(documents, { ordered: false });
    } catch (error) {
      if (duplicatesOf(error) === null) throw error;
    }
  }

  async read(ord: number, task: TaskId, attempt: number, fromOffset: number, maxBytes: number): Promise<LogChunk[]> {
    const chunks: LogChunk[] = [];
    let total = 0;
    const cursor = this.#connection.logs
      .find({ run: `${ord}/${attempt}`, offset: { $gte: fromOffset } })
      .sort({ offset: 1 });
    for await (const { offset, at, isTruncated, bytes: stored } of cursor) {
      const bytes = stored instanceof Uint8Array ? stored : stored.value();
      total += bytes.length;
      if (chunks.length > 0 && total > maxBytes) break;
      chunks.push({ task, attempt, offset, at, bytes: Uint8Array.from(bytes), isTruncated });
    }
    return chunks;
  }
}
