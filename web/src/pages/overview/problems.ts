/** What is wrong right now, in sentences with what to do about it. */

import { type WorkerId, workerLabel, workerOf } from "../../../../src/model/ids.ts";
import { isSilent } from "../../../../src/model/workerSilence.ts";
import type { Master, MasterStatus, Queue, ScheduleView, Task, Worker } from "../../api/schema.ts";
import { counted } from "../../parts/counted.ts";
import { queuedStates, type TaskFilters } from "../tasks/filters.ts";
import { ofMasterClocks, ofThisClock, ofWorkerClocks } from "./clocks.ts";

export interface Problem {
  readonly tone: "warn" | "bad";
  readonly text: string;
  /** A command, or null where only a look helps. */
  readonly advice: string | null;
  /** Of whom it tells, where there is a page of that. */
  readonly about?: About;
  /** A queue that is to be resumed. */
  readonly paused?: string;
}

export type About = { readonly tasks: TaskFilters } | { readonly worker: string } | { readonly schedule: string };

export interface Seen {
  readonly now: number;
  /** False for somebody bound to queues, who sees only the workers of these. */
  readonly seesAll: boolean;
  readonly status: MasterStatus | undefined;
  /** When that came, by this browser's clock. */
  readonly statusReadAt: number;
  /** Of the leader, where another master answers. */
  readonly leader: MasterStatus | undefined;
  readonly masters: readonly Master[] | undefined;
  readonly newest: readonly Task[] | undefined;
  readonly workers: readonly Worker[] | undefined;
  /** When they came, by this browser's clock. */
  readonly workersReadAt: number;
  readonly queues: readonly Queue[] | undefined;
  readonly schedules: readonly ScheduleView[] | undefined;
  /** Some tasks that wait, the oldest first. */
  readonly waiting: readonly Task[] | undefined;
}

/** What it takes to tell whether a worker is late. */
export type SeenOfHeartbeats = Pick<Seen, "status" | "statusReadAt" | "leader" | "masters" | "workersReadAt">;

/** Commits that take longer slow everything down. */
const slowCommitMs = 500;
/** A tick that is this late was not made by itself. */
const lateTickMs = 10_000;
/** What workers run that have no handlers. */
const builtInKinds = ["sleep", "exec"];

export function problemsOf(seen: Seen): Problem[] {
  const { status, workers, queues, schedules } = seen;
  return [
    ...(status === undefined ? [] : ofMaster(status)),
    ...(workers === undefined ? [] : ofWorkers(workers, seen.seesAll, (worker) => isSilentIn(seen, worker))),
    ...(queues === undefined ? [] : ofQueues(queues, workers)),
    ...ofKinds(seen),
    ...ofClocks(seen),
    ...ofMasters(seen),
    ...(schedules ?? []).filter((schedule) => isLate(schedule, seen.now)).map(({ name }) => late(name)),
  ];
}

function ofMaster({ trouble, leader, stats }: MasterStatus): Problem[] {
  const problems: Problem[] = [];
  if (trouble !== null)
    problems.push({ tone: "bad", text: `Nothing can be committed: ${trouble}`, advice: "outlast doctor" });
  if (leader === null)
    problems.push({
      tone: "bad",
      text: "No master leads at the moment. Running tasks continue.",
      advice: "outlast masters",
    });
  const slow = stats.commitMs.p99;
  if (slow !== null && slow > slowCommitMs) {
    problems.push({
      tone: "warn",
      text: `The store is slow: one commit in a hundred takes ${Math.round(slow)} ms or more.`,
      advice: "outlast doctor",
    });
  }
  return problems;
}

function ofClocks({ status, statusReadAt, leader, newest }: Seen): Problem[] {
  if (status === undefined) return [];
  return [
    ...ofMasterClocks(leader === undefined ? [status] : [leader, status]),
    ...ofThisClock(status, statusReadAt),
    ...ofWorkerClocks(newest ?? []),
  ];
}

/** Masters of one name, and the way on which tokens travel. Of a proxy nobody can tell whether it has TLS, nor how it is reached. */
function ofMasters({ status, masters }: Seen): Problem[] {
  const named = [...Map.groupBy(masters ?? [], ({ name }) => name)].filter(([, namesakes]) => namesakes.length > 1);
  const twice = named.map(([name, namesakes]): Problem => {
    const where = namesakes.map(({ address }) => address).join(", ");
    return { tone: "warn", text: `${namesakes.length} masters have the name ${name}: ${where}.`, advice: null };
  });
  const plain = status?.isBehindProxy === true ? [] : (masters ?? []).filter(({ address }) => isPlain(address));
  return [
    ...twice,
    ...plain.map(({ address }): Problem => {
      const text = `${address} is reached without TLS: whoever listens on that network reads tokens and tasks.`;
      return { tone: "warn", text, advice: "outlast master --tls-cert FILE --tls-key FILE" };
    }),
  ];
}

function isPlain(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  return protocol === "http:" && !/^(localhost|127[.].*|\[::1\])$/.test(hostname);
}

