/** Why tasks wait, with how many for each reason and the way to them; nothing while none waits. */
import { Link } from "@tanstack/react-router";
import { needsSomebody, reasonText } from "../../parts/waiting.ts";

const number = new Intl.NumberFormat();

export function WaitingReasons({ waiting }: { readonly waiting: { readonly [reason: string]: number } }) {
  const reasons = Object.entries(waiting).filter(([, count]) => count > 0);
  if (reasons.length === 0) return null;
  return (
    <div className="mt-3 flex flex-wrap gap-x-4 gap-y-1 border-t border-line pt-3">
      <h2 className="text-muted">Tasks wait for</h2>
      <ul className="flex flex-wrap gap-x-4 gap-y-1">
        {reasons
          .toSorted(([, a], [, b]) => b - a)
          .map(([reason, count]) => (
            <li key={reason} className={needsSomebody.has(reason) ? "font-medium text-retrying" : "text-soft"}>
              <Link to="/tasks" search={{ waiting: reason, order: "oldest" }} className="hover:underline">
                {reasonText(reason)} <span className="figures font-semibold">{number.format(count)}</span>
              </Link>
            </li>
          ))}
      </ul>
    </div>
  );
}
