/** How much memory a table and its values may take up, and keep. */
import type { KeyTable } from "./keyTable.ts";
import type { ValueColumn } from "./valueColumn.ts";

/** How much of its memory a table keeps when it is cleared. */
const keptShare = 1 / 8;

/** Values that were combined may take up less than it seems. They are looked at again only after as much again has come. */
export function isTooLarge(table: KeyTable, column: ValueColumn, memoryBytes: number): boolean {
  if (table.bytes + column.bytes <= memoryBytes) return false;
  const before = column.bytes;
  column.measure();
  return column.bytes === before || table.bytes + column.bytes > memoryBytes / 2;
}

/** Empties the table for what comes next, be it of another task. */
export function clearTable(table: KeyTable, memoryBytes: number): void {
  table.clear(memoryBytes * keptShare);
}
