/**
 * Removes from installed packages what only compilers, bundlers and debuggers read: declarations, source maps, and second copies as
 * modules for bundlers. Run while an image is built: `node scripts/slimModules.ts node_modules`.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

const foldersToGo = new Set(["dist-es", "dist-types"]);
const filesToGo = /\.(d\.[cm]?ts|map)$/;

function slim(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const isToGo = entry.isDirectory() ? foldersToGo.has(entry.name) : filesToGo.test(entry.name);
    if (isToGo) rmSync(path, { recursive: true });
    else if (entry.isDirectory()) slim(path);
  }
}

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("Say which folder: node scripts/slimModules.ts node_modules");
slim(folder);
