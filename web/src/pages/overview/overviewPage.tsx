/** The first page: how the cluster is, at a look. */

import { useQuery } from "@tanstack/react-query";
import { leaderStatsQuery, statusQuery, workersQuery } from "../../api/queries.ts";
import { useMay, useSeesAllQueues } from "../../api/rights.ts";
import type { Worker } from "../../api/schema.ts";
import { counted } from "../../parts/counted.ts";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { durationText } from "../../parts/time.tsx";
import { MarksCard, MastersCard } from "./mastersCard.tsx";
import { Problems } from "./problemList.tsx";
import { StateStrip } from "./stateStrip.tsx";
import { Throughput } from "./throughput.tsx";
import { WaitingReasons } from "./waitingReasons.tsx";
import { WorkerSlots } from "./workerSlots.tsx";

export function OverviewPage() {
  const status = useQuery(statusQuery);
  const workers = useQuery(workersQuery);
  const seesAll = useSeesAllQueues();
  const maySubmit = useMay("submit");
  const { stats, role } = status.data ?? {};
  const leader = useQuery({ ...leaderStatsQuery, enabled: role === "standby" }).data;
  // Why tasks wait and who is busy, only the leader knows.
  const known = role === "standby" ? (leader?.stats ?? stats) : stats;
  const taskCount = Object.values(stats?.tasks ?? {}).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <PageHeader
        title="Overview"
        note={
          status.data === undefined ? undefined : (
            <Summary
              slots={seesAll ? known?.slots : slotsOf(workers.data?.workers)}
              waitMs={known?.oldestWaitMs ?? 0}
            />
          )
        }
      />
      <div className="grid gap-4">
        <Problems />
        {status.isError && status.data === undefined ? <Problem error={status.error} /> : null}
        <Card>
          {stats === undefined ? (
            <Loading what="the tasks" />
          ) : taskCount === 0 ? (
            <Empty
              title={seesAll ? "No tasks yet" : "No tasks in your queues yet"}
              command="outlast submit sleep 30 --name nap"
            >
              {maySubmit ? "Submit one and watch it here." : undefined}
            </Empty>
          ) : (
            <>
              <StateStrip tasks={stats.tasks} />
              <WaitingReasons waiting={(known ?? stats).waiting} />
            </>
          )}
        </Card>
        {seesAll ? <Throughput /> : null}
        <div className="grid items-start gap-4 xl:grid-cols-[minmax(0,1fr)_24rem]">
          <Card title="Workers" note={seesAll ? "a cell is a slot" : "a cell is a slot, whichever queue uses it"}>
            {workers.data === undefined ? (
              workers.error === null ? (
                <Loading what="the workers" />
              ) : (
                <Problem error={workers.error} />
              )
            ) : (
              <WorkerSlots workers={workers.data.workers} />
            )}
          </Card>
          <div className="grid gap-4">
            <MastersCard />
            {seesAll ? <MarksCard /> : null}
          </div>
        </div>
      </div>
    </>
  );
}

interface Slots {
  readonly total: number;
  readonly used: number;
}

/** Of the workers that somebody sees who is bound to queues; they run tasks of other queues, too. */
function slotsOf(workers: readonly Worker[] | undefined): Slots | undefined {
  const connected = workers?.filter(({ state }) => state === "connected");
  return connected?.reduce(
    ({ total, used }, { capacity, running }) => ({ total: total + capacity, used: used + running }),
    { total: 0, used: 0 },
  );
}

function Summary({ slots, waitMs }: { readonly slots: Slots | undefined; readonly waitMs: number }) {
  const seesAll = useSeesAllQueues();
  if (slots === undefined) return null;
  // Tasks of other queues run there, too, which somebody bound to queues does not see.
  const where = seesAll ? "" : " on the workers that serve your queues";
  const parts = [
    // Where there is no worker, the page says so below.
    ...(slots.total === 0 ? [] : [`${slots.used} of ${counted(slots.total, "slot")} in use${where}`]),
    ...(waitMs > 0 ? [`the longest wait ${seesAll ? "" : "in your queues "}is ${durationText(waitMs)}`] : []),
  ];
  return parts.join(", ");
}
