/** Gets a machine ready for these tests, once for all of them: the engine, the images, the networks. Run by vitest before the first test. */
import { buildImages, script, step } from "./buildImages.ts";

export async function setup(): Promise<void> {
  await buildImages();
  await step("the networks", async () => {
    await script("deploy/remove");
    await script("deploy/setup", "--no-images");
  });
}

export async function teardown(): Promise<void> {
  await script("deploy/remove", "--networks");
}
