/** Installs the Debian packages that a test needs programs of, where this process may; else it says what to install. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const installMsMax = 10 * 60_000;

/**
 * Installs the packages of all programs that are missing.
 * @param packages by the program that each is needed for: its name, or its path if it is not in PATH
 * @throws Error with a sentence that says what to install, if this process may not
 */
export async function installPackages(packages: { readonly [program: string]: string }): Promise<void> {
  const missing = Object.keys(packages).filter((program) => !isInstalled(program));
  if (missing.length === 0) return;
  const names = [...new Set(missing.map((program) => packages[program] ?? program))];
  if (process.getuid?.() !== 0 || !isInstalled("apt-get")) {
    throw new Error(`${missing.join(", ")} missing. Install as root; on Debian: apt-get install ${names.join(" ")}`);
  }
  const options = { timeout: installMsMax, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  await run("apt-get", ["update", "--quiet"], options);
  await run("apt-get", ["install", "--yes", "--quiet", "--no-install-recommends", ...names], options);
}

export function isInstalled(program: string): boolean {
  if (program.includes("/")) return existsSync(program);
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin"];
  return folders.some((folder) => existsSync(join(folder, program)));
}
