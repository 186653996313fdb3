/** Keys are bytes: also those that are no UTF-8 stay apart, in the order of their bytes, and as they are in tsv. */
import { expect, test } from "vitest";
import { columnFor } from "./combiners.ts";
import { Cursor } from "./cursor.ts";
import { KeyTable } from "./keyTable.ts";
import { extentsOf } from "./mapFile.ts";
import { OutputWriter } from "./outputWriter.ts";
import { boundariesOf, byRange } from "./rangePartition.ts";
import { runReduce } from "./reduceRun.ts";
import { ReduceTable } from "./reduceTable.ts";
import { blocksOf } from "./segment.ts";
import { ShuffleWriter } from "./shuffleWriter.ts";

/** The parts of the output of these keys, each as latin1: a character is a byte. */
async function partsOf(keys: readonly Buffer[], boundaries: readonly string[]): Promise<string[]> {
  const partitions = boundaries.length + 1;
  const pieces: Buffer[] = [];
  const emitter = new ShuffleWriter({
    ...{
      table: new KeyTable(),
      partitions,
      column: columnFor("sum"),
      memoryBytes: 1 << 20,
      codec: "none",
      aside: (work) => work(),
    },
    partition: byRange(boundaries),
    sink: (piece) => void pieces.push(Buffer.from(piece)),
  });
  for (const key of keys) emitter.emitBytes(key, 0, key.length, 1);
  emitter.end();
  const file = Buffer.concat(pieces);
  const read = (offset: number, length: number) => file.subarray(offset, offset + length);
  const openScratch = () => expect.unreachable("so little needs no scratch file");
  const parts: string[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const table = new ReduceTable({
      table: new KeyTable(),
      column: columnFor("sum"),
      memoryBytes: 1 << 20,
      openScratch,
    });
    for (const extent of await extentsOf(file.length, partition, partitions, read))
      for await (const block of blocksOf(extent, read)) table.fold(block);
    const output: Buffer[] = [];
    const writer = new OutputWriter("tsv", (piece) => void output.push(Buffer.from(piece)));
    await runReduce({ groups: table.groups(), reduce: null, params: null, writer, cursor: new Cursor() });
    parts.push(Buffer.concat(output).toString("latin1"));
  }
  return parts;
}

test("parts by ranges of keys are sorted as a whole, also where keys are no UTF-8", async () => {
  const keys = Array.from({ length: 256 }, (_, byte) => Buffer.from([byte, 0x80, 0x41])).filter(([byte]) => byte !== 9);
  const sample = keys.map(String);
  const parts = await partsOf(keys, boundariesOf(sample, 8));
  const found = parts.flatMap((part) => part.split("\n").slice(0, -1)).map((line) => line.charCodeAt(0));
  const printed = keys.map(([byte = 0]) => (byte === 10 || byte === 13 || byte === 0x5c ? 0x5c : byte));
  expect(found).toEqual(printed);
});

test("in tsv, the bytes of a key stay as they are beside what is escaped in it", async () => {
  expect(await partsOf([Buffer.from([0xff, 9, 0xfe]), Buffer.from([0xff, 0x5c])], [])).toEqual([
    "\xff\\t\xfe\t1\n\xff\\\\\t1\n",
  ]);
  const text = "é\t日本";
  expect(await partsOf([Buffer.from(text)], [])).toEqual([Buffer.from("é\\t日本\t1\n").toString("latin1")]);
});
