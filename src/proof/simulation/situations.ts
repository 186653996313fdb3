/** Finds in a finished history which of the situations came up that only show in hindsight. */
import { boundDeaths } from "../checkers/deathsNoticed.ts";
import { quickMsMax, quickTakeovers } from "../checkers/leaderWithinBound.ts";
import type { History, LandedEntry } from "../checkers/ledger.ts";
import { idOf, nameLives } from "../checkers/lives.ts";
import { eventsOf, executions, executionsByTask, forgotten, name, stepsByTask } from "../checkers/reading.ts";
import { noteBroadcasts } from "./broadcastSituations.ts";
import type { Coverage } from "./coverage.ts";
import { noteFamilies } from "./familySituations.ts";
import { noteGraphs } from "./graphSituations.ts";
import { noteJobs } from "./jobSituations.ts";
import { noteRemoteJobs } from "./remoteSituations.ts";
import { noteSchedules } from "./scheduleSituations.ts";
import { noteWebhooks } from "./webhookSituations.ts";
import type { World } from "./world.ts";

export function noteSituations(world: World, judged: History): void {
  const history = nameLives(judged);
  noteTasks(world, history);
  noteReturns(world, history);
  noteDeaths(world, history);
  noteRepeats(world, history);
  noteMasters(world, history);
  noteSchedules(world.coverage, history);
  noteWebhooks(world.coverage, history);
  noteRemoteJobs(world.coverage, judged);
  noteFamilies(world.coverage, judged);
  noteGraphs(world.coverage, judged);
  noteJobs(world.coverage, judged);
  noteBroadcasts(world.coverage, judged);
  if (judged.entries.some(({ writes }) => writes.some(isProcessEnd)))
    world.coverage.saw("the record of an attempt was completed by the end of its process");
  if (judged.entries.some(({ writes }) => writes.some(isRemovalOfBlob)))
    world.coverage.saw("a blob that nothing named any more was removed");
}

function isProcessEnd(write: LandedEntry["writes"][number]): boolean {
  return write.kind === "record" && write.collection === "attempts" && write.value?.processEndedAt !== undefined;
}

function isRemovalOfBlob(write: LandedEntry["writes"][number]): boolean {
  return write.kind === "record" && write.collection === "blobs" && write.value === null;
}

function noteTasks({ coverage }: World, history: History): void {
  for (const [task, steps] of stepsByTask(history)) {
    const executions = executionsByTask(history).get(task) ?? [];
    for (const [index, { status, entry }] of steps.entries()) {
      const before = steps[index - 1]?.status;
      if (before?.state === "retrying" && status.state === "running")
        coverage.saw("a task was retried after a failure");
      if (before?.state === "killed" && status.state === "running")
        coverage.saw("a task ran again after its worker was lost");
      if (status.state === "failed" && status.error?.code !== "kills-used-up")
        coverage.saw("a task failed with its attempts used up");
      if (status.error?.code === "expired") coverage.saw("a task that had not started in time was expired");
      if (status.error?.code === "deadline") coverage.saw("a task passed its deadline");
      if (status.error?.code === "timeout" && before?.state === "running") coverage.saw("a task timed out");
      if (status.state === "cancelled")
        coverage.saw(before?.state === "running" ? "a running task was cancelled" : "a waiting task was cancelled");
      if (status.state === "killed") {
        const execution = executions.find((each) => each.attempt === status.attempt);
        const endedLate = execution?.end === "success" && (execution.endOrder ?? 0) > entry.order;
        if (endedLate) coverage.saw("a completion came after the attempt had been killed");
      }
    }
  }
  noteLimits(coverage, history);
  for (const document of history.final.documents.values()) {
    const started = stepsByTask(history)
      .get(document.id)
      ?.find(({ status }) => status.attempt === 1);
    if (document.startAt !== null && started !== undefined && started.entry.at - document.createdAt > 100) {
      coverage.saw("a task waited for its start time");
    }
  }
}

/** Tasks that could not start because of their keys, and attempts that still counted while they were ending. */
function noteLimits(coverage: World["coverage"], { entries }: History): void {
  for (const { writes } of entries) {
    const assigned = writes.filter((write) => write.kind === "status" && write.status.state === "running");
    for (const write of writes) {
      if (
        write.kind === "record" &&
        write.collection === "dyingHolds" &&
        write.value !== null &&
        write.value.stop === undefined
      )
        coverage.saw("a dying attempt held its concurrency key, or a place in its queue");
      if (write.kind === "status" && write.status.state === "created" && write.status.attempt === 0) {
        const spec = writes.find((each) => each.kind === "spec" && each.spec.id === write.status.id);
        if (spec?.kind === "spec" && spec.spec.concurrencyKey !== undefined && assigned.length > 0)
          coverage.saw("a task waited for its concurrency key");
      }
    }
  }
}

