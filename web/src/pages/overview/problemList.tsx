/** What is wrong right now, each with the way to what it is about, and with what to do about it for those who may. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
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
import { CommandFor } from "../../parts/surfaces.tsx";
import { useNow } from "../../parts/time.tsx";
import { ResumeButton } from "../queues/resumeButton.tsx";
import { type About, problemsOf } from "./problems.ts";

const waitingQuery = taskListQuery({ state: "created,killed,retrying", order: "oldest", limit: 200 });

export function Problems() {
  const now = useNow();
  const seesAll = useSeesAllQueues();
  const mayOperate = useMay("operate");
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
      {problems.map(({ tone, text, advice, about, paused }) => (
        <div key={text} className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2">
          <span className="flex min-w-0 items-start gap-2.5">
            <Sign tone={tone} />
            <AboutLink about={about}>{text}</AboutLink>
          </span>
          {advice === null ? null : (
            <span className="ml-auto max-w-full">
              <CommandFor needs="operate" text={advice} />
            </span>
          )}
          {paused === undefined || !mayOperate ? null : (
            <span className="ml-auto flex max-w-full flex-wrap gap-2">
              <ResumeButton queue={paused} />
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

interface AboutLinkProps {
  readonly about: About | undefined;
  readonly children: string;
}

function AboutLink({ about, children }: AboutLinkProps) {
  const look = "underline decoration-line-strong underline-offset-2 hover:text-accent hover:decoration-accent";
  if (about === undefined) return <span>{children}</span>;
  if ("tasks" in about)
    return (
      <Link to="/tasks" search={about.tasks} className={look}>
        {children}
      </Link>
    );
  if ("worker" in about)
    return (
      <Link to="/workers" search={{ worker: about.worker }} className={look}>
        {children}
      </Link>
    );
  return (
    <Link to="/schedules" search={{ name: about.schedule }} className={look}>
      {children}
    </Link>
  );
}
