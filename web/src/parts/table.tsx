/** Small tables: their look, and rows that lead somewhere. */
import type { ReactNode } from "react";

export function Table({
  label,
  heads,
  children,
}: {
  readonly label: string;
  readonly heads: readonly string[];
  readonly children: ReactNode;
}) {
  return (
    <div className="relative overflow-x-auto">
      <table aria-label={label} className="w-full border-collapse text-left">
        <thead>
          <tr className="border-b border-line text-xs text-muted">
            {heads.map((head, index) => (
              <th
                key={head || index}
                scope="col"
                className="px-3 py-2 font-medium whitespace-nowrap first:pl-4 last:pr-4"
              >
                {head === "" ? <span className="sr-only">Actions</span> : head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Row({ children }: { readonly children: ReactNode }) {
  return <tr className="border-b border-line last:border-0 hover:bg-hover/60">{children}</tr>;
}

export function Cell({ children, className = "" }: { readonly children?: ReactNode; readonly className?: string }) {
  return <td className={`px-3 py-2 align-middle first:pl-4 last:pr-4 ${className}`}>{children}</td>;
}
