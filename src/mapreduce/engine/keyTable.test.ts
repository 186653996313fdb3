/** The table of keys does what a `Map` of strings does. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyTable } from "./keyTable.ts";

const key = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.constantFrom("a", "a\0", "", "é", "ab"),
  // Of every length around those at which a key is looked at in another way, and much alike.
  fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 18 }),
);

test("numbers keys in the order in which they come, as text and as bytes", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 3000 }), (keys) => {
      const table = new KeyTable();
      const expected = new Map<string, number>();
      for (const [text, isBytes] of keys) {
        const bytes = Buffer.from(`..${text}..`);
        const wanted = Buffer.from(text).toString();
        if (!expected.has(wanted)) expected.set(wanted, expected.size);
        const number = isBytes ? table.addBytes(bytes, 2, bytes.length - 2) : table.addText(text);
        expect(number).toBe(expected.get(wanted));
      }
      expect(table.count).toBe(expected.size);
      const held = Array.from({ length: table.count }, (_, number) => [table.keyText(number), number] as const);
      expect(new Map(held)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

test("sorts by bytes, which is the order of code points", () => {
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 200 }), (keys) => {
      const table = new KeyTable();
      for (const text of keys) table.addText(text);
      const sorted = [...table.sorted()].map((number) => table.keyText(number));
      const wanted = [...new Set(keys.map((text) => Buffer.from(text).toString()))];
      wanted.sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
      expect(sorted).toEqual(wanted);
    }),
  );
});

test.each([
  ["small again", 0],
  ["as large as before", 1 << 30],
])("is empty after a clear, and %s", (_, keptBytes) => {
  const table = new KeyTable();
  const small = table.bytes;
  const smallArena = table.arena.length;
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 50_000; index += 1) expect(table.addText(`key ${round} ${index}`)).toBe(index);
    expect(table.addText(`key ${round} 49999`)).toBe(49_999);
    const { bytes } = table;
    table.clear(keptBytes);
    expect(table.count).toBe(0);
    expect(table.sorted()).toHaveLength(0);
    if (keptBytes === 0) expect([table.bytes, table.arena.length]).toEqual([small, smallArena]);
    else expect(table.bytes).toBeGreaterThan(bytes / 2);
  }
});

test("tells keys apart that begin and end alike and have the same length and mark", () => {
  const table = new KeyTable();
  // Of so many keys about forty pairs have the same 32 bits as a mark.
  const count = 600_000;
  for (let index = 0; index < count; index += 1) {
    const middle = Math.imul(index, 0x9e3779b1) >>> 0;
    table.addText(`same${middle.toString(36).padStart(8, "0")}ends`);
  }
  expect(table.count).toBe(count);
});
