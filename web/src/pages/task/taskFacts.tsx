/** The facts of a task. */

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { defaults } from "../../../../src/model/limits.ts";
import { attemptsOfTaskQuery, taskQuery } from "../../api/queries.ts";
import type { Task } from "../../api/schema.ts";
import { useSiblings } from "../../parts/siblings.ts";
import { finalStates } from "../../parts/states.tsx";
import { Fact, Facts } from "../../parts/surfaces.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { Ago, durationText, Lasted } from "../../parts/time.tsx";
import { hasEarlierChildren, isBeforeRetry, runsOf } from "./runs.ts";
import { wholeName } from "./wholes.ts";

export function TaskFacts({ task }: { readonly task: Task }) {
  const { kind, queue, priority, host, limits } = task;
  return (
    <Facts>
      <Fact name="Kind">{kind}</Fact>
      <Fact name="Queue">
        <Link to="/tasks" search={{ queue }} className="text-accent hover:underline">
          {queue}
        </Link>
        {priority === 0 ? null : <span className="text-muted"> · priority {priority}</span>}
      </Fact>
      {host === undefined || isBeforeRetry(task) ? null : (
        <Fact name={task.state === "running" ? "Runs on" : "Last worker"}>
          <Link to="/workers" search={{ worker: host }} className="text-accent hover:underline">
            {host}
          </Link>
        </Fact>
      )}
      <Attempts task={task} />
      <Times task={task} />
      {limits.timeoutMs === null ? null : <Fact name="Time limit">{durationText(limits.timeoutMs)} an attempt</Fact>}
      {task.openRun === undefined ? null : (
        <Fact name="Job at a service">
          {task.openRun.service} · {task.openRun.handle ?? "not known whether it was started"}
        </Fact>
      )}
      {task.requires === undefined || task.requires.length === 0 ? null : (
        <Fact name="Requires">{task.requires.join(", ")}</Fact>
      )}
      <Bounds task={task} />
      <Sources task={task} />
    </Facts>
  );
}

/** Of its present run; how many there were before it was retried stands beside them. */
function Attempts({ task }: { readonly task: Task }) {
  const { attempt, kills } = task;
  const known =
    useQuery({ ...attemptsOfTaskQuery(task.id), enabled: task.retriedAt !== undefined }).data?.attempts ?? [];
  const before = runsOf(task, known).earlier.at(-1)?.attempt ?? 0;
  // Masters decide these: no worker is given them.
  if (["graph", "broadcast"].includes(wholeName(task) ?? "")) return null;
  if (attempt === 0) return <Fact name="Attempts">{finalStates.has(task.state) ? "none" : "none yet"}</Fact>;
  const isShort = finalStates.has(task.state) && before === 0 && kills === 0;
  return (
    <Fact name="Attempts" isLong={!isShort}>
      {attempt === before ? "none yet" : `${attempt - before} · ${failuresText(task, attempt - before)}`}
      {before > 0 ? <span className="text-muted"> · {before} before the retry</span> : null}
      {kills > 0 ? <span className="text-killed"> · {kills} lost with a worker</span> : null}
    </Fact>
  );
}

/** While it may still run, how many failures it takes to end it stands beside those that there were. */
function failuresText({ failures, limits: { attemptsMax }, state }: Task, attempts: number): string {
  const failed = failures === 0 ? "none failed" : attempts === 1 ? "failed" : `${failures} failed`;
  if (finalStates.has(state)) return failed;
  return `${failed}, ${attemptsMax === 1 ? "the first failure ends it" : `${attemptsMax} failures end it`}`;
}

