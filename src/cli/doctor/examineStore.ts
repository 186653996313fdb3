/** The checks of `outlast doctor` on a store: whether it is consistent, and whether its server gives the guarantees that Outlast needs. */
import { stat } from "node:fs/promises";
import { SystemIds } from "../../node/ids.ts";
import { StoreRefused, StoreUnavailable } from "../../ports/store.ts";
import { SqliteStore } from "../../stores/sqlite/store.ts";
import { UsageError } from "../failure.ts";
import { mongodbUri, sqlitePath } from "../openStore.ts";
import { isMongodb } from "../storeAddress.ts";
import { type Finding, good } from "./finding.ts";

export async function examineStore(text: string): Promise<readonly Finding[]> {
  if (isMongodb(text)) return examineServer(await mongodbUri(text));
  if (!text.startsWith("sqlite:"))
    throw new UsageError("Only sqlite:FILE and mongodb://HOST/DATABASE can be examined.");
  const path = sqlitePath(text);
  if ((await stat(path).catch(() => null)) === null) return [bad(`There is no file ${path}.`, "Name another file.")];
  return examineFile(path);
}

/** Nothing if there is no such file. */
export async function examineFile(path: string): Promise<Finding[]> {
  if ((await stat(path).catch(() => null)) === null) return [];
  try {
    const store = new SqliteStore({ path, ids: new SystemIds() });
    const faults = await store.verify();
    if (faults.length === 0) return [good("store", `${path} is whole: file, journal and view`)];
    const usual = "Stop the master, keep a copy of the file, and start from a backup.";
    return faults.map(({ part, message, advice = usual }) => bad(`${part}: ${message}`, advice));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [bad(`${path} cannot be checked: ${why}`, "Check again when no other process uses the file.")];
  }
}

async function examineServer(uri: string): Promise<readonly Finding[]> {
  const { examineMongodb } = await import("../../stores/mongodb/examine.ts");
  try {
    const checks = await examineMongodb(uri);
    return checks.map(({ isGood, message, advice }) => (isGood ? good("store", message) : bad(message, advice)));
  } catch (error) {
    if (error instanceof StoreUnavailable)
      return [bad(error.message, "See that MongoDB runs, that this machine reaches it, and that it has a primary.")];
    if (!(error instanceof StoreRefused)) throw error;
    return [bad(error.message, error.hint)];
  }
}

function bad(message: string, advice: string | null): Finding {
  return { verdict: "bad", what: "store", message, advice };
}
