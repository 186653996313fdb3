/** Every queue: how much waits and runs, its limits, who serves it; pausing and limiting it. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { post, segment } from "../../api/client.ts";
import { queuesQuery } from "../../api/queries.ts";
import { useMay } from "../../api/rights.ts";
import type { Queue, TaskState } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Button } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { StateCount } from "../../parts/stateCount.tsx";
import { taskStates } from "../../parts/states.tsx";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Lasted } from "../../parts/time.tsx";
import { waitingIn } from "../overview/problems.ts";
import { limitTexts } from "./limits.ts";
import { LimitsDialog } from "./limitsDialog.tsx";

const route = getRouteApi("/queues");
const number = new Intl.NumberFormat();
const heads = ["Queue", "Queued", "Longest wait", "Limits", "Running", "Waiting, blocked", "Ended", "Workers", ""];
const running: readonly TaskState[] = ["running"];
/** What has begun and waits, and what waits for other tasks: neither counts for the limits of its queue. */
const held: readonly TaskState[] = ["waiting", "blocked"];
const ended: readonly TaskState[] = ["success", "failed", "cancelled", "skipped"];

export function QueuesPage() {
  const { queue: wanted } = route.useSearch();
  const { data, error } = useQuery(queuesQuery);
  const mayOperate = useMay("operate");
  const queues = (data?.queues ?? []).toSorted(
    (a, b) => Number(b.name === wanted) - Number(a.name === wanted) || a.name.localeCompare(b.name),
  );
  const [limited, setLimited] = useState<string | null>(null);
  const inDialog = queues.find(({ name }) => name === limited);
  const set = useMutation({
    mutationFn: ({ name, isPaused }: Queue) => post(`/v1/queues/${segment(name)}/${isPaused ? "resume" : "pause"}`),
    onSuccess: () => queries.invalidateQueries(),
  });
  if (data === undefined) return error === null ? <Loading what="the queues" /> : <Problem error={error} />;
  return (
    <>
      <PageHeader title="Queues" note={counted(queues.length, "queue")} />
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
          <Table label="Queues" heads={heads}>
            {queues.map((queue) => (
              <QueueRow
                key={queue.name}
                queue={queue}
                isWanted={queue.name === wanted}
                isBusy={set.isPending}
                onSet={mayOperate ? () => set.mutate(queue) : null}
                onLimit={mayOperate ? () => setLimited(queue.name) : null}
              />
            ))}
          </Table>
        )}
      </Card>
      {inDialog === undefined ? null : <LimitsDialog queue={inDialog} onClose={() => setLimited(null)} />}
    </>
  );
}

interface QueueRowProps {
  readonly queue: Queue;
  /** It is the one that a link has led to. */
  readonly isWanted: boolean;
  readonly isBusy: boolean;
  /** Null for those who may not. */
  readonly onSet: (() => void) | null;
  readonly onLimit: (() => void) | null;
}

function QueueRow({ queue, isWanted, isBusy, onSet, onLimit }: QueueRowProps) {
  const { waitsLongest } = queue;
  const bounds = limitTexts(queue);
  return (
    <Row>
      <Cell className={isWanted ? "font-semibold text-accent" : "font-medium"}>
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
        {waitsLongest === undefined ? (
          <span className="text-muted">–</span>
        ) : (
          <Link to="/tasks/$id" params={{ id: waitsLongest.id }} className="text-accent hover:underline">
            <span className="sr-only">The task that waits longest, for </span>
            <Lasted from={waitsLongest.since} />
          </Link>
        )}
      </Cell>
      <Cell className="whitespace-nowrap">
        {bounds.length === 0 ? <span className="text-muted">none</span> : bounds.join(" · ")}
      </Cell>
      <Cell>
        <Counts queue={queue} states={running} />
      </Cell>
      <Cell>
        <Counts queue={queue} states={held} />
      </Cell>
      <Cell>
        <Counts queue={queue} states={ended} />
      </Cell>
      <Cell className={queue.workers === 0 ? "text-failed" : "text-soft"}>{queue.workers}</Cell>
      <Cell>
        <span className="flex justify-end gap-2">
          {onLimit === null ? null : (
            <Button aria-label={`Limit ${queue.name}`} onClick={onLimit}>
              Limit …
            </Button>
          )}
          {onSet === null ? null : (
            <Button
              aria-label={`${queue.isPaused ? "Resume" : "Pause"} ${queue.name}`}
              disabled={isBusy}
              onClick={onSet}
            >
              {queue.isPaused ? "Resume" : "Pause"}
            </Button>
          )}
        </span>
      </Cell>
    </Row>
  );
}

function Counts({ queue, states }: { readonly queue: Queue; readonly states: readonly TaskState[] }) {
  const given = taskStates.filter((state) => states.includes(state) && (queue.tasks[state] ?? 0) > 0);
  return (
    <span className="flex gap-3">
      {(given.length === 0 ? states.slice(0, 1) : given).map((state) => (
        <StateCount key={state} state={state} count={queue.tasks[state] ?? 0} of={{ queue: queue.name }} />
      ))}
    </span>
  );
}
