/** Gets a machine ready for these tests, once for all of them: the engine, the images, the networks. Run by vitest before the first test. */
import { buildImages, script, step } from "./buildImages.ts";

export async function setup(): Promise<void> {
  await buildImages();
  await step("the networks", async () => {
    // The networks as well: those that a run before this one left may be of an older version.
    await script("deploy/remove", "--networks");
    await script("deploy/setup", "--no-images");
  });
}

export async function teardown(): Promise<void> {
  await script("deploy/remove", "--networks");
}
