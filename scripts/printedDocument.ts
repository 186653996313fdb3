/** A document that is printed from the source: written with `--write`, else checked to still say what the source says. */
import { readFileSync, writeFileSync } from "node:fs";

/**
 * @param source who says it, such as "the routes"
 * @param script the script that prints it again
 */
export function writeOrCheck(
  path: string,
  wanted: string,
  { source, script }: { source: string; script: string },
): void {
  if (process.argv.includes("--write")) return writeFileSync(path, wanted);
  if (read(path) === wanted) return console.log(`${path} says what ${source} say.`);
  console.error(`${path} no longer says what ${source} say. Again: node ${script} --write`);
  process.exitCode = 1;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
