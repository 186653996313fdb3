/** The MongoDB store passes the suite that every store passes. */
import { afterAll, describe } from "vitest";
import { storeContract } from "../../../src/proof/contracts/storeContract.ts";
import { findDeployment } from "./place.ts";

const deployment = await findDeployment();

describe.skipIf(deployment === null)("on a real server", () => {
  storeContract("mongodb", async () => deployment!.newPlace());
});

afterAll(() => deployment?.stop());
