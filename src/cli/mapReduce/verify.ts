/** Checks the output of a job against its manifest: every part has the size and the hash that were committed. */
import { createHash } from "node:crypto";
import { LocalFailure } from "../failure.ts";
import type { OutputPlace } from "./outputPlace.ts";

interface CommittedFile {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

interface Manifest {
  readonly job: string;
  readonly parts: readonly CommittedFile[];
  readonly skippedFile?: CommittedFile;
}

/** @throws LocalFailure that names what differs */
export async function verifyOutput(place: OutputPlace, folder: string, job: string): Promise<void> {
  const text = Buffer.concat(await Array.fromAsync(place.read("_manifest.json"))).toString();
  const manifest = JSON.parse(text) as Manifest;
  if (manifest.job !== job) throw new LocalFailure(`${folder} holds the output of another job (${manifest.job}).`);
  await Array.fromAsync(place.read("_SUCCESS"));
  const { parts, skippedFile } = manifest;
  for (const { name, size, sha256 } of skippedFile === undefined ? parts : [...parts, skippedFile]) {
    const hash = createHash("sha256");
    let bytes = 0;
    for await (const piece of place.read(name)) {
      hash.update(piece);
      bytes += piece.length;
    }
    if (bytes !== size || hash.digest("hex") !== sha256) {
      throw new LocalFailure(`${folder}/${name} is not what the job wrote: it was changed afterwards.`);
    }
  }
}
