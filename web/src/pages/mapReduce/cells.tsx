/** The maps or the reduces of a job as a grid of cells that fill up; each opens its task. */
import { Link } from "@tanstack/react-router";
import { StateIcon } from "../../parts/states.tsx";
import type { Cell } from "./job.ts";

interface CellsProps {
  readonly what: "map" | "reduce";
  readonly cells: readonly Cell[];
  /** How many there will be. */
  readonly total: number;
  /** More than these are not drawn. */
  readonly max: number;
}

export function Cells({ what, cells, total, max }: CellsProps) {
  const byIndex = new Map(cells.map((cell) => [cell.index, cell]));
  const indexes = Array.from({ length: Math.min(total, max) }, (_, index) => index);
  return (
    <ul aria-label={`${what}s`} className="flex flex-wrap gap-1">
      {indexes.map((index) => {
        const cell = byIndex.get(index);
        return (
          <li key={index} className="size-6">
            {cell === undefined ? (
              <span className="block size-full rounded border border-dashed border-line-strong/60">
                <span className="sr-only">
                  {what} {index}, not there yet
                </span>
              </span>
            ) : (
              <CellLink what={what} cell={cell} />
            )}
          </li>
        );
      })}
      {total > max ? <li className="self-center pl-1 text-muted">and {total - max} more</li> : null}
    </ul>
  );
}

function CellLink({ what, cell: { index, task, share, reruns } }: { readonly what: string; readonly cell: Cell }) {
  const filled = task.state === "running" ? (share ?? 0.5) : 0;
  const again = reruns === 0 ? "" : `, ran again ${reruns === 1 ? "once" : `${reruns} times`}`;
  const percent = share === null || task.state !== "running" ? "" : ` ${Math.round(share * 100)} %`;
  const text = `${what} ${index}: ${task.state}${percent}${again}${task.host === undefined ? "" : `, ${task.host}`}`;
  return (
    <Link
      to="/tasks/$id"
      params={{ id: task.id }}
      title={text}
      aria-label={text}
      className={`relative grid size-full place-items-center overflow-hidden rounded border hover:border-accent ${reruns > 0 ? "border-retrying" : "border-line"}`}
    >
      <span
        aria-hidden="true"
        className="absolute inset-x-0 bottom-0 bg-running/20"
        style={{ height: `${Math.round(filled * 100)}%` }}
      />
      <StateIcon state={task.state} size={13} />
    </Link>
  );
}
