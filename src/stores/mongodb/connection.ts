/** The connection to MongoDB: loads the driver, and fixes how every write and read is made, whatever the address says. */
import type { Collection, Db, MongoClient, MongoClientOptions, ObjectId } from "mongodb";
import { mongodbLimits } from "../../model/limitsMongodb.ts";
import { durableOptions, unlessSaid, withoutFixed } from "../../model/mongodbOptions.ts";
import { StoreRefused } from "../../ports/store.ts";
import { type MongodbAddress, withoutSecrets } from "./address.ts";
import type { EntryDocument, LogDocument, MemberDocument, PartDocument, RecordDocument } from "./collections.ts";
import { toStoreError } from "./failure.ts";

/** What `_id` of a task document may be: an ObjectId where somebody else inserted it without choosing one. */
export type TaskKey = string | ObjectId;
/** Unknown fields: whoever reads one must look at what it is. */
export type StoredDocument = { _id: TaskKey } & { [field: string]: unknown };
export type MetaDocument = { _id: string } & { [field: string]: unknown };
export type RejectedDocument = { _id: string } & { [field: string]: unknown };

export interface Connection {
  readonly address: MongodbAddress;
  readonly client: MongoClient;
  readonly db: Db;
  readonly meta: Collection<MetaDocument>;
  readonly journal: Collection<EntryDocument>;
  readonly parts: Collection<PartDocument>;
  readonly tasks: Collection<StoredDocument>;
  readonly rejected: Collection<RejectedDocument>;
  readonly records: Collection<RecordDocument>;
  readonly logs: Collection<LogDocument>;
  readonly members: Collection<MemberDocument>;
  /** The driver's own types, at hand once it is loaded. */
  readonly toObjectId: (hex: string) => ObjectId;
  /** Runs something on the server and turns the driver's errors into the store's. */
  readonly run: <Result>(work: () => Promise<Result>) => Promise<Result>;
}

/** What the address may say otherwise. */
function defaultsFor(uri: string): MongoClientOptions {
  return unlessSaid<MongoClientOptions>(uri, {
    appName: "outlast",
    serverSelectionTimeoutMS: mongodbLimits.selectMsMax,
    heartbeatFrequencyMS: mongodbLimits.heartbeatMs,
    connectTimeoutMS: mongodbLimits.connectMsMax,
    socketTimeoutMS: mongodbLimits.socketMsMax,
    waitQueueTimeoutMS: mongodbLimits.selectMsMax,
    maxPoolSize: mongodbLimits.connectionsMax,
  });
}

/** Connects to a server that can take writes. @throws StoreUnavailable if there is none now */
export async function connect(address: MongodbAddress): Promise<Connection> {
  const { MongoClient: Client, ObjectId: Id } = await import("mongodb");
  let client: MongoClient;
  try {
    client = new Client(withoutFixed(address.uri), {
      ...defaultsFor(address.uri),
      // A commit is one insert.
      ...durableOptions,
      retryReads: true,
      ignoreUndefined: true,
    });
  } catch (error) {
    const said = error instanceof Error ? withoutSecrets(error.message, address) : "";
    throw new StoreRefused(
      `The driver does not take this MongoDB address: ${said}`,
      "Look at the options in the address.",
    );
  }
  const run = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (error) {
      throw toStoreError(error, address);
    }
  };
  try {
    await run(() => client.connect());
  } catch (error) {
    await client.close();
    throw error;
  }
  const db = client.db(address.database);
  return {
    address,
    client,
    db,
    meta: db.collection("meta"),
    journal: db.collection("journal"),
    parts: db.collection("journalParts"),
    tasks: db.collection("tasks"),
    rejected: db.collection("rejected"),
    records: db.collection("records"),
    logs: db.collection("logs"),
    members: db.collection("members"),
    toObjectId: (hex) => new Id(hex),
    run,
  };
}
