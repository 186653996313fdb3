/** Cancels or retries all tasks that match the filters, however many they are: counts them first, then works part by part. */

import { useEffect, useRef, useState } from "react";
import { ask, post } from "../../api/client.ts";
import type { BulkAnswer, BulkRequest, TaskState } from "../../api/schema.ts";
import { Button, Dialog } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { finalStates, taskStates } from "../../parts/states.tsx";
import { Meter, Note, Problem } from "../../parts/surfaces.tsx";
import { retriable } from "../task/retryDialog.tsx";
import { statesOf, type TaskFilters } from "./filters.ts";

const number = new Intl.NumberFormat();

type Verb = "cancel" | "retry";

const words = {
  cancel: { button: "Cancel", done: "cancelled", note: "Those that run are ended." },
  retry: {
    button: "Retry",
    done: "retried",
    note: "Of families only what failed runs again, and graphs are retried as a whole.",
  },
} as const;

/**
 * Null where there is nothing to do for what matches. A retry is for states that are named. What waits for one reason changes from
 * moment to moment, so masters take no such filter: those tasks can be selected.
 */
function filterFor(verb: Verb, filters: TaskFilters): BulkRequest["filter"] | null {
  const { state, queue, name, host, parent, roots, waiting } = filters;
  if (waiting !== undefined) return null;
  const chosen = state !== undefined ? statesOf(state) : verb === "cancel" ? taskStates : [];
  const states = chosen.filter((each): each is TaskState =>
    verb === "cancel" ? !finalStates.has(each) : retriable.has(each),
  );
  if (states.length === 0) return null;
  const given = { ...(queue !== undefined && { queue }), ...(name !== undefined && { name }) };
  const around = { ...(parent !== undefined && { parent }), ...(roots !== undefined && { roots }) };
  return { state: states, ...given, ...(host !== undefined && { host }), ...around };
}

interface Count {
  readonly tasks: number;
  readonly refused: number;
  /** Why the first of them is refused. */
  readonly reason: string | null;
}

const nothing: Count = { tasks: 0, refused: 0, reason: null };

/** All parts, one after the other. @throws ApiError */
async function runAll(
  verb: Verb,
  filter: BulkRequest["filter"],
  isDryRun: boolean,
  tell: (count: Count) => void,
  signal: AbortSignal,
): Promise<void> {
  let count = nothing;
  let cursor: string | null = null;
  do {
    const body: BulkRequest = { filter, isDryRun, ...(cursor !== null && { cursor }) };
    const answer: BulkAnswer = await (isDryRun ? ask : post)<BulkAnswer>(`/v1/bulk/${verb}`, body);
    if (signal.aborted) return;
    const { tasks, refused } = answer;
    cursor = answer.cursor;
    count = {
      tasks: count.tasks + tasks.length,
      refused: count.refused + refused.length,
      reason: count.reason ?? refused[0]?.message ?? null,
    };
    tell(count);
  } while (cursor !== null);
}

interface AllThatMatchProps {
  readonly verb: Verb;
  readonly filters: TaskFilters;
  readonly onClose: () => void;
}

/** Nothing where there is nothing to do for what matches. */
export function AllThatMatchButton({ verb, filters, onClose }: AllThatMatchProps) {
  const [isOpen, setOpen] = useState(false);
  const filter = filterFor(verb, filters);
  if (filter === null) return null;
  const close = () => {
    setOpen(false);
    onClose();
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>{words[verb].button} all that match …</Button>
      {isOpen ? <AllThatMatch verb={verb} filter={filter} onClose={close} /> : null}
    </>
  );
}

interface DialogProps {
  readonly verb: Verb;
  readonly filter: BulkRequest["filter"];
  readonly onClose: () => void;
}

type Phase = "counting" | "counted" | "working" | "over";

function AllThatMatch({ verb, filter, onClose }: DialogProps) {
  const [phase, setPhase] = useState<Phase>("counting");
  const [found, setFound] = useState<Count>(nothing);
  const [done, setDone] = useState<Count>(nothing);
  const [error, setError] = useState<unknown>(null);
  const abort = useRef(new AbortController());
  const [wanted] = useState(filter);
  useEffect(() => {
    const mine = new AbortController();
    abort.current = mine;
    setFound(nothing);
    runAll(verb, wanted, true, setFound, mine.signal).then(() => !mine.signal.aborted && setPhase("counted"), setError);
    return () => mine.abort();
  }, [verb, wanted]);
  const run = () => {
    setPhase("working");
    runAll(verb, wanted, false, setDone, abort.current.signal).then(() => setPhase("over"), setError);
  };
  const { button, done: past, note } = words[verb];
  const tasks = counted(found.tasks, "task");
  return (
    <Dialog title={`${button} all that match`} onClose={onClose}>
      <div className="grid grid-cols-1 gap-4">
        <p className="text-base" aria-live="polite">
          {phase === "counting" ? `Counting … ${number.format(found.tasks)} so far` : null}
          {phase === "counted" ? (
            <>
              <strong>{tasks}</strong> will be {past}. {note}
            </>
          ) : null}
          {phase === "working" || phase === "over"
            ? `${number.format(done.tasks)} of ${number.format(found.tasks)} ${past}`
            : null}
        </p>
        {phase === "working" || phase === "over" ? (
          <Meter share={phase === "over" ? 1 : done.tasks / Math.max(1, found.tasks)} label="Progress" />
        ) : null}
        {found.reason === null ? null : (
          <Note tone="warn">
            {counted(found.refused, "task matches and stays as it is", "tasks match and stay as they are")}.{" "}
            {found.reason}
          </Note>
        )}
        {error === null ? null : <Problem error={error} isTriedAgain={false} />}
        <div className="flex justify-end gap-2">
          {phase === "over" ? null : (
            <Button
              look={verb === "cancel" ? "danger" : "primary"}
              disabled={phase !== "counted" || found.tasks === 0}
              onClick={run}
            >
              {button} {phase === "counting" ? "…" : tasks}
            </Button>
          )}
          <Button onClick={onClose}>{phase === "over" ? "Close" : phase === "working" ? "Stop" : "Leave them"}</Button>
        </div>
      </div>
    </Dialog>
  );
}
