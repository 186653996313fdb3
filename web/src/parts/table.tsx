/** Small tables: their look, and rows that lead somewhere. On a phone, rows of many columns become blocks with the heads beside their values. */
import { Children, cloneElement, createContext, isValidElement, type ReactNode, useContext } from "react";

/** More columns than this do not fit a phone beside each other. */
const columnsMax = 4;

interface Stacked {
  /** Empty where rows stay rows on every screen. */
  readonly heads: readonly string[];
  readonly isDense: boolean;
}

/** How the table around is laid out on a phone. */
const StackedTable = createContext<Stacked>({ heads: [], isDense: false });

export function Table({
  label,
  heads,
  hasWideCells = false,
  isDense = false,
  children,
}: {
  readonly label: string;
  readonly heads: readonly string[];
  /** True where even few columns do not fit a phone. */
  readonly hasWideCells?: boolean;
  /** True where values are short: on a phone, three of them stand beside each other. */
  readonly isDense?: boolean;
  readonly children: ReactNode;
}) {
  const isStacked = hasWideCells || heads.length > columnsMax;
  // Roles are said, since a table that is laid out otherwise has none.
  return (
    <div className={`relative overflow-x-auto ${isStacked ? "max-md:overflow-visible" : ""}`}>
      <table
        role="table"
        aria-label={label}
        className={`w-full border-collapse text-left ${isStacked ? "max-md:block" : ""}`}
      >
        <thead role="rowgroup" className={isStacked ? "max-md:sr-only" : ""}>
          <tr role="row" className="border-b border-line text-xs text-muted">
            {heads.map((head, index) => (
              <th
                key={head || index}
                role="columnheader"
                scope="col"
                className="px-3 py-2 font-medium whitespace-nowrap first:pl-4 last:pr-4"
              >
                {head === "" ? <span className="sr-only">Actions</span> : head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" className={isStacked ? "max-md:block" : ""}>
          <StackedTable value={{ heads: isStacked ? heads : [], isDense }}>{children}</StackedTable>
        </tbody>
      </table>
    </div>
  );
}

export function Row({ children }: { readonly children: ReactNode }) {
  const { heads, isDense } = useContext(StackedTable);
  const isStacked = heads.length > 0;
  const columns = isDense ? "max-md:grid-cols-3" : "max-md:grid-cols-2";
  const look = isStacked ? `max-md:grid ${columns} max-md:gap-x-4 max-md:gap-y-2 max-md:px-4 max-md:py-3` : "";
  return (
    <tr role="row" className={`border-b border-line last:border-0 hover:bg-hover/60 ${look}`}>
      {isStacked
        ? Children.map(children, (cell, index) =>
            isValidElement<CellProps>(cell) ? cloneElement(cell, { stackedHead: heads[index] ?? "" }) : cell,
          )
        : children}
    </tr>
  );
}

interface CellProps {
  readonly children?: ReactNode;
  readonly className?: string;
  /** Given by its row: the head of its column; empty for actions. */
  readonly stackedHead?: string;
}

/** What names the row, and its actions, have a line of their own. */
const stackedLook =
  "max-md:block max-md:min-w-0 max-md:max-w-none max-md:p-0! max-md:break-words max-md:whitespace-normal! max-md:first:col-span-full max-md:empty:hidden";
const headLook =
  "max-md:not-first:before:block max-md:not-first:before:font-sans max-md:not-first:before:text-xs max-md:not-first:before:text-muted max-md:not-first:before:content-[attr(data-head)]";

export function Cell({ children, className = "", stackedHead }: CellProps) {
  const own =
    stackedHead === undefined
      ? ""
      : stackedHead === ""
        ? `${stackedLook} max-md:col-span-full`
        : `${stackedLook} ${headLook}`;
  return (
    <td
      role="cell"
      data-head={stackedHead}
      className={`px-3 py-2 align-middle first:pl-4 last:pr-4 ${className} ${own}`}
    >
      {children}
    </td>
  );
}
