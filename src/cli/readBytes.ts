/** Reads a file that a command was given, or stdin. */
import { UsageError } from "./failure.ts";

/** @param file `-` for stdin. @throws UsageError */
export async function readBytes(file: string): Promise<Buffer> {
  if (file !== "-") {
    const { readFile } = await import("node:fs/promises");
    return readFile(file).catch((error: unknown) => {
      throw new UsageError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
  const { buffer } = await import("node:stream/consumers");
  return buffer(process.stdin);
}
