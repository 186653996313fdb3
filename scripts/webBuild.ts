/**
 * `npm run build:web`: builds the dashboard into `dist/web`.
 *
 * With `--if-stale` it does so only if a source has changed since the last build; that costs some milliseconds.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { filesIn } from "./sourceFiles.ts";
import { writeApiTypes } from "./web/apiTypes.ts";
import { typesFile } from "./web/typesFile.ts";

const folder = "dist/web";
/** Says what the files beside it were built from. Masters do not serve it, since its name has no ending that they know. */
const stamp = join(folder, "sources");

const digest = digestOfSources();
const isFresh = existsSync(stamp) && readFileSync(stamp, "utf8") === digest;
if (!process.argv.includes("--if-stale") || !isFresh) await buildAll();

async function buildAll(): Promise<void> {
  console.error("Building the dashboard …");
  await writeApiTypes();
  rmSync(folder, { recursive: true, force: true });
  // A test that builds must get what users get.
  process.env["NODE_ENV"] = "production";
  await build({ configFile: "web/vite.config.ts", logLevel: "error", mode: "production" });
  writeFileSync(stamp, digest);
}

/** All of the model counts, of which pages take some. The types of the API are left out: they have no effect on what is built. */
function digestOfSources(): string {
  const hash = createHash("sha256");
  const fromModel = filesIn(["src/model"], [".ts"]).filter((file) => !file.endsWith(".test.ts"));
  for (const file of [...filesIn(["web"], [""]), ...fromModel, "package-lock.json"]) {
    if (file === typesFile || !/\.\w+$/.test(file)) continue;
    hash.update(`${file}\n`).update(readFileSync(file));
  }
  return hash.digest("hex");
}
