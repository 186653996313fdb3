/** The heap and the line against a sorted list, under any order of pushes and removals. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "./heap.ts";
import { Line } from "./line.ts";

interface Item {
  readonly key: number;
  heapIndex: number;
}

const isBefore = (a: Item, b: Item) => a.key < b.key;

function takeFirst(from: Heap<Item> | Line<Item>): Item | undefined {
  if (from instanceof Heap) return from.pop();
  const first = from.peek();
  if (first !== undefined) from.remove(first);
  return first;
}

test.each([
  ["a heap", () => new Heap<Item>(isBefore)],
  ["a line", () => new Line<Item>(isBefore)],
])("%s always shows the smallest, whatever came and left before", (_name, create) => {
  const commands = fc.array(
    fc.oneof(fc.record({ push: fc.integer({ min: 0, max: 50 }) }), fc.record({ remove: fc.nat() })),
  );
  fc.assert(
    fc.property(commands, (script) => {
      const heap = create();
      const inside: Item[] = [];
      for (const command of script) {
        if ("push" in command) {
          const item = { key: command.push, heapIndex: -1 };
          inside.push(item);
          heap.push(item);
        } else if (inside.length > 0) {
          const [item] = inside.splice(command.remove % inside.length, 1);
          heap.remove(item!);
          expect(item!.heapIndex).toBe(-1);
        }
        expect(heap.size).toBe(inside.length);
        expect(heap.peek()?.key).toBe(inside.length === 0 ? undefined : Math.min(...inside.map((item) => item.key)));
      }
      const drained: number[] = [];
      for (let item = takeFirst(heap); item !== undefined; item = takeFirst(heap)) drained.push(item.key);
      expect(drained).toEqual(inside.map((item) => item.key).sort((a, b) => a - b));
    }),
  );
});

test("a line in which most have left keeps its order and its items", () => {
  const line = new Line<Item>(isBefore);
  const items = Array.from({ length: 10_000 }, (_, key) => ({ key, heapIndex: -1 }));
  for (const item of items) line.push(item);
  const kept = items.filter(({ key }) => key % 7 === 3);
  for (const item of items) if (item.key % 7 !== 3) line.remove(item);
  expect(line.size).toBe(kept.length);
  for (const item of kept) {
    expect(line.peek()).toBe(item);
    line.remove(item);
  }
  expect([line.size, line.peek()]).toEqual([0, undefined]);
  for (const item of items) line.push(item);
  for (const item of items) {
    expect(line.peek()).toBe(item);
    line.remove(item);
  }
});
