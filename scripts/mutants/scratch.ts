/** Scratch copies of the source, to be broken on purpose: the product carries no switches for that. */
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutant } from "./mutant.ts";

const root = join(import.meta.dirname, "..", "..");

/** A folder with all that is needed to run from source. Whoever made it removes it. */
export function makeScratch(): string {
  const scratch = mkdtempSync(join(tmpdir(), "outlast-mutant-"));
  for (const name of ["src", "scripts", "bin", "package.json"]) {
    cpSync(join(root, name), join(scratch, name), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"));
  return scratch;
}

/** @throws if a patch does not fit: the source has moved on, and the list must follow it */
export function plant(scratch: string, { name, patches }: Mutant): void {
  for (const { file, search, replace } of patches) {
    const path = join(scratch, file);
    const parts = readFileSync(path, "utf8").split(search);
    if (parts.length !== 2) throw new Error(`"${name}": its patch fits ${parts.length - 1} places in ${file}, not one`);
    writeFileSync(path, parts.join(replace));
  }
}
