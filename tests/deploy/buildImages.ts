/** Builds the images that the tests of `deploy/` run, from the sources of this checkout. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { prepareEngine } from "../../scripts/containerEngine.ts";
import { installServer } from "../../scripts/mongodb/install.ts";
import { findEngine, imageOf, testEnvironment } from "./testEngine.ts";

const run = promisify(execFile);
const stepMsMax = 10 * 60_000;
const baseImages = ["docker.io/library/node:26-slim", "docker.io/library/haproxy:3.2"];
const ownImages = ["master", "worker", "client", "entry"];

/** Installs the container engine where there is none, and builds all images. */
export async function buildImages(): Promise<void> {
  await step("the container engine", prepareEngine);
  await step("the base images", makeBases);
  await step("the images", () => script("deploy/images/build", ...ownImages.flatMap((name) => ["--only", name])));
  await step("the image of the store", makeStoreImage);
}

export async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await work();
  process.stdout.write(`prepared ${name} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
}

/** Runs a script of the project, with the names and networks of these tests. */
export async function script(path: string, ...words: readonly string[]): Promise<void> {
  try {
    await run(path, words, { timeout: stepMsMax, env: { ...process.env, ...testEnvironment } });
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${path} ${words.join(" ")} failed: ${message}\n${stdout}\n${stderr}`, { cause: error });
  }
}

/** From a registry where one is to be had, else made here. */
async function makeBases(): Promise<void> {
  const engine = findEngine();
  for (const image of baseImages) {
    if ((await engine.try("image", "inspect", image)).code === 0) continue;
    if ((await engine.try("pull", "--quiet", image)).code === 0) continue;
    return script("deploy/images/build", "--local-base", "--only", "base");
  }
}

/** Made anew where anything that it is made from has changed. */
async function makeStoreImage(): Promise<void> {
  const engine = findEngine();
  const folder = join(import.meta.dirname, "mongodb");
  const sources = [join(folder, "Dockerfile"), join(folder, "build"), join(folder, "ready")];
  const digest = createHash("sha256");
  for (const source of [...sources, "scripts/mongodb/requirements.txt"]) digest.update(readFileSync(source));
  const tag = digest.digest("hex").slice(0, 12);
  const image = imageOf("mongodb");
  if ((await engine.try("image", "inspect", `${image}:${tag}`)).code !== 0) {
    const program = await installServer();
    await script("tests/deploy/mongodb/build", dirname(dirname(program)));
    await engine.run("tag", image, `${image}:${tag}`);
  }
  await engine.run("tag", `${image}:${tag}`, `${image}:latest`);
}
