/**
 * Finds blobs that nothing refers to, and objects that no blob names. A blob is handed to the scheduler, which marks it at
 * first and removes it when its mark has stood for a while; whoever names it in between keeps it.
 *
 * What refers to a blob: a lease that runs, the pins of a task that is kept (for an artifact: as long as its attempt is the
 * committed one or may become it), versions of templates, schedules.
 */
import type { SeenBlob } from "../../core/scheduler/inputs.ts";
import { type BlobPin, blobFolder, blobsNamedIn, pinPrefix } from "../../model/blob.ts";
import type { CollectionName, StoredRecord } from "../../model/collections/table.ts";
import type { Json } from "../../model/json.ts";
import { defaults, limits } from "../../model/limits.ts";
import { isFinal, type TaskDocument } from "../../model/task.ts";
import { type Blobs, BlobsUnavailable } from "../../ports/blobs.ts";
import { type Clock, type Timer, wallTime } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Store, StoreUnavailable } from "../../ports/store.ts";

export interface BlobCollectorParts {
  readonly store: Store;
  /** Null for a master without a place for files: it has nothing to collect. */
  readonly blobs: Blobs | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly everyMs: number;
  readonly collect: (seen: readonly SeenBlob[]) => void;
}

/** A blob whose lease is over. */
type Over = Pick<SeenBlob, "sha256" | "record">;

/** The names of objects begin with the instant of their upload; see `Ids.task`. */
const instantDigits = 10;
const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export class BlobCollector {
  readonly #parts: BlobCollectorParts;
  #timer: Timer | null = null;
  #isStopped = false;

  constructor(parts: BlobCollectorParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#parts.blobs !== null) this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Looks once. */
  async look(): Promise<void> {
    const { blobs } = this.#parts;
    const over = await this.#withoutLease();
    if (over.length > 0) await this.#judge(over);
    if (blobs !== null && !this.#isStopped) await this.#dropOrphans(blobs);
  }

  async #withoutLease(): Promise<Over[]> {
    const now = this.#wallAt();
    const found: Over[] = [];
    for await (const { id: sha256, value: record } of this.#all("blobs")) {
      if (record.leasedUntil <= now) found.push({ sha256, record });
    }
    return found;
  }

  async #judge(over: readonly Over[]): Promise<void> {
    const lasting = await this.#namedForGood();
    let look: SeenBlob[] = [];
    let weight = 0;
    const flush = () => {
      if (look.length > 0 && !this.#isStopped) this.#parts.collect(look);
      look = [];
      weight = 0;
    };
    const add = (seen: SeenBlob) => {
      const { length } = seen.deadPins;
      if (weight + 1 + length > limits.blobsCollectedMax) flush();
      look.push(seen);
      weight += 1 + length;
    };
    for (const blob of over) {
      const deadPins: string[] = [];
      let isNamed = lasting.has(blob.sha256);
      if (!isNamed) {
        for await (const { id, value: pin } of this.#all("blobPins", pinPrefix(blob.sha256))) {
          const task = await this.#parts.store.readTask(pin.task);
          isNamed = task !== null && doesCount(task, pin);
          if (isNamed) break;
          deadPins.push(id);
          if (deadPins.length + 1 < limits.blobsCollectedMax) continue;
          add({ ...blob, isNamed: null, deadPins: deadPins.splice(0) });
        }
      }
      add({ ...blob, isNamed, deadPins });
    }
    flush();
  }

  /** By what is not a task. */
  async #namedForGood(): Promise<ReadonlySet<string>> {
    const named = new Set<string>();
    const add = (value: unknown) => {
      for (const sha256 of blobsNamedIn(value as Json)) named.add(sha256);
    };
    for await (const { value } of this.#all("templateVersions")) add(value);
    for await (const { value } of this.#all("schedules")) if (value.isRemoved !== true) add(value.task);
    return named;
  }

  /** What a crash has left between the object of an upload and its blob, or between the end of a blob and its object. */
  async #dropOrphans(blobs: Blobs): Promise<void> {
    const oldest = this.#wallAt() - defaults.blobOrphanMs;
    const old = new Set<string>();
    for await (const { name } of blobs.list(blobFolder)) if (uploadedAt(name) < oldest) old.add(name);
    if (old.size === 0) return;
    for await (const { value } of this.#all("blobs")) old.delete(value.object);
    if (this.#isStopped) return;
    for (const name of old) await blobs.delete(name);
  }

  /** Leases and names of objects may be those of a leader before, whose clock was right. */
  #wallAt(): number {
    return wallTime(this.#parts.clock);
  }

  async *#all<Name extends CollectionName>(
    collection: Name,
    idPrefix = "",
  ): AsyncGenerator<StoredRecord<Name>, void, undefined> {
    const { store } = this.#parts;
    let after: string | undefined;
    for (;;) {
      const query = { idPrefix, limit: limits.pageMax, ...(after !== undefined && { after }) };
      const page = await store.listRecords(collection, query);
      yield* page.records;
      after = page.records.at(-1)?.id;
      if (!page.isMore || after === undefined || this.#isStopped) return;
    }
  }

  #arm(): void {
    if (this.#isStopped) return;
    const { clock, log, everyMs } = this.#parts;
    this.#timer = clock.at(clock.now() + everyMs, () => {
      void this.look()
        .catch((error: unknown) => {
          const isAway = error instanceof StoreUnavailable || error instanceof BlobsUnavailable;
          if (isAway) log.debug("the collection of blobs has to wait", { error });
          else log.error("the collection of blobs failed", { error });
        })
        .then(() => this.#arm());
    });
  }
}

/** False for a pin of a task that was forgotten, and for what an attempt has left that is over and is not the committed one. */
function doesCount({ createdAt, state, attempt }: TaskDocument, pin: BlobPin): boolean {
  if (createdAt !== pin.createdAt) return false;
  if (pin.attempt === undefined) return true;
  return pin.attempt === attempt && (isFinal(state) ? state === "success" : state === "running" || state === "waiting");
}

/** In ms since 1970, from the first digits of a ULID; infinitely late for any other name. */
function uploadedAt(object: string): number {
  let at = 0;
  const name = object.slice(blobFolder.length + 1);
  for (const digit of name.slice(0, instantDigits)) {
    const value = digits.indexOf(digit);
    if (value === -1) return Number.POSITIVE_INFINITY;
    at = at * digits.length + value;
  }
  return at;
}