/** How workers came back: in time, too late, or as somebody new. */
function noteReturns({ coverage }: World, history: History): void {
  const lastBoot = new Map<string, string>();
  const lastClosed = new Map<string, string>();
  const states = new Map<string, string>();
  const recordAt = new Map<number, { worker: string; state: string }[]>();
  for (const { order, writes } of history.entries) {
    const records = writes.flatMap((write) =>
      write.kind === "record" && write.collection === "workers" && write.value !== null
        ? [{ worker: write.value.id, state: write.value.state }]
        : [],
    );
    if (records.length > 0) recordAt.set(order, records);
  }
  for (const event of history.events) {
    if (event.kind === "landed")
      for (const { worker, state } of recordAt.get(event.order) ?? []) states.set(worker, state);
    if (event.kind === "stream-closed") lastClosed.set(event.worker, event.boot);
    if (event.kind === "sent-abort" && event.reason === "attach")
      coverage.saw("a worker came back after its attempts had been killed");
    if (event.kind !== "stream-opened") continue;
    const before = lastBoot.get(event.worker);
    if (before === event.boot && lastClosed.get(event.worker) === event.boot)
      coverage.saw("a worker came back within its grace and its attempts went on");
    if (before !== undefined && before !== event.boot && states.get(event.worker) === "connected")
      coverage.saw("a worker came back as a new boot before it was missed");
    lastBoot.set(event.worker, event.boot);
  }
}

function noteDeaths({ coverage }: World, history: History): void {
  if (history.conditions.isNetworkQuick && boundDeaths(history) > 0)
    coverage.saw("a worker died and nothing else could hide that");
  for (const { order, epoch, writes } of history.entries) {
    const reasons = writes.flatMap((write) => (write.kind === "status" ? [write.status.error?.message ?? ""] : []));
    for (const write of writes) {
      if (write.kind !== "record" || write.collection !== "workers" || write.value?.state !== "lost") continue;
      const { id } = write;
      const isRefused = reasons.some((reason) => reason.startsWith(`Worker ${id} `) && reason.includes("refused"));
      const last = eventsOf(history, "stream-opened").findLast((event) => event.worker === id && event.order < order);
      // A session's name begins with the epoch that gave it.
      if (isRefused && last !== undefined && Number(last.session.split(".")[0]) < epoch)
        coverage.saw("a worker that had died with its leader was found dead by the next one");
    }
  }
}

function noteRepeats({ coverage }: World, history: History): void {
  const sent = new Set<string>();
  for (const { task, attempt } of eventsOf(history, "sent-assign")) {
    if (sent.has(name(task, attempt))) coverage.saw("an assignment reached a worker twice");
    sent.add(name(task, attempt));
  }
  const handedBack = new Set(eventsOf(history, "handed-back").map(({ task }) => task));
  for (const { task, end } of executions(history)) {
    if (end === "success" && handedBack.delete(task))
      coverage.saw("a worker's machine could not start a task, which ran elsewhere or later");
  }
  const itemLives = new Map<string, string>();
  for (const { token, number, life, verdict } of eventsOf(history, "item-acked")) {
    coverage.saw(`an item of a running attempt was ${verdict === "stale" ? "answered stale" : "acknowledged"}`);
    const before = itemLives.get(`${token} ${number}`);
    if (before !== undefined && before !== life)
      coverage.saw("an item of a running attempt was sent to more than one master");
    itemLives.set(`${token} ${number}`, life);
  }
  // A result that is settled by another life of the master than the one that was there when it came to be.
  let life = "";
  const lifeAtEnd = new Map<string, string>();
  for (const event of history.events) {
    if (event.kind === "append") life = event.life;
    if (event.kind === "exec-end" && event.end !== "died") lifeAtEnd.set(name(event.task, event.attempt), life);
    if (event.kind !== "sent-verdict" || event.verdict !== "committed") continue;
    const before = lifeAtEnd.get(name(event.task, event.attempt));
    if (before !== undefined && before !== event.life)
      coverage.saw("a result waited in the outbox over a restart of the master");
  }
}

function noteMasters({ coverage }: World, history: History): void {
  if (forgotten(history).size > 0) coverage.saw("finished tasks were forgotten");
  noteIds(coverage, history);
  if (quickTakeovers(history).some(({ waitedMs }) => waitedMs <= quickMsMax(history))) {
    const isVanished = history.conditions.addressesVanish;
    coverage.saw(
      isVanished
        ? "a standby took over soon from a leader whose address had vanished"
        : "a standby took over within a second of the leader's death",
    );
  }
}

/** Ids that a client used again for another task, and what was still there of the earlier one. */
function noteIds(coverage: Coverage, history: History): void {
  for (const [task, steps] of stepsByTask(history)) {
    if (task === idOf(task)) continue;
    coverage.saw("the id of a forgotten task was used again");
    const born = steps[0]?.entry.order ?? 0;
    const isLate = eventsOf(history, "sent-verdict").some(
      (event) => event.order > born && event.task !== task && idOf(event.task) === idOf(task),
    );
    if (isLate) coverage.saw("a worker still had a result of a forgotten task whose id was used again");
    if (steps.some(({ status }) => status.attempt > 0)) coverage.saw("a task whose id had been used before was run");
  }
}
