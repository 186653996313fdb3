/** Word count as people write it in Node: lines and a `Map`, in one thread or in two that share the file. Arguments: file, threads. */
import { openSync, readSync, statSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";

interface Share {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const blockBytes = 1 << 20;

/** Counts the lines that begin in a share of the file. */
function count({ path, start, end }: Share): Map<string, number> {
  const counts = new Map<string, number>();
  const file = openSync(path, "r");
  const block = Buffer.alloc(blockBytes);
  let rest = Buffer.alloc(0);
  let at = start;
  let isFirst = start > 0;
  for (let isOver = false; !isOver; ) {
    const read = readSync(file, block, 0, block.length, at);
    if (read === 0) break;
    const bytes = Buffer.concat([rest, block.subarray(0, read)]);
    const offset = at - rest.length;
    at += read;
    let from = 0;
    for (let feed = bytes.indexOf(10); feed !== -1; feed = bytes.indexOf(10, from)) {
      const lineStart = offset + from;
      if (lineStart >= end && !isFirst) {
        isOver = true;
        break;
      }
      if (isFirst) isFirst = false;
      else {
        const line = bytes.toString("utf8", from, feed);
        for (const word of line.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? [])
          counts.set(word, (counts.get(word) ?? 0) + 1);
      }
      from = feed + 1;
    }
    rest = Buffer.from(bytes.subarray(from));
  }
  return counts;
}

async function main(): Promise<void> {
  const [path = "", threads = "1"] = process.argv.slice(2);
  const { size } = statSync(path);
  const shares = Array.from({ length: Number(threads) }, (_, index) => ({
    path,
    // A share that does not begin the file passes over the line that it begins in, or the one that ends right before it.
    start: index === 0 ? 0 : Math.floor((size / Number(threads)) * index) - 1,
    end: Math.floor((size / Number(threads)) * (index + 1)),
  }));
  const all =
    shares.length === 1
      ? shares.map(count)
      : await Promise.all(
          shares.map(
            (share) =>
              new Promise<Map<string, number>>((resolve, reject) => {
                new Worker(new URL(import.meta.url), { workerData: share })
                  .once("message", resolve)
                  .once("error", reject);
              }),
          ),
        );
  const [counts = new Map<string, number>(), ...others] = all;
  for (const other of others) for (const [word, n] of other) counts.set(word, (counts.get(word) ?? 0) + n);
  let lines = "";
  for (const [word, n] of [...counts].sort(([one], [other]) => (one < other ? -1 : 1))) lines += `${word}\t${n}\n`;
  process.stdout.write(lines);
}

if (isMainThread) await main();
else parentPort?.postMessage(count(workerData as Share));
