/** A cluster that needs a credential, for tests of the dashboard. */
import { createClient, type Outlast } from "../../src/sdk/client.ts";
import type { Scene } from "../e2e/scene.ts";

export const rootToken = "the-root-token-of-the-browser-tests";
/** Of every user that these tests add. */
export const password = "correct horse battery";
export const guarded = { environment: { OUTLAST_TOKEN: rootToken } };

export function rootOf({ cluster }: Pick<Scene, "cluster">): Outlast {
  return createClient({ masters: cluster.address, token: rootToken });
}
