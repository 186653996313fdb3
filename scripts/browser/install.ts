/** Finds Chromium for the tests of the dashboard, and installs it where the machine has none and lets us. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const installMsMax = 10 * 60_000;
/** The fonts are for signs that the dashboard's own fonts do not have. */
const packages = ["chromium", "fonts-dejavu-core"];

/** The program. OUTLAST_CHROMIUM names another one. @throws Error with a sentence if there is none and none can be installed */
export async function installChromium(): Promise<string> {
  const found = process.env["OUTLAST_CHROMIUM"] ?? findChromium();
  if (found !== null) return found;
  try {
    await run("apt-get", ["update", "--quiet=2"], { timeout: installMsMax });
    await run("apt-get", ["install", "--yes", "--quiet=2", "--no-install-recommends", ...packages], {
      timeout: installMsMax,
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  } catch (error) {
    throw new Error("Chromium is missing and cannot be installed. Install it, or name it in OUTLAST_CHROMIUM.", {
      cause: error,
    });
  }
  const installed = findChromium();
  if (installed === null) throw new Error("Chromium was installed, but is not in PATH.");
  return installed;
}

function findChromium(): string | null {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const paths = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return paths.find((path) => existsSync(path)) ?? null;
}
