/**
 * Checksums of a scheduler's memory, kept up to date with every change whatever the size: one sum, modulo 2^32, over a hash of
 * each unfinished task, and one over a hash of each record of every hot collection. Leader and standbys compare theirs at equal
 * seq, so that a memory that has drifted from the journal is noticed long before it has to lead.
 */
import type { PlainData } from "../../model/collections/collection.ts";
import { descriptorOf, type HotCollectionName, hotCollections } from "../../model/collections/table.ts";
import type { DigestSums } from "../../model/entry.ts";
import { finishHash, hashNumber, hashSeed, hashText } from "../../model/hash.ts";
import { taskStates } from "../../model/task.ts";
import type { Family } from "./family.ts";
import type { LiveTask } from "./liveTask.ts";

/** The part of the sum that one task makes, by what it is in memory now. A signed 32-bit number, which costs no memory of its own. */
export function digestTask(task: LiveTask): number {
  let hash = hashText(hashSeed, task.id);
  hash = hashNumber(hash, taskStates.indexOf(task.state));
  hash = hashNumber(hash, task.attempt);
  hash = hashNumber(hash, task.failures);
  hash = hashNumber(hash, task.kills);
  if (task.uncounted > 0) hash = hashNumber(hash, task.uncounted);
  if (task.losses > 0) hash = hashNumber(hash, task.losses);
  if (task.state === "retrying") hash = hashNumber(hash, (task.last?.retryAt ?? 0) % 2 ** 31);
  if (task.backup !== null) hash = hashNumber(hash, task.backup.isWinner === true ? 2 : 1);
  if (task.family !== null) hash = digestFamily(hash, task.family);
  if (task.run !== null) hash = hashText(hashText(hash, task.run.host), task.run.boot);
  return finishHash(hash) | 0;
}

function digestFamily(
  hash: number,
  { steps, stepBytes, epoch, children, ended, waits, isWoken, ending }: Family,
): number {
  let next = hashText(hash, ending?.state ?? "");
  if (ended !== null)
    for (const count of [ended.succeeded, ended.failed, ended.cancelled, ended.skipped ?? 0])
      next = hashNumber(next, count);
  for (const part of [steps, stepBytes, epoch, children, Number(isWoken)]) next = hashNumber(next, part);
  for (const { kind, key } of waits) next = hashText(hashText(next, kind), key);
  return next;
}

/** The sums of all hot collections. */
export class RecordDigest {
  readonly #sums = new Map<HotCollectionName, number>(hotCollections.map((name) => [name, 0]));
  /** What each record adds to its sum. */
  readonly #shares = new Map<string, number>();

  /** Takes a record as memory has it now; null if it is not there. */
  note(collection: HotCollectionName, id: string, value: unknown): void {
    const key = `${collection} ${id}`;
    const share = value === null ? 0 : digestRecord(key, descriptorOf(collection).digestOf(value));
    const before = this.#shares.get(key) ?? 0;
    if (value === null) this.#shares.delete(key);
    else this.#shares.set(key, share);
    this.#sums.set(collection, ((this.#sums.get(collection) ?? 0) - before + share) >>> 0);
  }

  get sums(): { readonly [collection: string]: number } {
    return Object.fromEntries(this.#sums);
  }
}

/** True if every part that both know has the same sum. A leader of an older version sums up fewer parts. */
export function isSameDigest(own: DigestSums, leaders: DigestSums): boolean {
  return Object.keys(own).every((part) => leaders[part] === undefined || leaders[part] === own[part]);
}

function digestRecord(key: string, part: PlainData): number {
  return finishHash(hashJson(hashText(hashSeed, key), part));
}

/** The same for equal values, in whatever order the keys of their objects stand. */
function hashJson(hash: number, value: PlainData): number {
  if (typeof value === "string") return hashText(hashNumber(hash, 1), value);
  if (value === null || typeof value !== "object") return hashText(hashNumber(hash, 2), String(value));
  if (isList(value)) return value.reduce<number>(hashJson, hashNumber(hash, 3));
  let members = 0;
  for (const [name, member] of Object.entries(value)) {
    // A member that is undefined is not in the journal either.
    if (member !== undefined) members = (members + finishHash(hashJson(hashText(hashSeed, name), member))) | 0;
  }
  return hashNumber(hashNumber(hash, 4), members);
}

function isList(value: PlainData): value is readonly PlainData[] {
  return Array.isArray(value);
}
