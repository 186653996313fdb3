/** The output of a MapReduce job as the command that ran it sees it: in a folder, or in S3. */
import { createReadStream, existsSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { isS3, parseS3Address } from "../../s3/address.ts";

/** The workers have written it to a folder that this machine does not have. */
export class OutputElsewhere extends Error {}

export interface OutputPlace {
  /** @throws OutputElsewhere; Error if there is no such file, or it cannot be read from here */
  read(name: string): AsyncIterable<Uint8Array>;
  /** Removes what a job had there while it ran. Does nothing if there is nothing. */
  removeTemporary(job: string): Promise<void>;
  close(): Promise<void>;
}

/** @param output a folder, or an address in S3, of which this machine must have the credentials */
export async function outputPlace(output: string): Promise<OutputPlace> {
  const address = isS3(output) ? parseS3Address(output) : null;
  if (address === null) {
    return {
      read: (name) => {
        if (!existsSync(output)) throw new OutputElsewhere(`there is no folder ${output} on this machine.`);
        return createReadStream(join(output, name));
      },
      removeTemporary: async (job) => {
        await rm(join(output, "_temporary", job), { recursive: true, force: true });
        // Other jobs may have something in it.
        await rmdir(join(output, "_temporary")).catch(() => undefined);
      },
      close: async () => {},
    };
  }
  const { Bucket } = await import("../../s3/bucket.ts");
  const bucket = new Bucket(address.bucket);
  const folder = address.key.replace(/\/+$/, "");
  const prefix = folder === "" ? "" : `${folder}/`;
  async function* read(name: string): AsyncGenerator<Uint8Array, void, undefined> {
    const found = await bucket.head(prefix + name);
    if (found === null) throw new Error(`There is no s3://${bucket.name}/${prefix}${name}.`);
    yield* bucket.read(prefix + name, found.etag, 0, found.size);
  }
  return {
    read,
    removeTemporary: (job) => bucket.deleteAll(`${prefix}_temporary/${job}/`),
    close: () => bucket.close(),
  };
}
