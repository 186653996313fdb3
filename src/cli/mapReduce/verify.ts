/** Checks the output of a job against its manifest: every part has the size and the hash that were committed. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { LocalFailure } from "../failure.ts";

interface Manifest {
  readonly job: string;
  readonly parts: readonly { readonly name: string; readonly size: number; readonly sha256: string }[];
}

/** @throws LocalFailure that names what differs */
export async function verifyOutput(folder: string, job: string): Promise<void> {
  const manifest = JSON.parse(await readFile(join(folder, "_manifest.json"), "utf8")) as Manifest;
  if (manifest.job !== job) throw new LocalFailure(`${folder} holds the output of another job (${manifest.job}).`);
  await readFile(join(folder, "_SUCCESS"));
  for (const { name, size, sha256 } of manifest.parts) {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const piece of createReadStream(join(folder, name)) as AsyncIterable<Buffer>) {
      hash.update(piece);
      bytes += piece.length;
    }
    if (bytes !== size || hash.digest("hex") !== sha256) {
      throw new LocalFailure(`${join(folder, name)} is not what the job wrote: it was changed afterwards.`);
    }
  }
}
