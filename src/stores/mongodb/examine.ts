/** Whether a server can be trusted with a store: each power that Outlast rests on, tried for real in a collection that is dropped afterwards. */
import { randomUUID } from "node:crypto";
import type { Collection } from "mongodb";
import { StoreRefused, StoreUnavailable } from "../../ports/store.ts";
import { parseAddress } from "./address.ts";
import { type Connection, connect, type MetaDocument } from "./connection.ts";
import { isDuplicateKey } from "./failure.ts";
import { verifyStore } from "./verify.ts";

export interface StoreCheck {
  readonly isGood: boolean;
  /** A sentence. */
  readonly message: string;
  readonly advice: string | null;
}

/** How many want the same slot at once, and how often that is tried. */
const racersMax = 64;
const roundsMax = 10;
const largeBytes = 15 * 1024 * 1024;
const manyUpdates = 200;

/** @throws StoreRefused if the server cannot be reached, or is none that takes writes */
export async function examineMongodb(uri: string): Promise<readonly StoreCheck[]> {
  const connection = await connect(parseAddress(uri));
  const scratch = connection.db.collection<MetaDocument>(`doctor-${randomUUID().slice(0, 8)}`);
  try {
    const checks = [await attempt(connection, () => describe(connection))];
    for (const check of [checkRaces, checkGuards, checkMajority, checkSizes])
      checks.push(await attempt(connection, () => check(scratch)));
    return [...checks, ...(await checkContent(connection))];
  } finally {
    await scratch.drop().catch(() => undefined);
    await connection.client.close();
  }
}

async function attempt(connection: Connection, work: () => Promise<StoreCheck>): Promise<StoreCheck> {
  try {
    return await connection.run(work);
  } catch (error) {
    if (!(error instanceof StoreUnavailable) && !(error instanceof StoreRefused)) throw error;
    return bad(
      error.message,
      "Without that, nothing that Outlast acknowledges could be relied upon. Use another server.",
    );
  }
}

async function describe({ db, address }: Connection): Promise<StoreCheck> {
  const hello = await db.command({ hello: 1 });
  const set = typeof hello["setName"] === "string" ? `replica set ${hello["setName"]}` : null;
  const hosts = Array.isArray(hello["hosts"]) ? hello["hosts"].length : 1;
  if (hello["isWritablePrimary"] !== true) {
    return bad(
      `${address.name} is no primary.`,
      "Name all members and the replica set: mongodb://A,B,C/outlast?replicaSet=NAME.",
    );
  }
  const what =
    set === null ? "a single server, no replica set: when its disk is lost, all is lost" : `${set}, ${hosts} members`;
  return good(`${address.name} takes writes; ${what}`);
}

/** The one power that everything rests on. */
async function checkRaces(scratch: Collection<MetaDocument>): Promise<StoreCheck> {
  for (let round = 0; round < roundsMax; round += 1) {
    const _id = `race-${round}`;
    const tries = Array.from({ length: racersMax }, async (_, racer) => {
      try {
        await scratch.insertOne({ _id, racer });
        return racer;
      } catch (error) {
        if (isDuplicateKey(error)) return null;
        throw error;
      }
    });
    const winners = (await Promise.all(tries)).filter((racer) => racer !== null);
    const stored = await scratch.findOne({ _id });
    if (winners.length !== 1 || stored?.["racer"] !== winners[0]) {
      return bad(
        `Of ${racersMax} inserts of one _id at once, ${winners.length} were acknowledged: two leaders could both commit.`,
        "This server does not keep _id unique. Use another server.",
      );
    }
  }
  return good(`of ${racersMax} inserts of one _id at once exactly one is taken, ${roundsMax} times`);
}

/** An older write must never replace a newer one. */
async function checkGuards(scratch: Collection<MetaDocument>): Promise<StoreCheck> {
  await scratch.insertOne({ _id: "guard", half: { seq: 0 } });
  const seqs = Array.from({ length: manyUpdates }, (_, index) => ((index * 73) % manyUpdates) + 1);
  await Promise.all(
    seqs.map((seq) => scratch.updateOne({ _id: "guard", "half.seq": { $lt: seq } }, { $set: { "half.seq": seq } })),
  );
  const document = await scratch.findOne({ _id: "guard" });
  const half = document?.["half"] as { readonly seq?: unknown } | undefined;
  if (half?.seq === manyUpdates) return good("an update that is guarded by a seq never replaces a newer one");
  return bad(
    `Of ${manyUpdates} guarded updates at once, an older one replaced a newer one.`,
    "This server does not make single updates atomic. Use another server.",
  );
}

async function checkMajority(scratch: Collection<MetaDocument>): Promise<StoreCheck> {
  const startedAt = performance.now();
  const result = await scratch.insertOne({ _id: "majority" }, { writeConcern: { w: "majority", journal: true } });
  const tookMs = Math.round(performance.now() - startedAt);
  const found = await scratch.findOne({ _id: "majority" }, { readConcern: { level: "majority" } });
  if (result.acknowledged && found !== null)
    return good(`a write with w: majority, j: true takes ${tookMs} ms and can be read`);
  return bad("A write that was acknowledged by a majority cannot be read.", "Use another server.");
}

async function checkSizes(scratch: Collection<MetaDocument>): Promise<StoreCheck> {
  const text = "x".repeat(largeBytes);
  await scratch.insertOne({ _id: "large", text });
  const found = await scratch.findOne({ _id: "large" });
  if (found?.["text"] === text) return good("documents of 15 MiB are kept whole");
  return bad("A document of 15 MiB was acknowledged and not kept whole.", "Use another server.");
}

/** What is in the store already, if anything. */
async function checkContent(connection: Connection): Promise<StoreCheck[]> {
  if ((await connection.meta.findOne({ _id: "store" })) === null) {
    return [good(`the database ${connection.address.database} holds no store yet; the first master makes it`)];
  }
  const findings = await verifyStore(connection);
  if (findings.length === 0) return [good("the store is whole: journal and view")];
  return findings.map((message) =>
    bad(message, "Stop the masters, keep a dump of the database, and start from a backup."),
  );
}

function good(message: string): StoreCheck {
  return { isGood: true, message, advice: null };
}

function bad(message: string, advice: string): StoreCheck {
  return { isGood: false, message, advice };
}
