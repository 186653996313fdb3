/** Puts tasks straight into a database, as anybody may: no master need be there. The next one that leads adopts them. */
import { parseAddress } from "./address.ts";
import { connect, type StoredDocument } from "./connection.ts";
import { insertNew } from "./guardedPut.ts";

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
      const taken = await connection.run(() => insertNew(connection.tasks, documents));
      inserted += documents.length - taken.length;
    }
    return inserted;
  } finally {
    await connection.client.close();
  }
}
