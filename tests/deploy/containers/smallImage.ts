/** An image of a few programs of this machine, so that a container starts within a second and no registry is needed. */
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Engine } from "../../../src/proof/containers/engine.ts";

export const smallImage = "localhost/outlast-test-small";
const programs = ["sh", "sleep", "cat", "env", "mkdir", "tail"];

/** Made anew each time: it takes a second, and the machine may have changed. */
export async function makeSmallImage(engine: Engine): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), "outlast-image-"));
  try {
    for (const program of programs) {
      const path = execFileSync("/bin/sh", ["-c", 'command -v "$1"', "sh", program], { encoding: "utf8" }).trim();
      copy(path, join(root, "bin", program));
      const linked = execFileSync("ldd", [path], { encoding: "utf8" });
      for (const library of linked.match(/\/\S+/g) ?? []) copy(library, join(root, library));
    }
    mkdirSync(join(root, "tmp"));
    const archive = `${root}.tar`;
    execFileSync("tar", ["-C", root, "-cf", archive, "."]);
    await engine.run("import", archive, smallImage);
    rmSync(archive);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** What a link leads to, under the name of the link. */
function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}
