/**
 * A line of items, the first of which is served first, for items that mostly come in their order: such a one joins the end of a
 * row and leaves at its head, which costs the same however many wait. Any other waits in a heap beside the row.
 */
import { Heap, type HeapItem } from "./heap.ts";

/** A row is not tidied up for fewer places without an item. */
const emptyPlacesMin = 1_000;

/** Its items know their own place, as those of a heap do: below -1 for one in the row, which only the line writes. */
export class Line<Item extends HeapItem> {
  readonly #isBefore: (a: Item, b: Item) => boolean;
  /** In order. Null where an item has left: all before the head, never the head itself, nor the last. */
  #row: (Item | null)[] = [];
  /** Where the head is. */
  #head = 0;
  /** How many places before the row are gone, which those behind them still count. */
  #gone = 0;
  /** How many items are in the row. */
  #inRow = 0;
  /** Those that came when the row's last item had to be served after them. */
  readonly #late: Heap<Item>;

  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore;
    this.#late = new Heap(isBefore);
  }

  get size(): number {
    return this.#inRow + this.#late.size;
  }

  peek(): Item | undefined {
    const first = this.#row[this.#head] ?? undefined;
    const late = this.#late.peek();
    if (first === undefined || late === undefined) return first ?? late;
    return this.#isBefore(late, first) ? late : first;
  }

  push(item: Item): void {
    const last = this.#row.at(-1);
    if (last !== undefined && last !== null && this.#isBefore(item, last)) return this.#late.push(item);
    item.heapIndex = asHeapIndex(this.#gone + this.#row.length);
    this.#row.push(item);
    this.#inRow += 1;
  }

  /** The item must be in this line. */
  remove(item: Item): void {
    if (item.heapIndex >= 0) return this.#late.remove(item);
    this.#row[asPlace(item.heapIndex) - this.#gone] = null;
    item.heapIndex = -1;
    this.#inRow -= 1;
    while (this.#head < this.#row.length && this.#row[this.#head] === null) this.#head += 1;
    while (this.#row.length > this.#head && this.#row.at(-1) === null) this.#row.pop();
    const isMany = (emptyPlaces: number) => emptyPlaces >= emptyPlacesMin && emptyPlaces > this.#inRow;
    if (isMany(this.#head)) this.#dropHead();
    else if (isMany(this.#row.length - this.#inRow)) this.#closeUp();
  }

  /** What is before the head: no item need be told. */
  #dropHead(): void {
    this.#row = this.#row.slice(this.#head);
    this.#gone += this.#head;
    this.#head = 0;
  }

  /** After more have left than remain, so that each departure pays for less than one place. */
  #closeUp(): void {
    this.#row = this.#row.filter((item) => item !== null);
    this.#head = 0;
    this.#gone = 0;
    for (const [place, item] of this.#row.entries()) if (item !== null) item.heapIndex = asHeapIndex(place);
  }
}

function asHeapIndex(place: number): number {
  return -2 - place;
}

function asPlace(heapIndex: number): number {
  return -2 - heapIndex;
}
