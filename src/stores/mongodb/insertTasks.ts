/** Puts tasks straight into a database, as anybody may: no master need be there. The next one that leads adopts them. */
import { parseAddress } from "./address.ts";
import { connect, type StoredDocument } from "./connection.ts";
import { duplicatesOf, isDuplicateKey } from "./failure.ts";

export interface NewTask {
  readonly id: string;
  readonly name: string;
  readonly seconds: number;
}

const batchMax = 1_000;

/** Inserts the tasks that are not there yet; returns how many those were. @throws StoreRefused */
export async function insertTasks(uri: string, tasks: readonly NewTask[]): Promise<number> {
  const connection = await connect(parseAddress(uri));
  try {
    let inserted = 0;
    for (let start = 0; start < tasks.length; start += batchMax) {
      const documents = tasks.slice(start, start + batchMax).map(
        ({ id, name, seconds }): StoredDocument => ({
          _id: id,
          taskname: name,
          sleeptime: seconds,
          state: "created",
        }),
      );
      inserted += await connection.run(() => insertNew(documents));
    }
    return inserted;
  } finally {
    await connection.client.close();
  }

  async function insertNew(documents: readonly StoredDocument[]): Promise<number> {
    try {
      return (await connection.tasks.insertMany(documents, { ordered: false })).insertedCount;
    } catch (error) {
      const there = duplicatesOf(error) ?? (isDuplicateKey(error) ? [0] : null);
      if (there === null) throw error;
      return documents.length - there.length;
    }
  }
}
