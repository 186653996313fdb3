/** Puts entries into their slots. An author who wrote the entry before knows all that it needs; everybody else looks first. */
import { ownerOf } from "../../model/collections/table.ts";
import type { OutgoingEntry } from "../../model/entry.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import type { TaskState } from "../../model/task.ts";
import { type Changes, changesOf, withoutTask } from "../changes.ts";
import { slotOf } from "../slot.ts";
import type { Connection } from "./connection.ts";
import type { Derived } from "./derived.ts";
import type { JournalCollection } from "./journal.ts";
import { toStep } from "./overlay.ts";
import { forgottenState, halfOf, seqOf, toKey, toTaskId } from "./taskDocument.ts";
import type { ViewWriter } from "./viewWriter.ts";
import type { JournalWindow, KnownTask } from "./window.ts";

export class Appender {
  readonly #connection: Connection;
  readonly #journal: JournalCollection;
  readonly #window: JournalWindow;
  readonly #view: ViewWriter;

  constructor(connection: Connection, journal: JournalCollection, window: JournalWindow, view: ViewWriter) {
    this.#connection = connection;
    this.#journal = journal;
    this.#window = window;
    this.#view = view;
  }

  async append(entry: OutgoingEntry): Promise<"committed" | "taken"> {
    const window = this.#window;
    const isAuthor = this.#isAuthor(entry);
    if (!isAuthor) await window.sync();
    if (slotOf(entry, window.tail.seq === 0 ? null : window.tail) === "taken") return "taken";
    const changes = changesOf(entry);
    const derived = await this.#derive(entry, changes);
    await this.#waitForView();
    if ((await this.#journal.insert(entry, derived)) === "taken") return "taken";
    /*
     * The slot may have been free because its entry was compacted away while this process stood still. An author is safe from that: the
     * entries at the border to the next epoch keep their slots. Others ask where the journal begins now, after their insert.
     */
    if (!isAuthor && (await this.#journal.readFloor()) > entry.seq) {
      await this.#journal.withdraw(entry);
      return "taken";
    }
    // A look at the journal at the same time may have found it there already.
    if (window.tail.seq < entry.seq) window.push(toStep(entry, derived, changes));
    this.#view.start(entry.nonce);
    return "committed";
  }

  #isAuthor({ seq, epoch, nonce }: OutgoingEntry): boolean {
    const { tail } = this.#window;
    return tail.seq > 0 && tail.seq === seq - 1 && tail.nonce === nonce && tail.epoch === epoch;
  }

  /** What the entry does to the counts and to the order of creation. @throws Error if it changes a task that is not there */
  async #derive(entry: OutgoingEntry, changes: Changes): Promise<Derived> {
    const known = await this.#lookUp(changes);
    const counts: { [key: string]: number } = {};
    const count = (state: TaskState, queue: string, by: number): void => {
      const key = `${state} ${queue}`;
      counts[key] = (counts[key] ?? 0) + by;
    };
    for (const id of changes.forgottenTasks) {
      const before = known.get(id);
      if (before !== undefined) count(before.state, before.queue, -1);
      known.delete(id);
    }
    const again: TaskId[] = [];
    let fresh = 0;
    for (const [id, { spec, status }] of changes.tasks) {
      const before = known.get(id);
      if (before !== undefined) {
        count(before.state, before.queue, -1);
        if (spec !== null) again.push(id);
      } else if (spec === null) throw withoutTask(entry, id, "spec");
      else if (status === null) throw withoutTask(entry, id, "status");
      else fresh += 1;
      const state = status?.state ?? before?.state;
      const queue = spec?.queue ?? before?.queue;
      if (state !== undefined && queue !== undefined) count(state, queue, 1);
    }
    for (const [key, by] of Object.entries(counts)) if (by === 0) delete counts[key];
    const owners = ownersOf(entry, changes, known);
    return {
      ordMax: this.#window.ordMax + fresh,
      again,
      counts,
      ...(Object.keys(owners).length === 0 ? {} : { owners }),
      ...(changes.collections === null ? {} : { collections: changes.collections }),
    };
  }

  /** How the tasks stand that the entry changes or forgets. A spec with a status is a new task, unless its id is known. */
  async #lookUp({ tasks, forgottenTasks, records }: Changes): Promise<Map<TaskId, KnownTask>> {
    const found = new Map<TaskId, KnownTask>();
    const missing: TaskId[] = [];
    const look = (id: TaskId, isNew: boolean): void => {
      const task = this.#window.known.get(id);
      if (task !== undefined) found.set(id, task);
      else if (!isNew) missing.push(id);
    };
    for (const id of forgottenTasks) look(id, false);
    for (const [id, { spec, status }] of tasks) {
      if (!forgottenTasks.has(id)) look(id, spec !== null && status !== null);
    }
    for (const { id } of records) {
      const owner = ownerOf(id)?.task as TaskId | undefined;
      if (owner === undefined || tasks.has(owner) || forgottenTasks.has(owner) || missing.includes(owner)) continue;
      look(owner, false);
      if (found.get(owner)?.ord === null) missing.push(owner);
    }
    for (let start = 0; start < missing.length; start += limits.storeStepRowsMax) {
      await this.#find(missing.slice(start, start + limits.storeStepRowsMax), found);
    }
    return found;
  }

