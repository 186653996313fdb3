/** Why a task waits, and since when. */
import { Link } from "@tanstack/react-router";
import { useMay } from "../../api/rights.ts";
import type { Task } from "../../api/schema.ts";
import { Note } from "../../parts/surfaces.tsx";
import { Ago, Lasted } from "../../parts/time.tsx";
import { needsSomebody, waitingPieces } from "../../parts/waiting.ts";

export function WaitingNote({ task }: { readonly task: Task }) {
  const { waiting } = task;
  if (waiting === undefined) return null;
  const { reason, since, until } = waiting;
  return (
    <Note tone={needsSomebody.has(reason) ? "warn" : "info"}>
      <p>
        <span className="font-medium">Why it waits: </span>
        {waitingPieces(task).map((piece, index) =>
          typeof piece === "string" ? (
            piece
          ) : (
            <Link key={index} to="/tasks/$id" params={{ id: piece.id }} className="text-accent hover:underline">
              {piece.name}
            </Link>
          ),
        )}
      </p>
      <Remedy reason={reason} />
      <p className="text-xs text-muted">
        for <Lasted from={since} />
        {until === undefined ? null : (
          <>
            , not before <Ago at={until} />
          </>
        )}
      </p>
    </Note>
  );
}

/** Where those who may act on the reason find what to do. */
function Remedy({ reason }: { readonly reason: string }) {
  const mayOperate = useMay("operate");
  if (!mayOperate) return null;
  const look = "text-accent hover:underline";
  if (reason === "queue-paused")
    return (
      <Link to="/queues" className={look}>
        Resume the queue
      </Link>
    );
  if (reason === "queue-full" || reason === "queue-rate")
    return (
      <Link to="/queues" className={look}>
        Change its limits
      </Link>
    );
  if (reason !== "no-worker" && reason !== "no-able-worker") return null;
  return (
    <Link to="/workers" className={look}>
      See the workers
    </Link>
  );
}
