/** The version of this package. */
import { readFileSync } from "node:fs";

/** package.json is three folders up, in the checkout and in the package. */
export function packageVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}
