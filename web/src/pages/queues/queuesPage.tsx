/** Every queue: how much waits and runs, who serves it; and pausing it. */
import { useMutation, useQueries, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { post, segment } from "../../api/client.ts";
import { queuesQuery, taskListQuery } from "../../api/queries.ts";
import { useMay } from "../../api/rights.ts";
import type { Queue, Task, TaskState } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Button } from "../../parts/controls.tsx";
import { StateCount } from "../../parts/stateCount.tsx";
import { taskStates } from "../../parts/states.tsx";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { waitingIn } from "../overview/problems.ts";

const number = new Intl.NumberFormat();
const live: readonly TaskState[] = ["running", "waiting", "blocked"];
const ended: readonly TaskState[] = ["success", "failed", "cancelled"];

export function QueuesPage() {
  const { data, error } = useQuery(queuesQuery);
  const mayOperate = useMay("operate");
  const queues = data?.queues ?? [];
  const oldest = useQueries({
    queries: queues.map(({ name }) =>
      taskListQuery({ queue: name, state: "created,killed,retrying", order: "oldest", limit: 1 }),
    ),
  });
  const set = useMutation({
    mutationFn: ({ name, isPaused }: Queue) => post(`/v1/queues/${segment(name)}/${isPaused ? "resume" : "pause"}`),
    onSuccess: () => queries.invalidateQueries(),
  });
  if (data === undefined) return error === null ? <Loading what="the queues" /> : <Problem error={error} />;
  return (
    <>
      <PageHeader title="Queues" note={`${queues.length} ${queues.length === 1 ? "queue" : "queues"}`} />
      {set.error === null ? null : (
        <div className="mb-3">
          <Problem error={set.error} />
        </div>
      )}
      <Card isFlush>
        {queues.length === 0 ? (
          <Empty title="No queue yet" command="outlast submit sleep 30 --queue reports">
            A queue is there as soon as a task or a worker names it.
          </Empty>
        ) : (
          <Table label="Queues" heads={["Queue", "Waiting", "Oldest waiting", "Running", "Ended", "Workers", ""]}>
            {queues.map((queue, index) => (
              <QueueRow
                key={queue.name}
                queue={queue}
                oldest={oldest[index]?.data?.tasks[0]}
                isBusy={set.isPending}
                onSet={mayOperate ? () => set.mutate(queue) : null}
              />
            ))}
          </Table>
        )}
      </Card>
    </>
  );
}

interface QueueRowProps {
  readonly queue: Queue;
  /** The task that has waited longest; absent if none waits. */
  readonly oldest: Task | undefined;
  readonly isBusy: boolean;
  /** Null for those who may not. */
  readonly onSet: (() => void) | null;
}

function QueueRow({ queue, oldest, isBusy, onSet }: QueueRowProps) {
  return (
    <Row>
      <Cell className="font-medium">
        <Link to="/tasks" search={{ queue: queue.name }} data-row className="hover:underline">
          {queue.name}
        </Link>
        {queue.isPaused ? (
          <span className="ml-2 rounded bg-retrying/12 px-1.5 text-2xs font-medium text-retrying">‖ paused</span>
        ) : null}
      </Cell>
      <Cell>
        <Link to="/tasks" search={{ queue: queue.name, state: "created,retrying,killed" }} className="hover:underline">
          {number.format(waitingIn(queue))}
        </Link>
      </Cell>
      <Cell>
        {oldest === undefined ? (
          <span className="text-muted">–</span>
        ) : (
          <span className="flex items-baseline gap-2">
            <Link to="/tasks/$id" params={{ id: oldest.id }} className="max-w-48 truncate text-accent hover:underline">
              {oldest.name}
            </Link>
            <span className="text-muted">
              <Ago at={oldest.createdAt} />
            </span>
          </span>
        )}
      </Cell>
      <Cell>
        <Counts queue={queue} states={live} />
      </Cell>
      <Cell>
        <Counts queue={queue} states={ended} />
      </Cell>
      <Cell className={queue.workers === 0 ? "text-failed" : "text-soft"}>{queue.workers}</Cell>
      <Cell className="text-right">
        {onSet === null ? null : (
          <Button disabled={isBusy} onClick={onSet}>
            {queue.isPaused ? "Resume" : "Pause"}
          </Button>
        )}
      </Cell>
    </Row>
  );
}

function Counts({ queue, states }: { readonly queue: Queue; readonly states: readonly TaskState[] }) {
  return (
    <span className="flex gap-3">
      {taskStates
        .filter((state) => states.includes(state) && (state === states[0] || (queue.tasks[state] ?? 0) > 0))
        .map((state) => (
          <StateCount key={state} state={state} count={queue.tasks[state] ?? 0} of={{ queue: queue.name }} />
        ))}
    </span>
  );
}
