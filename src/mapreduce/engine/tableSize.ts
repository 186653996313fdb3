/** Whether a table and its values have outgrown the memory that they may take up. */
import type { KeyTable } from "./keyTable.ts";
import type { ValueColumn } from "./valueColumn.ts";

/** Values that were combined may take up less than it seems. They are looked at again only after as much again has come. */
export function isTooLarge(table: KeyTable, column: ValueColumn, memoryBytes: number): boolean {
  if (table.bytes + column.bytes <= memoryBytes) return false;
  const before = column.bytes;
  column.measure();
  return column.bytes === before || table.bytes + column.bytes > memoryBytes / 2;
}
