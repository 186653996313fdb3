/** Installs the server that stands in for MongoDB in the tests: once, in a cache outside the checkout. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { cachePath } from "../cache.ts";
import { lastLine } from "../lastLine.ts";
import { findPython } from "../python.ts";

const run = promisify(execFile);

const requirements = join(import.meta.dirname, "requirements.txt");
const installMsMax = 10 * 60_000;

/**
 * The program, installed if it is not there yet. The folder's name holds a digest of the requirements, and a stamp in it says that it is whole.
 * @throws Error with a sentence if it cannot be had on this machine
 */
export async function installServer(): Promise<string> {
  const python = await findPython("SecantusDB");
  const digest = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = cachePath(`secantusdb-${digest}-py${python.version}`);
  const program = join(folder, "bin", "secantusd-py");
  const stamp = join(folder, "installed");
  if (existsSync(stamp)) return program;
  mkdirSync(cachePath(), { recursive: true });
  // Two processes may do this at once: each fills a folder of its own, and the first one that is done gives it the name.
  const build = `${folder}.${process.pid}`;
  rmSync(build, { recursive: true, force: true });
  try {
    await run(python.path, ["-m", "venv", build], { timeout: installMsMax });
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"];
    await run(join(build, "bin", "python"), [...pip, "--only-binary=:all:", "-r", requirements], {
      timeout: installMsMax,
    });
    // Programs of a virtual environment name its folder in their first line.
    const script = join(build, "bin", "secantusd-py");
    writeFileSync(script, readFileSync(script, "utf8").replaceAll(build, folder), { mode: 0o755 });
    writeFileSync(join(build, "installed"), `${digest}\n`);
    if (!existsSync(stamp)) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(build, folder);
    }
  } catch (error) {
    if (!existsSync(stamp)) throw new Error(`SecantusDB cannot be installed: ${lastLine(error)}`, { cause: error });
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
  return program;
}
