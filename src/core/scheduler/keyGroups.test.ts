/** Concurrency keys: whatever comes and goes, what stands in the lanes is what a plain look at all waiting tasks would choose. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyGroups, type KeyUse } from "./keyGroups.ts";

interface Item {
  readonly name: number;
  readonly lane: string;
  readonly priority: number;
  readonly keyUse: KeyUse;
  heapIndex: number;
}

function isBefore(a: Item, b: Item): boolean {
  return a.priority === b.priority ? a.name < b.name : a.priority > b.priority;
}

class World {
  readonly placed = new Set<Item>();
  readonly waiting = new Set<Item>();
  readonly held = new Map<string, number>();
  readonly groups = new KeyGroups<Item, string>({
    useOf: ({ keyUse }) => keyUse,
    isBefore,
    laneOf: ({ lane }) => lane,
    put: (item) => this.placed.add(item),
    take: (item) => this.placed.delete(item),
  });

  enqueue(item: Item): void {
    this.waiting.add(item);
    this.groups.enqueue(item, item.keyUse);
  }

  dequeue(item: Item): void {
    this.waiting.delete(item);
    this.groups.dequeue(item, item.keyUse);
  }

  count(group: string, by: 1 | -1): void {
    this.held.set(group, (this.held.get(group) ?? 0) + by);
    this.groups.count(group, by);
  }

  /** The first of each key and lane, if its key has room for it. */
  expected(): Item[] {
    const lines = Map.groupBy(this.waiting, ({ lane, keyUse }) => `${lane} ${keyUse.group}`);
    return [...lines.values()].flatMap((items) => {
      const [first] = items.toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
      return first !== undefined && (this.held.get(first.keyUse.group) ?? 0) < first.keyUse.max ? [first] : [];
    });
  }
}

const operation = fc.record({
  kind: fc.constantFrom("enqueue", "enqueue", "dequeue", "hold", "release"),
  lane: fc.constantFrom("x", "y"),
  group: fc.constantFrom("q a", "q b"),
  priority: fc.integer({ min: 0, max: 2 }),
  max: fc.integer({ min: 1, max: 3 }),
  pick: fc.nat(),
});

test("at most the first task of a key stands in each lane, and only while its key has room for it (I31)", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const world = new World();
      for (const [name, { kind, lane, group, priority, max, pick }] of operations.entries()) {
        const waiting = [...world.waiting];
        if (kind === "enqueue") world.enqueue({ name, lane, priority, keyUse: { group, max }, heapIndex: -1 });
        else if (kind === "hold") world.count(group, 1);
        else if (kind === "release" && (world.held.get(group) ?? 0) > 0) world.count(group, -1);
        else if (kind === "dequeue" && waiting.length > 0) world.dequeue(waiting[pick % waiting.length] as Item);
        expect(world.placed).toEqual(new Set(world.expected()));
      }
      for (const item of [...world.waiting]) world.dequeue(item);
      for (const [group, held] of world.held) for (let count = 0; count < held; count += 1) world.count(group, -1);
      expect(world.groups.size).toBe(0);
    }),
  );
});
