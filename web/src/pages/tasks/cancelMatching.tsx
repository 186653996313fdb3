/** Cancels all tasks that match the filters, however many they are: counts them first, then cancels them part by part. */
import { useEffect, useRef, useState } from "react";
import { post } from "../../api/client.ts";
import type { BulkAnswer, BulkRequest, TaskState } from "../../api/schema.ts";
import { Button, Dialog } from "../../parts/controls.tsx";
import { finalStates, taskStates } from "../../parts/states.tsx";
import { Meter, Note, Problem } from "../../parts/surfaces.tsx";
import { statesOf, type TaskFilters } from "./filters.ts";

const number = new Intl.NumberFormat();

/** Null where nothing that matches can be cancelled, or where the master has no such filter. */
function filterToCancel({ state, queue, name, host, parent }: TaskFilters): BulkRequest["filter"] | null {
  const chosen = state === undefined ? taskStates : statesOf(state);
  const states = chosen.filter((each): each is TaskState => !finalStates.has(each));
  if (states.length === 0 || parent !== undefined) return null;
  const given = { ...(queue !== undefined && { queue }), ...(name !== undefined && { name }) };
  return { state: states, ...given, ...(host !== undefined && { host }) };
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
  filter: BulkRequest["filter"],
  isDryRun: boolean,
  tell: (count: Count) => void,
  signal: AbortSignal,
): Promise<void> {
  let count = nothing;
  let cursor: string | null = null;
  do {
    const body: BulkRequest = { filter, isDryRun, ...(cursor !== null && { cursor }) };
    const answer: BulkAnswer = await post<BulkAnswer>("/v1/bulk/cancel", body);
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

interface CancelAllButtonProps {
  readonly filters: TaskFilters;
  readonly onClose: () => void;
}

/** Nothing where nothing that matches can be cancelled. */
export function CancelAllButton({ filters, onClose }: CancelAllButtonProps) {
  const [isOpen, setOpen] = useState(false);
  const filter = filterToCancel(filters);
  if (filter === null) return null;
  const close = () => {
    setOpen(false);
    onClose();
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>Cancel all that match …</Button>
      {isOpen ? <CancelMatching filter={filter} onClose={close} /> : null}
    </>
  );
}

interface CancelMatchingProps {
  readonly filter: BulkRequest["filter"];
  readonly onClose: () => void;
}

type Phase = "counting" | "counted" | "cancelling" | "over";

function CancelMatching({ filter, onClose }: CancelMatchingProps) {
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
    runAll(wanted, true, setFound, mine.signal).then(() => !mine.signal.aborted && setPhase("counted"), setError);
    return () => mine.abort();
  }, [wanted]);
  const cancel = () => {
    setPhase("cancelling");
    runAll(wanted, false, setDone, abort.current.signal).then(() => setPhase("over"), setError);
  };
  const tasks = `${number.format(found.tasks)} ${found.tasks === 1 ? "task" : "tasks"}`;
  return (
    <Dialog title="Cancel all that match" onClose={onClose}>
      <div className="grid gap-4">
        <p className="text-base" aria-live="polite">
          {phase === "counting" ? `Counting … ${number.format(found.tasks)} so far` : null}
          {phase === "counted" ? (
            <>
              <strong>{tasks}</strong> will be cancelled. Those that run are ended.
            </>
          ) : null}
          {phase === "cancelling" || phase === "over"
            ? `${number.format(done.tasks)} of ${number.format(found.tasks)} cancelled`
            : null}
        </p>
        {phase === "cancelling" || phase === "over" ? (
          <Meter share={phase === "over" ? 1 : done.tasks / Math.max(1, found.tasks)} label="Progress" />
        ) : null}
        {found.reason === null ? null : (
          <Note tone="warn">
            {number.format(found.refused)} match and stay as they are. {found.reason}
          </Note>
        )}
        {error === null ? null : <Problem error={error} />}
        <div className="flex justify-end gap-2">
          {phase === "over" ? null : (
            <Button look="danger" disabled={phase !== "counted" || found.tasks === 0} onClick={cancel}>
              Cancel {phase === "counting" ? "…" : tasks}
            </Button>
          )}
          <Button onClick={onClose}>
            {phase === "over" ? "Close" : phase === "cancelling" ? "Stop" : "Leave them"}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
