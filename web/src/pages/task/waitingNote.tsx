/** Why a task waits, and since when. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { taskQuery } from "../../api/queries.ts";
import { useMay } from "../../api/rights.ts";
import type { Task } from "../../api/schema.ts";
import { useSiblings } from "../../parts/siblings.ts";
import { Note } from "../../parts/surfaces.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { Ago, Lasted, useNow } from "../../parts/time.tsx";
import { type AwaitedTask, endWords, needsSomebody, waitingPieces } from "../../parts/waiting.ts";
import { ResumeButton } from "../queues/resumeButton.tsx";

export function WaitingNote({ task }: { readonly task: Task }) {
  const { waiting } = task;
  if (waiting === undefined) return null;
  const { reason, since, until, holders } = waiting;
  return (
    <Note tone={needsSomebody.has(reason) ? "warn" : "info"}>
      <p>
        <span className="font-medium">Why it waits: </span>
        {waitingPieces(task).map((piece, index) =>
          typeof piece === "string" ? piece : <AwaitedLink key={index} task={piece} isAsked={holders !== undefined} />,
        )}
      </p>
      <Remedy reason={reason} queue={task.queue} />
      <p className="text-xs text-muted">
        Waiting for <Lasted from={since} />
        {until === undefined ? null : <Until at={until} words={endWords(task)} />}
      </p>
    </Note>
  );
}

/** Where the wait ends by itself. An instant that has passed says nothing. */
function Until({ at, words: [before, after] }: { readonly at: number; readonly words: ReturnType<typeof endWords> }) {
  const now = useNow();
  if (at <= now) return null;
  return (
    <>
      {" · "}
      {before} <Ago at={at} /> {after}
    </>
  );
}

/** What holds a key runs, so it is there to be asked for what it is called. */
function AwaitedLink({ task: { id, name }, isAsked }: { readonly task: AwaitedTask; readonly isAsked: boolean }) {
  const { data: known } = useQuery({ ...taskQuery(id), enabled: isAsked });
  const beside = useSiblings(known);
  return (
    <Link to="/tasks/$id" params={{ id }} title={id} className="text-accent hover:underline">
      {known === undefined ? name : titleOf(known, beside)}
    </Link>
  );
}

/** What those who may act on the reason can do, or where they find it. */
function Remedy({ reason, queue }: { readonly reason: string; readonly queue: string }) {
  const mayOperate = useMay("operate");
  if (!mayOperate) return null;
  const look = "text-accent hover:underline";
  if (reason === "queue-paused")
    return (
      <p className="my-1">
        <ResumeButton queue={queue} />
      </p>
    );
  if (reason === "queue-full" || reason === "queue-rate")
    return (
      <Link to="/queues" search={{ queue }} className={look}>
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
