/** Documents in `tasks` that somebody else inserted: which of them are tasks to be adopted, and what becomes of the others. */
import type { AnyBulkWriteOperation } from "mongodb";
import { OutlastError } from "../../model/errors.ts";
import { isId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import { toSpec } from "../../model/submission.ts";
import type { TaskSpec } from "../../model/task.ts";
import type { ForeignTask } from "../../ports/store.ts";
import type { Connection, StoredDocument, TaskKey } from "./connection.ts";
import { insertNew } from "./guardedPut.ts";
import type { PendingTask } from "./overlay.ts";
import { toKey, toTaskId } from "./taskDocument.ts";

const clashReason = "A task of Outlast's has this _id.";
const changedReason = "This document was changed after its task had been adopted.";

/** Neither ours nor marked with an error. */
const waiting = { "outlast.state": null, error: { $exists: false } };

export class ForeignDocuments {
  readonly #connection: Connection;
  /** The last look found some, so there may be more. */
  #hasFound = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** True if a document may wait that is not ours yet. Asks only where the last look found none. */
  async mayBeAny(): Promise<boolean> {
    return this.#hasFound || (await this.#connection.tasks.findOne(waiting, { projection: { _id: 1 } })) !== null;
  }

  /** Tasks that wait to be adopted, at most `max`. What is no task is marked with a readable `error`, and left alone from then on. */
  async find(max: number): Promise<ForeignTask[]> {
    const found: ForeignTask[] = [];
    const marks: AnyBulkWriteOperation<StoredDocument>[] = [];
    // A few at a time: what is read and checked in one go holds up all else that the leader does.
    const { foreignReadMax } = mongodbLimits;
    for await (const document of this.#connection.tasks.find(waiting).limit(max).batchSize(foreignReadMax)) {
      const read = readForeign(document, this.#connection);
      if (typeof read === "string") marks.push(toMark(document, read));
      else found.push(read);
    }
    this.#hasFound = found.length + marks.length > 0;
    if (marks.length > 0) await this.#connection.tasks.bulkWrite(marks, { ordered: false });
    return found;
  }

  /** Makes documents ours that are still what they were when their tasks were adopted. Returns how many were. */
  async claim(documents: readonly StoredDocument[]): Promise<number> {
    const { matchedCount } = await this.#connection.tasks.bulkWrite(
      documents.map(({ _id, ...ours }) => ({
        updateOne: {
          filter: {
            _id,
            outlast: { $exists: false },
            taskname: ours["taskname"],
            sleeptime: ours["sleeptime"],
            state: "created",
          },
          // What else its author wrote into it stays.
          update: { $set: ours },
        },
      })),
      { ordered: false },
    );
    return matchedCount;
  }

  /**
   * Puts ours where a document of somebody else stands. Returns whether that was done.
   * @param adopted what the task was made from, if it was adopted: that document is not set aside
   */
  async replace(
    found: StoredDocument,
    ours: StoredDocument,
    task: PendingTask,
    adopted: TaskSpec | null,
  ): Promise<boolean> {
    if (task.spec !== null && adopted !== null && (await this.claim([ours])) > 0) return true;
    if (adopted === null || !isOrigin(found, adopted))
      await this.#keep([found], task.seq, adopted === null ? clashReason : changedReason);
    const seen: unknown = found["outlast"];
    const { matchedCount } = await this.#connection.tasks.replaceOne(
      { _id: found._id, outlast: seen === undefined ? { $exists: false } : seen },
      ours,
    );
    return matchedCount > 0;
  }

  /** Sets aside documents that were put in the place of tasks that are there already. */
  async reject(keys: readonly TaskKey[], seq: number): Promise<void> {
    const documents = await this.#connection.tasks.find({ _id: { $in: [...keys] }, "outlast.state": null }).toArray();
    if (documents.length === 0) return;
    await this.#keep(documents, seq, clashReason);
    await this.#connection.tasks.bulkWrite(
      documents.map(({ _id }) => ({ deleteOne: { filter: { _id, "outlast.state": null } } })),
      { ordered: false },
    );
  }

  /** Nothing that anybody wrote is thrown away. */
  async #keep(found: readonly StoredDocument[], seq: number, reason: string): Promise<void> {
    const kept = found.map((document) => ({ _id: `${toTaskId(document._id)}/${seq}`, reason, document }));
    // What is there already was kept by an earlier try.
    await insertNew(this.#connection.rejected, kept);
  }
}

function toMark({ _id }: StoredDocument, error: string): AnyBulkWriteOperation<StoredDocument> {
  const filter = { _id, "outlast.state": null, error: { $exists: false } };
  return { updateOne: { filter, update: { $set: { error: `Outlast does not run this: ${error}` } } } };
}

/** True if the document is still what the task was adopted from. */
function isOrigin({ taskname, sleeptime, state, outlast }: StoredDocument, { name, input }: TaskSpec): boolean {
  const { seconds } = input as { readonly seconds?: unknown };
  return outlast === undefined && state === "created" && taskname === name && sleeptime === seconds;
}

/** The task that a document asks for; a sentence if it asks for none. */
function readForeign(document: StoredDocument, connection: Connection): ForeignTask | string {
  const key: unknown = document._id;
  const isObjectId = typeof key === "object" && key !== null && "toHexString" in key;
  const id = isObjectId || typeof key === "string" ? toTaskId(key as TaskKey) : null;
  if (id === null || !isId(id)) {
    return "_id must be an ObjectId, or a string of letters, digits and . _ : - that can be a task's id.";
  }
  if (!isObjectId && toKey(id, connection) !== id)
    return "_id is a string that looks like an ObjectId. Use a real ObjectId, or another string.";
  const { taskname, sleeptime, state, outlast } = document;
  if (outlast !== undefined) return 'the field "outlast" belongs to Outlast; insert a document without it.';
  if (state !== "created") return 'state must be "created".';
  if (typeof taskname !== "string" || taskname === "" || taskname.length > limits.nameLengthMax)
    return `taskname must be a string of 1 to ${limits.nameLengthMax} characters.`;
  const seconds = typeof sleeptime === "number" ? sleeptime : Number.NaN;
  const submission = { id, name: taskname, kind: "sleep" as const, input: { seconds } };
  try {
    // The rules are those for every task; only the names of the fields are others here.
    toSpec(submission, { id, fingerprint: null, now: 0 });
  } catch (error) {
    if (!(error instanceof OutlastError)) throw error;
    return `${error.message.replace(/^"seconds"/, "sleeptime")}`;
  }
  return { id, submission };
}
