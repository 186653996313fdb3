/** Builds the S3 server of the tests, VersityGW, from the Go modules that go.sum pins: once, in a cache outside the checkout. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachePath } from "../cache.ts";
import { lastLine } from "../lastLine.ts";

const run = promisify(execFile);

const module = join(import.meta.dirname, "server");
const program = "github.com/versity/versitygw/cmd/versitygw";
const buildMsMax = 20 * 60_000;

/**
 * The program, built if it is not there yet. Its name holds a digest of everything that it is built from.
 * @throws Error with a sentence if it cannot be had on this machine
 */
export async function installServer(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(join(module, file)));
  const path = cachePath(`versitygw-${hash.digest("hex").slice(0, 12)}`);
  if (existsSync(path)) return path;
  mkdirSync(cachePath(), { recursive: true });
  // Two processes may do this at once: the first one that is done gives the file its name.
  const built = `${path}.${process.pid}`;
  try {
    const env = { ...process.env, GOFLAGS: "-mod=readonly -buildvcs=false", CGO_ENABLED: "0" };
    await run("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", built, program], {
      cwd: module,
      env,
      timeout: buildMsMax,
    });
    renameSync(built, path);
  } catch (error) {
    throw new Error(`VersityGW cannot be built: ${lastLine(error)} (it needs Go 1.25 or newer)`, { cause: error });
  }
  return path;
}
