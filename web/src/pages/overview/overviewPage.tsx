/** The first page: how the cluster is, at a look. */
import { useQuery } from "@tanstack/react-query";
import {
  leaderStatusQuery,
  mastersQuery,
  newestTasksQuery,
  queuesQuery,
  schedulesQuery,
  statusQuery,
  taskListQuery,
  workersQuery,
} from "../../api/queries.ts";
import { useMay, useSeesAllQueues } from "../../api/rights.ts";
import type { Worker } from "../../api/schema.ts";
import { Card, CommandFor, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { durationText, useNow } from "../../parts/time.tsx";
import { MarksCard, MastersCard } from "./mastersCard.tsx";
import { problemsOf } from "./problems.ts";
import { StateStrip } from "./stateStrip.tsx";
import { Throughput } from "./throughput.tsx";
import { WaitingReasons } from "./waitingReasons.tsx";
import { WorkerSlots } from "./workerSlots.tsx";

const waitingQuery = taskListQuery({ state: "created,killed,retrying", order: "oldest", limit: 200 });

export function OverviewPage() {
  const status = useQuery(statusQuery);
  const workers = useQuery(workersQuery);
  const seesAll = useSeesAllQueues();
  const maySubmit = useMay("submit");
  const { stats } = status.data ?? {};
  const taskCount = Object.values(stats?.tasks ?? {}).reduce((sum, count) => sum + count, 0);
  return (
    <>
      <PageHeader
        title="Overview"
        note={
          status.data === undefined ? undefined : (
            <Summary
              slots={seesAll ? stats?.slots : slotsOf(workers.data?.workers)}
              waitMs={stats?.oldestWaitMs ?? 0}
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
              <WaitingReasons waiting={stats.waiting} />
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
    ...(slots.total === 0 ? [] : [`${slots.used} of ${slots.total} slots in use${where}`]),
    ...(waitMs > 0 ? [`the longest wait ${seesAll ? "" : "in your queues "}is ${durationText(waitMs)}`] : []),
  ];
  return parts.join(", ");
}

function Problems() {
  const now = useNow();
  const seesAll = useSeesAllQueues();
  const { data: status, dataUpdatedAt: statusReadAt } = useQuery(statusQuery);
  const isStandby = status !== undefined && status.role !== "leader";
  const leader = useQuery({ ...leaderStatusQuery, enabled: isStandby }).data;
  const masters = useQuery(mastersQuery).data?.masters;
  const newest = useQuery(newestTasksQuery).data?.tasks;
  const { data: workerList, dataUpdatedAt: workersReadAt } = useQuery(workersQuery);
  const queues = useQuery(queuesQuery).data?.queues;
  const schedules = useQuery(schedulesQuery).data?.schedules;
  // Tasks are read only while the leader counts some that no worker can run; a standby does not say.
  const isAsked =
    status !== undefined && (status.role !== "leader" || (status.stats.waiting["no-able-worker"] ?? 0) > 0);
  const tasks = useQuery({ ...waitingQuery, enabled: isAsked }).data?.tasks;
  const waiting = isAsked ? tasks : undefined;
  const ofMasters = { status, statusReadAt, leader: isStandby ? leader : undefined, masters };
  const ofWorkers = { workers: workerList?.workers, workersReadAt };
  const problems = problemsOf({ now, seesAll, ...ofMasters, ...ofWorkers, queues, schedules, waiting, newest });
  if (problems.length === 0) return null;
  return (
    <section aria-label="What is wrong" className="card divide-y divide-line">
      {problems.map(({ tone, text, advice }) => (
        <div key={text} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2">
          <span className="flex min-w-0 items-start gap-2.5">
            <Sign tone={tone} />
            <span>{text}</span>
          </span>
          {advice === null ? null : (
            <span className="ml-auto max-w-full">
              <CommandFor needs="operate" text={advice} />
            </span>
          )}
        </div>
      ))}
    </section>
  );
}

function Sign({ tone }: { readonly tone: "warn" | "bad" }) {
  return (
    <span
      className={`mt-0.5 grid size-4 shrink-0 place-items-center rounded-full text-2xs font-bold text-surface ${tone === "bad" ? "bg-failed" : "bg-retrying"}`}
    >
      <span aria-hidden="true">!</span>
      <span className="sr-only">{tone === "bad" ? "Problem:" : "Warning:"}</span>
    </span>
  );
}
