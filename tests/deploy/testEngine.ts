/** The engine, images and networks of these tests: apart from those that a user of this machine may have. */
import { podmanSettings } from "../../scripts/containerEngine.ts";
import { Engine } from "../../src/proof/containers/engine.ts";

/** What the scripts in `deploy/` are told, so that they touch nothing of a user's. */
export const testEnvironment: { readonly [name: string]: string } = {
  OUTLAST_PREFIX: "outlast-test",
  OUTLAST_WORK_SUBNET: "10.89.87",
  OUTLAST_STORE_SUBNET: "10.89.88",
  OUTLAST_IMAGE_PREFIX: "localhost/outlast-test",
  OUTLAST_TOKEN: "a-token-for-tests-only-0123456789",
  CONTAINERS_CONF: process.env["CONTAINERS_CONF"] ?? podmanSettings,
};

export function findEngine(): Engine {
  const { program } = Engine.find(process.env);
  return new Engine(program, testEnvironment["OUTLAST_PREFIX"] ?? "", testEnvironment);
}

/** The image of a part of a cluster. */
export function imageOf(part: "mongodb" | "master" | "worker" | "client"): string {
  return `${testEnvironment["OUTLAST_IMAGE_PREFIX"]}-${part}`;
}
