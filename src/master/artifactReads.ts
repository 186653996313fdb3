/** Reads what the attempts of tasks have left. */
import { type ArtifactRecord, artifactPrefix } from "../model/blob.ts";
import { ownedRecordId } from "../model/collections/table.ts";
import type { TaskId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import type { Store } from "../ports/store.ts";

/** All artifacts of an attempt, also while it is not committed. */
export async function readArtifacts(
  store: Pick<Store, "listRecords">,
  task: TaskId,
  attempt: number,
): Promise<readonly ArtifactRecord[]> {
  const query = { idPrefix: ownedRecordId(task, artifactPrefix(attempt)), limit: limits.artifactsMax };
  const { records } = await store.listRecords("artifacts", query);
  return records.map(({ value }) => value);
}