  async #find(ids: readonly TaskId[], found: Map<TaskId, KnownTask>): Promise<void> {
    const { overlay } = this.#window;
    const keys = ids.map((id) => toKey(id, this.#connection));
    const projection = { "outlast.state": 1, "outlast.queue": 1, "outlast.ord": 1, "outlast.seq": 1 };
    const documents = await this.#connection.tasks.find({ _id: { $in: keys } }, { projection }).toArray();
    for (const document of documents) {
      const half = halfOf(document);
      if (seqOf(document) === null || half["state"] === forgottenState) continue;
      const id = toTaskId(document._id);
      const pending = overlay.tasks.get(id);
      if (pending?.isReborn === true && pending.spec === null) continue;
      const state = pending?.status?.state ?? (half["state"] as TaskState | undefined);
      const queue = pending?.spec?.queue ?? (half["queue"] as string | undefined);
      if (state !== undefined && queue !== undefined)
        found.set(id, { state, queue, ord: typeof half["ord"] === "number" ? half["ord"] : null });
    }
    for (const id of ids) {
      const pending = overlay.tasks.get(id);
      if (found.has(id) || pending === undefined || pending.spec === null || pending.status === null) continue;
      found.set(id, { state: pending.status.state, queue: pending.spec.queue, ord: pending.ord });
    }
  }

  /** An author that is far ahead of the view waits for it: what is not in the view is held in memory, and read by the next leader. */
  async #waitForView(): Promise<void> {
    const { steps, length } = this.#window;
    const isFar = steps.length > mongodbLimits.lagEntriesMax || length > mongodbLimits.lagTextMax;
    const half = steps[Math.floor(steps.length / 2)];
    if (isFar && half !== undefined && this.#view.isWriting) await this.#view.reached(half.seq, "soon");
  }
}

/** Places of the tasks that own a record in the entry and were there before. @throws Error if such a task is not there */
function ownersOf(
  entry: OutgoingEntry,
  { tasks, records }: Changes,
  known: ReadonlyMap<TaskId, KnownTask>,
): { readonly [task: string]: number } {
  const owners: { [task: string]: number } = {};
  for (const { id, text } of records) {
    const owner = ownerOf(id)?.task as TaskId | undefined;
    if (owner === undefined) continue;
    const ord = known.get(owner)?.ord ?? null;
    if (ord !== null) owners[owner] = ord;
    else if (text !== null && !tasks.has(owner)) throw withoutTask(entry, owner, "spec");
  }
  return owners;
}
