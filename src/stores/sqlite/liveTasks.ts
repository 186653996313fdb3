/** The unfinished tasks of one instant, streamed in batches for a leader that starts. */
import type { DatabaseSync } from "node:sqlite";
import { limits } from "../../model/limits.ts";
import { isFinal, taskStates } from "../../model/task.ts";
import type { LiveTask } from "../../ports/store.ts";
import { toHead, toStatus } from "../documents.ts";
import { guarded, turn } from "./connection.ts";

/**
 * @param snapshot a connection inside a read transaction; `done` is called when the last batch was taken or the caller stopped
 */
export async function* streamLiveTasks(
  snapshot: DatabaseSync,
  path: string,
  done: () => void,
): AsyncGenerator<readonly LiveTask[]> {
  try {
    const ofState = guarded(path, () =>
      snapshot.prepare(
        "SELECT tasks.seq, status, spec FROM tasks INDEXED BY tasks_by_state JOIN specs USING (ord) WHERE state = ?",
      ),
    );
    // Objects with names take a third longer, which a leader feels that reads a million tasks.
    ofState.setReturnArrays(true);
    for (const state of taskStates.filter((one) => !isFinal(one))) {
      const rows: Iterator<unknown> = ofState.iterate(state);
      while (true) {
        const batch = guarded(path, () => takeBatch(rows));
        if (batch.length === 0) break;
        yield batch;
        await turn();
      }
    }
  } finally {
    done();
  }
}

/** A bounded number of rows with a bounded amount of text, so that nothing else waits long. */
function takeBatch(rows: Iterator<unknown>): LiveTask[] {
  const batch: LiveTask[] = [];
  let bytes = 0;
  while (batch.length < limits.storeStepRowsMax && bytes < limits.storeStepBytesMax) {
    const next = rows.next();
    if (next.done === true) break;
    const [seq, status, spec] = next.value as [number, string, string];
    bytes += spec.length + status.length;
    batch.push({ head: toHead(spec), status: toStatus(status), seq });
  }
  return batch;
}