function Times({ task }: { readonly task: Task }) {
  const { createdAt, startAt, retryAt, retriedAt, assignedAt, endedAt } = task;
  const isOver = finalStates.has(task.state);
  return (
    <>
      <Fact name="Created">
        <Ago at={createdAt} />
      </Fact>
      {startAt === null || isOver ? null : (
        <Fact name="Not before">
          <Ago at={startAt} />
        </Fact>
      )}
      {retryAt === undefined || task.state !== "retrying" ? null : (
        <Fact name="Next attempt">
          <Ago at={retryAt} />
        </Fact>
      )}
      {retriedAt === undefined ? null : (
        <Fact name="Retried">
          <Ago at={retriedAt} />
          {hasEarlierChildren(task) ? <span className="text-muted"> · from scratch</span> : null}
        </Fact>
      )}
      {assignedAt === undefined || isBeforeRetry(task) ? null : (
        <Fact name={task.state === "running" ? "Runs for" : "Last attempt took"}>
          <Lasted from={assignedAt} to={task.state === "running" ? undefined : (endedAt ?? task.changedAt)} />
        </Fact>
      )}
      {isOver ? (
        <Fact name="Ended">
          <Ago at={task.changedAt} />
        </Fact>
      ) : null}
    </>
  );
}

/** What of it may run at a time, by when it must have started or ended, and whether it may be what takes its workers down. */
function Bounds({ task }: { readonly task: Task }) {
  const { concurrencyKey, concurrencyMax = 1, uniqueKey, expiresAt, deadlineMs, losses = 0 } = task;
  return (
    <>
      {concurrencyKey === undefined ? null : (
        <Fact name="Concurrency key">
          {concurrencyKey} <span className="text-muted">· at most {concurrencyMax} at a time</span>
        </Fact>
      )}
      {uniqueKey === undefined ? null : <Fact name="Unique key">{uniqueKey}</Fact>}
      {expiresAt === undefined ? null : (
        <Fact name="Starts by">
          <Ago at={expiresAt} />
        </Fact>
      )}
      {deadlineMs === undefined ? null : <Fact name="Deadline">{durationText(deadlineMs)} after its creation</Fact>}
      {losses < defaults.lossesBeforeAlone ? null : (
        <Fact name="Suspect">
          <span className="text-killed">lost its worker {losses} times in a row</span>
          {task.isAlone === true ? <span className="text-muted"> · runs alone there</span> : null}
        </Fact>
      )}
    </>
  );
}

function LinkedTask({ name, id }: { readonly name: string; readonly id: string }) {
  const { data: task } = useQuery(taskQuery(id));
  const beside = useSiblings(task);
  const title = task === undefined ? id : titleOf(task, beside);
  return (
    <Fact name={name}>
      <Link
        to="/tasks/$id"
        params={{ id }}
        title={id}
        className={`text-accent hover:underline ${title === id ? "font-mono text-xs break-all" : "break-words"}`}
      >
        {title}
      </Link>
    </Fact>
  );
}

/** What has made the task, if not a person. */
function Sources({ task }: { readonly task: Task }) {
  return (
    <>
      {task.parent === undefined ? null : <LinkedTask name="Child of" id={task.parent} />}
      {task.backupOf === undefined ? null : <LinkedTask name="Backup of" id={task.backupOf} />}
      {task.backup === undefined ? null : (
        <LinkedTask name={task.backup.isWinner === true ? "Result of its backup" : "Backup"} id={task.backup.id} />
      )}
      {task.rights === undefined ? null : <Fact name="Submitted by">{task.rights.owner}</Fact>}
      {task.origin === undefined ? null : (
        <Fact name="Template">
          <Link to="/templates" search={{ name: task.origin.template }} className="text-accent hover:underline">
            {task.origin.template}
          </Link>{" "}
          · version {task.origin.version}
        </Fact>
      )}
      {task.schedule === undefined ? null : (
        <Fact name="Schedule">
          <Link to="/schedules" search={{ name: task.schedule.name }} className="text-accent hover:underline">
            {task.schedule.name}
          </Link>{" "}
          · tick <Ago at={task.schedule.tickAt} />
        </Fact>
      )}
    </>
  );
}
