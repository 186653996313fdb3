/** The heap against a sorted list, under any order of pushes and removals. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Heap } from "./heap.ts";

interface Item {
  readonly key: number;
  heapIndex: number;
}

test("always shows the smallest, whatever came and left before", () => {
  const commands = fc.array(
    fc.oneof(fc.record({ push: fc.integer({ min: 0, max: 50 }) }), fc.record({ remove: fc.nat() })),
  );
  fc.assert(
    fc.property(commands, (script) => {
      const heap = new Heap<Item>((a, b) => a.key < b.key);
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
      for (let item = heap.pop(); item !== undefined; item = heap.pop()) drained.push(item.key);
      expect(drained).toEqual(inside.map((item) => item.key).sort((a, b) => a - b));
    }),
  );
});
