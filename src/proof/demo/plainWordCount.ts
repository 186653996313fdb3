/** Word count as a plain program: one process, one `Map`, no part of the engine. What a job gives is compared with it. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** `word<tab>count` lines, sorted by their bytes. */
export async function plainWordCount(path: string): Promise<Buffer> {
  const counts = new Map<string, number>();
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of lines) {
    for (const word of line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [])
      counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return sortedLines([...counts].map(([word, count]) => Buffer.from(`${word}\t${count}\n`)));
}

export function sortedLines(lines: Buffer[]): Buffer {
  return Buffer.concat(lines.sort((one, other) => Buffer.compare(one, other)));
}
