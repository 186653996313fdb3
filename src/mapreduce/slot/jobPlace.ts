/** Where the files of a job are: in the folder of its output, or below its address in S3. */
import { isS3, parseS3Address } from "../../s3/address.ts";
import { NonRetryableError } from "../../sdk/handler/errors.ts";
import { JobFiles, type SlotFiles } from "./jobFiles.ts";

/** Whoever asks for them must close them. @param output the folder of the output, or its address */
export async function filesOf(output: string, jobId: string): Promise<SlotFiles> {
  if (!isS3(output)) return new JobFiles(output, jobId);
  const address = parseS3Address(output);
  if (address === null) throw new NonRetryableError(`${output} is no address in S3, such as s3://bucket/out.`);
  // Most jobs never need it.
  const { S3JobFiles } = await import("./s3JobFiles.ts");
  return new S3JobFiles(address, jobId);
}
