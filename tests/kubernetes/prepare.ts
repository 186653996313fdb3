/** Gets a machine ready for these tests: the images of this checkout, and the programs of Kubernetes. Run by vitest before the first test. */
import { prepareMachine } from "../../scripts/kubernetes/cluster.ts";
import { buildImages, step } from "../deploy/buildImages.ts";

export async function setup(): Promise<void> {
  await buildImages();
  await step("the programs of Kubernetes", () => prepareMachine((text) => process.stdout.write(`${text}\n`)));
}
