/**
 * A number that stands for the whole memory of a scheduler, kept up to date with every change whatever the size: the sum,
 * modulo 2^32, of a hash of each unfinished task. Leader and standbys compare theirs at equal seq, so that a memory that has
 * drifted from the journal is noticed long before it has to lead.
 */
import { taskStates } from "../../model/task.ts";
import { finishHash, hashNumber, hashSeed, hashText } from "../hash.ts";
import type { LiveTask } from "./liveTask.ts";

/** The part of the sum that one task makes, by what it is in memory now. A signed 32-bit number, which costs no memory of its own. */
export function digestTask(task: LiveTask): number {
  let hash = hashText(hashSeed, task.id);
  hash = hashNumber(hash, taskStates.indexOf(task.state));
  hash = hashNumber(hash, task.attempt);
  hash = hashNumber(hash, task.failures);
  hash = hashNumber(hash, task.kills);
  if (task.state === "retrying") hash = hashNumber(hash, (task.last?.retryAt ?? 0) % 2 ** 31);
  if (task.run !== null) hash = hashText(hashText(hash, task.run.host), task.run.boot);
  return finishHash(hash) | 0;
}
