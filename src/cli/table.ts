/** Tables for people: columns as wide as they need to be, cut where the terminal ends. */
import type { Colour, Paint } from "./colour.ts";
import { cut, printable, widthOf } from "./terminalText.ts";

export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly colour?: (row: Row) => Colour | null;
  readonly isRightAligned?: boolean;
  /** May be cut, down to `elasticMin`, when the terminal is narrow. */
  readonly isElastic?: boolean;
}

const gap = "  ";
const elasticMin = 8;

/**
 * One line for the titles and one for each row.
 * @param columnsMax the width of the terminal; null for no bound
 */
export function tableLines<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  paint: Paint,
  columnsMax: number | null,
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.text(row))));
  const widths = columns.map((column, index) =>
    cells.reduce((width, line) => Math.max(width, widthOf(line[index] ?? "")), widthOf(column.title)),
  );
  if (columnsMax !== null) shrink(columns, widths, columnsMax);

  const place = (text: string, index: number, colour: Colour | null): string => {
    const width = widths[index] ?? 0;
    const shown = cut(text, width);
    const space = " ".repeat(width - widthOf(shown));
    const coloured = colour === null ? shown : paint(colour, shown);
    return columns[index]?.isRightAligned === true ? space + coloured : coloured + space;
  };
  const titles = columns.map((column, index) => place(column.title, index, "bold")).join(gap);
  const lines = rows.map((row, rowIndex) =>
    columns
      .map((column, index) => place(cells[rowIndex]?.[index] ?? "", index, column.colour?.(row) ?? null))
      .join(gap),
  );
  return [titles, ...lines].map((line) => line.trimEnd());
}

/** Shortens the elastic columns, the widest first. */
function shrink<Row>(columns: readonly Column<Row>[], widths: number[], columnsMax: number): void {
  let excess = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - columnsMax;
  while (excess > 0) {
    let widest = -1;
    for (const [index, column] of columns.entries()) {
      if (column.isElastic !== true || (widths[index] ?? 0) <= elasticMin) continue;
      if (widest === -1 || (widths[index] ?? 0) > (widths[widest] ?? 0)) widest = index;
    }
    if (widest === -1) return;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess--;
  }
}
