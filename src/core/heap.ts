/** A binary heap whose items know their own place, so that any of them can leave at once without a search. */

/** An item may be in one heap at a time. */
export interface HeapItem {
  /** Its place in the heap or line that it is in; -1 outside. Only these write it. */
  heapIndex: number;
}

export class Heap<Item extends HeapItem> {
  readonly #items: Item[] = [];
  readonly #isBefore: (a: Item, b: Item) => boolean;

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): Item | undefined {
    return this.#items[0];
  }

  push(item: Item): void {
    this.#items.push(item);
    this.#rise(this.#items.length - 1, item);
  }

  pop(): Item | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** The item must be in this heap. */
  remove(item: Item): void {
    const index = item.heapIndex;
    const last = this.#items.pop();
    item.heapIndex = -1;
    if (last === undefined || last === item) return;
    const parent = this.#items[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && this.#isBefore(last, parent)) this.#rise(index, last);
    else this.#sink(index, last);
  }

  /** Every item, in no particular order. */
  [Symbol.iterator](): Iterator<Item> {
    return this.#items[Symbol.iterator]();
  }

  #rise(start: number, item: Item): void {
    let index = start;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#items[parentIndex];
      if (parent === undefined || !this.#isBefore(item, parent)) break;
      this.#place(index, parent);
      index = parentIndex;
    }
    this.#place(index, item);
  }

  #sink(start: number, item: Item): void {
    let index = start;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = this.#items[childIndex];
      if (child === undefined) break;
      const right = this.#items[childIndex + 1];
      if (right !== undefined && this.#isBefore(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (!this.#isBefore(child, item)) break;
      this.#place(index, child);
      index = childIndex;
    }
    this.#place(index, item);
  }

  #place(index: number, item: Item): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}
