/** Gets a machine ready for these tests, once for all of them: the engine, the images, the networks. Run by vitest before the first test. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { installServer } from "../../scripts/mongodb/install.ts";
import { findEngine, imageOf, testEnvironment } from "./testEngine.ts";

const run = promisify(execFile);
const stepMsMax = 10 * 60_000;
const baseImages = ["docker.io/library/node:26-slim", "docker.io/library/haproxy:3.2"];
const ownImages = ["master", "worker", "client", "entry"];
const debianPackages = ["podman", "runc", "netavark", "aardvark-dns", "iptables", "mmdebstrap", "ca-certificates"];

export async function setup(): Promise<void> {
  await step("the container engine", installEngine);
  await step("the base images", makeBases);
  await step("the images", () => script("deploy/images/build", ...ownImages.flatMap((name) => ["--only", name])));
  await step("the image of the store", makeStoreImage);
  await step("the networks", async () => {
    await script("deploy/remove");
    await script("deploy/setup", "--no-images");
  });
}

export async function teardown(): Promise<void> {
  await script("deploy/remove", "--networks");
}

async function step(name: string, work: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now();
  await work();
  process.stdout.write(`prepared ${name} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
}

/** @throws Error that says what to install where this process may not do it */
async function installEngine(): Promise<void> {
  const needed = ["mmdebstrap"].filter((program) => !isInstalled(program));
  if (!isInstalled("podman") && !isInstalled("docker")) needed.push("podman");
  if (needed.length === 0) return;
  if (process.getuid?.() !== 0 || !isInstalled("apt-get"))
    throw new Error(`Install ${needed.join(" and ")} first; on Debian: apt-get install ${debianPackages.join(" ")}`);
  const options = { timeout: stepMsMax, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  await run("apt-get", ["update", "--quiet"], options);
  await run("apt-get", ["install", "--yes", "--quiet", "--no-install-recommends", ...debianPackages], options);
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

/** A folder that outlives the checkout. */
export function cacheFolder(name: string): string {
  const folder = join(process.env["OUTLAST_CACHE"] ?? join(homedir(), ".cache", "outlast"), name);
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function script(path: string, ...words: readonly string[]): Promise<void> {
  try {
    await run(path, words, { timeout: stepMsMax, env: { ...process.env, ...testEnvironment } });
  } catch (error) {
    const { stdout = "", stderr = "", message } = error as Error & { stdout?: string; stderr?: string };
    throw new Error(`${path} ${words.join(" ")} failed: ${message}\n${stdout}\n${stderr}`, { cause: error });
  }
}

function isInstalled(program: string): boolean {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  return folders.some((folder) => existsSync(join(folder, program)));
}
