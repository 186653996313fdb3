/** A MapReduce job: its phases, what was read, shuffled and written, each map and each reduce, what ran again, and what came out. */

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { jobChildrenQuery, stepsQuery, taskQuery } from "../../api/queries.ts";
import type { Task } from "../../api/schema.ts";
import { bytesText } from "../../parts/bytes.ts";
import { counted } from "../../parts/counted.ts";
import { JsonTree } from "../../parts/jsonTree.tsx";
import { StateBadge } from "../../parts/states.tsx";
import { Card, Empty, Fact, Facts, Loading, Meter, Note, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { TaskPath } from "../../parts/taskPath.tsx";
import { TaskProblem } from "../../parts/taskProblem.tsx";
import { durationText, useNow } from "../../parts/time.tsx";
import { RetryButton } from "../task/retryDialog.tsx";
import { hasEarlierChildren } from "../task/runs.ts";
import { Cells } from "./cells.tsx";
import { type JobProgress, jobKind, jobProgress, phases, type Sums } from "./job.ts";

const route = getRouteApi("/tasks/$id/map-reduce");
const number = new Intl.NumberFormat();
/** So many cells of a kind are drawn. */
const cellsMax = 2_000;

export function MapReducePage() {
  const { id } = route.useParams();
  const { data: task, error } = useQuery(taskQuery(id));
  if (task === undefined) return error === null ? <Loading what="the job" /> : <TaskProblem error={error} />;
  return (
    <>
      <TaskPath id={id} name={task.name} />
      <PageHeader title={`MapReduce: ${task.name}`} note={<StateBadge state={task.state} />}>
        <RetryButton task={task} />
      </PageHeader>
      {task.kind === jobKind ? (
        <Job task={task} />
      ) : (
        <div className="card">
          <Empty title="This task is no MapReduce job" command="outlast map-reduce FILE" />
        </div>
      )}
    </>
  );
}

function Job({ task }: { readonly task: Task }) {
  const steps = useQuery(stepsQuery(task.id));
  const children = useQuery(jobChildrenQuery(task.id));
  const problem = steps.error ?? children.error;
  if (steps.data === undefined || children.data === undefined)
    return problem === null ? <Loading what="the job" /> : <Problem error={problem} />;
  const { tasks, isCut } = children.data;
  const progress = jobProgress(task, steps.data.steps, tasks);
  const { plan, maps, parts, reduces } = progress;
  const isWell = task.state === "success";
  return (
    <div className="grid gap-4">
      {task.error === undefined || task.state === "success" ? null : (
        <Note tone={task.state === "failed" ? "bad" : "warn"}>{task.error.message}</Note>
      )}
      {hasEarlierChildren(task) ? (
        <Note tone="info">
          This job began from scratch when it was retried. Maps and reduces from before are with its{" "}
          <Link to="/tasks/$id/family" params={{ id: task.id }} className="text-accent hover:underline">
            family
          </Link>
          .
        </Note>
      ) : null}
      {isCut ? (
        <Note tone="info">
          This job has more children than are read here: the sums are those of its first {number.format(tasks.length)}.
        </Note>
      ) : null}
      <Phases task={task} progress={progress} />
      <div className="grid items-start gap-4 xl:grid-cols-2">
        <PhaseCard
          title="Maps"
          isWell={isWell}
          total={plan?.maps ?? 0}
          sums={progress.mapSums}
          facts={<MapFacts progress={progress} />}
        >
          <Cells what="map" cells={maps} total={plan?.maps ?? 0} max={cellsMax} />
        </PhaseCard>
        <PhaseCard
          title="Reduces"
          isWell={isWell}
          total={reduces}
          sums={progress.reduceSums}
          facts={<ReduceFacts progress={progress} />}
        >
          <Cells what="reduce" cells={parts} total={reduces} max={cellsMax} />
        </PhaseCard>
      </div>
      {task.output === undefined ? null : (
        <Card title="Result">
          <JsonTree value={task.output} />
        </Card>
      )}
    </div>
  );
}

/** In characters. */
const keyShownMax = 40;

/** Of the phase in which the job is, or in which it has ended without success. */
function lookOf({ state }: Task, { endedAt }: JobProgress): readonly [colour: string, mark: string] {
  if (endedAt === null) return ["bg-running", ""];
  return state === "failed" ? ["bg-failed", "✕ "] : ["bg-line-strong", "✕ "];
}

function Phases({ task, progress }: { readonly task: Task; readonly progress: JobProgress }) {
  const now = useNow();
  const { phase, plan, reduces, startedAt, mappedAt, endedAt, skew, largestKey } = progress;
  const until = endedAt ?? now;
  const at = phases.indexOf(phase);
  const [colour, mark] = lookOf(task, progress);
  return (
    <Card>
      <div className="grid gap-4">
        <ol aria-label="Phases" className="grid grid-cols-4 gap-2 max-md:grid-cols-2">
          {phases.slice(0, -1).map((each, index) => (
            <li key={each} aria-current={each === phase ? "step" : undefined} className="grid gap-1">
              <span
                aria-hidden="true"
                className={`h-1 rounded-full ${index < at ? "bg-success" : index === at ? colour : "bg-raised"}`}
              />
              <span className={index === at ? "font-semibold" : "text-muted"}>
                {index < at ? "✓ " : index === at ? mark : ""}
                {each}
              </span>
            </li>
          ))}
        </ol>
        <Facts>
          <Fact name="Shape">
            {plan === null ? "? maps" : counted(plan.maps, "map")} × {counted(reduces, "reduce")}
          </Fact>
          <Fact name="Input">{plan === null ? "–" : `${bytesText(plan.bytes)} in ${counted(plan.files, "file")}`}</Fact>
          <Fact name="Maps took">{startedAt === null ? "–" : durationText((mappedAt ?? until) - startedAt)}</Fact>
          <Fact name="Reduces took">{mappedAt === null ? "–" : durationText(until - mappedAt)}</Fact>
          <Fact name="Skew">{skew === null ? "–" : `${skew.toFixed(2)} times the average`}</Fact>
          {largestKey !== null && (
            <Fact name="Largest key">
              {`${JSON.stringify(largestKey.key.slice(0, keyShownMax))} has ${(100 * largestKey.share).toFixed(1)} % of the values`}
            </Fact>
          )}
        </Facts>
      </div>
    </Card>
  );
}

interface PhaseCardProps {
  readonly title: string;
  /** The job has succeeded. */
  readonly isWell: boolean;
  readonly total: number;
  readonly sums: Sums;
  readonly facts: ReactNode;
  readonly children: ReactNode;
}

function PhaseCard({ title, isWell, total, sums, facts, children }: PhaseCardProps) {
  const { done, running } = sums;
  return (
    <Card title={title} note={`${number.format(done)} of ${number.format(total)} done, ${running} running`}>
      <div className="grid gap-4">
        <Meter share={total === 0 ? 0 : done / total} label={`${title} that are done`} className="bg-success" />
        <Facts>{facts}</Facts>
        {children}
        <Troubles sums={sums} isWell={isWell} />
      </div>
    </Card>
  );
}

function MapFacts({ progress: { plan, mapSums, startedAt, mappedAt, endedAt } }: { readonly progress: JobProgress }) {
  const now = useNow();
  const { bytes, records, shuffledBytes } = mapSums;
  const ms = startedAt === null ? 0 : (mappedAt ?? endedAt ?? now) - startedAt;
  return (
    <>
      <Fact name="Read">
        {bytesText(bytes)}
        {/* Of compressed files, more text is read than there are bytes. */}
        {plan === null || bytes > plan.bytes ? "" : ` of ${bytesText(plan.bytes)}`}
      </Fact>
      <Fact name="Records">{number.format(records)}</Fact>
      <Fact name="Written for reduces">{bytesText(shuffledBytes)}</Fact>
      <Fact name="On average">{ms <= 0 ? "–" : `${bytesText((bytes * 1000) / ms)} a second`}</Fact>
    </>
  );
}

function ReduceFacts({ progress: { phase, mapSums, reduceSums } }: { readonly progress: JobProgress }) {
  const { bytes, records, shuffledBytes } = reduceSums;
  return (
    <>
      <Fact name="Read from maps">
        {bytesText(shuffledBytes)}
        {/* Files of maps hold a little more than what reduces read: at the end that is nothing that is missing. */}
        {phase === "over" ? "" : ` of ${bytesText(mapSums.shuffledBytes)}`}
      </Fact>
      <Fact name="Output">{bytesText(bytes)}</Fact>
      <Fact name="Lines">{number.format(records)}</Fact>
    </>
  );
}

/** What did not go smoothly; nothing where all did. A job that has got over it calls nobody. */
function Troubles({ sums, isWell }: Pick<PhaseCardProps, "sums" | "isWell">) {
  const { skipped, failures, kills, reruns, backups, byBackup } = sums;
  const texts = [
    [reruns, "ran again since output was lost"],
    [kills, `${kills === 1 ? "attempt" : "attempts"} lost with a worker`],
    [failures, `${failures === 1 ? "attempt" : "attempts"} failed`],
    [backups, `given to a second worker, too, since slow: ${number.format(byBackup)} done sooner by it`],
    [skipped, `${skipped === 1 ? "record" : "records"} skipped`],
  ] as const;
  const given = texts.filter(([count]) => count > 0);
  if (given.length === 0) return null;
  return (
    <ul className={`flex flex-wrap gap-x-4 gap-y-1 ${isWell ? "text-soft" : "text-retrying"}`}>
      {given.map(([count, text]) => (
        <li key={text}>
          <span className="font-medium">{number.format(count)}</span> {text}
        </li>
      ))}
    </ul>
  );
}
