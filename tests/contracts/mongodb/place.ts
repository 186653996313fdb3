/** Databases for tests of the MongoDB store: on a server of this machine, or on the deployment that `OUTLAST_TEST_MONGODB` names. */
import { randomUUID } from "node:crypto";
import { MongoClient } from "mongodb";
import { TestServer } from "../../../scripts/mongodb/testServer.ts";
import type { Ids } from "../../../src/ports/ids.ts";
import type { StorePlace } from "../../../src/proof/contracts/storePlace.ts";
import { MongodbStore } from "../../../src/stores/mongodb/store.ts";
import { countingIds } from "../countingIds.ts";

/** One database for one test. */
export interface MongodbPlace extends StorePlace {
  readonly uri: string;
  readonly ids: Pick<Ids, "random">;
  handle(): MongodbStore;
}

export interface Deployment {
  /** Null where the deployment is somebody else's and must not be killed. */
  readonly server: TestServer | null;
  newPlace(): MongodbPlace;
  stop(): Promise<void>;
}

/** Null where there is none and none can be had; then the tests that need one are skipped, except in CI. */
export async function findDeployment(): Promise<Deployment | null> {
  const given = process.env["OUTLAST_TEST_MONGODB"];
  if (given !== undefined) return { server: null, newPlace: () => placeOn(withDatabase(given)), stop: async () => {} };
  try {
    const server = await TestServer.start();
    return { server, newPlace: () => placeOn(server.uri(newDatabase())), stop: () => server.stop() };
  } catch (error) {
    if (process.env["OUTLAST_REQUIRE_MONGODB"] === "1") throw error;
    process.emitWarning(
      `The tests of the MongoDB store are skipped: ${error instanceof Error ? error.message : String(error)}`,
    );
    return null;
  }
}

function placeOn(uri: string): MongodbPlace {
  const ids = countingIds();
  return {
    uri,
    ids,
    handle: () => new MongodbStore({ uri, ids }),
    remove: async () => {
      const client = new MongoClient(uri);
      await client.db().dropDatabase();
      await client.close();
    },
  };
}

function newDatabase(): string {
  return `test-${randomUUID().slice(0, 13)}`;
}

function withDatabase(uri: string): string {
  const [, head = "", , options = ""] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(\/[^?]*)?(\?.*)?$/.exec(uri) ?? [];
  return `${head}/${newDatabase()}${options}`;
}