/** Whether it was late when the workers were read, by the clock of the leader. */
export function isSilentIn(
  { status, statusReadAt, leader, masters, workersReadAt }: SeenOfHeartbeats,
  worker: Worker,
): boolean {
  // While no master leads, nobody listens.
  if (status === undefined || status.leader === null) return false;
  const { now } = leader ?? status;
  const leads = status.role === "leader" ? status : masters?.find(({ role }) => role === "leader");
  return isSilent(worker, now + workersReadAt - statusReadAt, leads?.roleSince ?? null);
}

function ofWorkers(
  workers: readonly Worker[],
  seesAll: boolean,
  isSilentWorker: (worker: Worker) => boolean,
): Problem[] {
  const problems: Problem[] = [];
  const present = workers.filter(({ state }) => state === "connected" || state === "suspect");
  if (present.length === 0) {
    const text = seesAll
      ? "No worker is connected, so no task can run."
      : "No connected worker serves your queues, so none of their tasks can run.";
    problems.push({ tone: "bad", text, advice: seesAll ? "outlast worker" : null });
  }
  for (const worker of present) {
    const { id, trouble, hostname, pid } = worker;
    if (isSilentWorker(worker)) {
      problems.push({
        tone: "warn",
        text: `Worker ${id} does not send heartbeats (process ${pid} on ${hostname}).`,
        advice: null,
        about: { worker: id },
      });
    }
    if (trouble !== null) {
      const text = `Worker ${id} takes no tasks at the moment: ${trouble}`;
      problems.push({ tone: "warn", text, advice: null, about: { worker: id } });
    }
  }
  return problems;
}

function ofQueues(queues: readonly Queue[], workers: readonly Worker[] | undefined): Problem[] {
  const areWorkersThere = workers?.some(({ state }) => state === "connected") === true;
  return queues.flatMap((queue): Problem[] => {
    const count = waitingIn(queue);
    if (count === 0) return [];
    const some = `${counted(count, "task waits", "tasks wait")} in the queue ${queue.name}`;
    const about = { tasks: { queue: queue.name, state: queuedStates.join(","), order: "oldest" } } as const;
    if (queue.isPaused)
      return [{ tone: "warn", text: `${some}, which is paused.`, advice: null, about, paused: queue.name }];
    if (queue.workers > 0 || !areWorkersThere) return [];
    return [
      {
        tone: "bad",
        text: `${some}, which no connected worker serves.`,
        advice: `outlast worker --queues ${queue.name}`,
        about,
      },
    ];
  });
}

export function waitingIn({ tasks }: Queue): number {
  return (tasks["created"] ?? 0) + (tasks["killed"] ?? 0) + (tasks["retrying"] ?? 0);
}

/** Kinds of waiting tasks that no connected worker can run. */
function ofKinds({ waiting, workers, queues }: Seen): Problem[] {
  const connected = (workers ?? []).filter(({ state }) => state === "connected");
  if (waiting === undefined || connected.length === 0) return [];
  const stalled = new Set(
    (queues ?? []).filter((queue) => queue.isPaused || queue.workers === 0).map(({ name }) => name),
  );
  const missing = new Map<string, Task>();
  for (const task of waiting) {
    if (stalled.has(task.queue)) continue;
    const isRunnable = connected.some(
      (worker) =>
        worker.queues.includes(task.queue) && canRun(worker, task.kind) && hasLabels(worker, task.requires ?? []),
    );
    const key = [task.queue, task.kind, ...(task.requires ?? [])].join("\n");
    if (!isRunnable && !missing.has(key)) missing.set(key, task);
  }
  return [...missing.values()].map(({ kind, queue, requires = [] }) => {
    const labels =
      requires.length === 0 ? "" : ` with ${requires.length === 1 ? "the label" : "the labels"} ${requires.join(", ")}`;
    return {
      tone: "bad",
      text: `No connected worker of the queue ${queue} runs the kind ${kind}${labels}.`,
      advice: workerFor(kind, requires),
      about: { tasks: { queue, state: queuedStates.join(","), order: "oldest" } },
    };
  });
}

/** The command that starts a worker which can. */
function workerFor(kind: string, requires: readonly string[]): string {
  if (kind === "container") return "outlast worker --container";
  if (kind === "remote") return "outlast worker --remote FILE";
  if (requires.length === 0) return "outlast worker --tasks ./tasks.ts";
  // Each worker carries its name as a label by itself; it cannot be given as one.
  const name = workerOf(requires);
  const labels = requires.filter((label) => workerOf([label]) === null).join(",");
  return `outlast worker${name === null ? "" : ` --name ${name}`}${labels === "" ? "" : ` --labels ${labels}`}`;
}

function canRun({ kinds }: Worker, kind: string): boolean {
  return (kinds ?? builtInKinds).includes(kind);
}

function hasLabels({ id, labels = [] }: Worker, requires: readonly string[]): boolean {
  return requires.every((label) => label === workerLabel(id as WorkerId) || labels.includes(label));
}

function isLate({ isPaused, nextAt, queued }: ScheduleView, now: number): boolean {
  return !isPaused && nextAt !== null && queued.length === 0 && now - nextAt > lateTickMs;
}

function late(name: string): Problem {
  return {
    tone: "warn",
    text: `The schedule ${name} is late: its next tick is over.`,
    advice: null,
    about: { schedule: name },
  };
}
