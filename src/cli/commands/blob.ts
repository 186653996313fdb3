/** `outlast blob`: uploads, downloads and releases files. */
import { Buffer } from "node:buffer";
import type { Command } from "commander";
import { isSha256, sha256Of } from "../../model/blob.ts";
import { action, type Context } from "../context.ts";
import { UsageError } from "../failure.ts";

export function blobCommand(program: Command): void {
  const blob = program.command("blob");
  blob
    .command("put")
    .argument("<file>", "file to upload; - reads stdin")
    .description("upload a file and print its reference; it is kept for a day, and as long as a task names it")
    .action(action(put));
  blob
    .command("get")
    .argument("<blob>", "reference, or SHA-256")
    .argument("[file]", "where to write it; default: stdout")
    .description("download a file")
    .action(action(get));
  blob
    .command("rm")
    .argument("<blob>", "reference, or SHA-256")
    .description("end the lease of a file: it is removed once nothing names it")
    .action(action(remove));
}

async function put(context: Context, file: string): Promise<undefined> {
  const { uploadFile } = await import("../blobFiles.ts");
  const info = await uploadFile(await context.client(), file, context.signal);
  if (context.output.isJson) return context.output.document(info) as undefined;
  context.output.line(info.blob);
}

async function get(context: Context, blob: string, file: string | undefined): Promise<undefined> {
  const sha256 = toSha256(blob);
  const client = await context.client();
  if (file !== undefined) {
    const { downloadFile } = await import("../blobFiles.ts");
    return downloadFile(client, sha256, file, context.signal) as Promise<undefined>;
  }
  for await (const piece of client.blobs.get(sha256, { signal: context.signal })) {
    if (!process.stdout.write(Buffer.from(piece)))
      await new Promise((resolve) => process.stdout.once("drain", resolve));
  }
}

async function remove(context: Context, blob: string): Promise<undefined> {
  const sha256 = toSha256(blob);
  await (await context.client()).blobs.release(sha256, { signal: context.signal });
  if (context.output.isJson) return context.output.document({ sha256, isReleased: true }) as undefined;
  context.output.line(`sha256:${sha256} ${context.output.paint("dim", "is removed once nothing names it")}`);
}

function toSha256(text: string): string {
  const sha256 = sha256Of(text) ?? text;
  if (isSha256(sha256)) return sha256;
  throw new UsageError(
    `"${text}" is no blob.`,
    "A blob is named by sha256: and 64 hex digits, as `outlast blob put` prints it.",
  );
}
