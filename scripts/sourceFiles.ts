/** Lists files for the checks: relative paths with forward slashes, sorted. */
import { existsSync, readdirSync } from "node:fs";
import { sep } from "node:path";

/** Every file below `folders` whose name ends in one of `endings`. */
export function filesIn(folders: readonly string[], endings: readonly string[]): string[] {
  return folders
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`))
    .map((path) => path.split(sep).join("/"))
    .filter((path) => !path.includes("/node_modules/") && endings.some((ending) => path.endsWith(ending)))
    .sort();
}
