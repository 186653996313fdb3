/** Why tasks do not run: read from memory for people, and never a ground for a decision. */

import type { TaskId } from "../../model/ids.ts";
import { findKind } from "../../model/kinds/table.ts";
import { limits } from "../../model/limits.ts";
import { coversQueue } from "../../model/principals/principal.ts";
import type { Waiting, WaitingReason } from "../../model/waiting.ts";
import { keyGroup } from "./keyGroups.ts";
import type { LiveTask, TaskLane } from "./liveTask.ts";
import type { LiveWorker } from "./liveWorker.ts";
import type { LiveQueue } from "./queues.ts";
import type { SchedulerState } from "./state.ts";

/** Tasks that hold a key. */
interface Holders {
  readonly running: TaskId[];
  /** Those whose processes are still ending. */
  readonly dying: TaskId[];
}

type Why = Omit<Waiting, "since">;

/** For some tasks at one instant: what is found out about a lane is kept for the next task of it. */
export class WaitingReasons {
  readonly #state: SchedulerState;
  readonly #now: number;
  readonly #isLed: boolean;
  readonly #lanes = new Map<TaskLane, Why>();
  #holders: ReadonlyMap<string, Holders> | null = null;

  /** @param isLed false while no master leads, as far as this one knows */
  constructor(state: SchedulerState, now: number, isLed: boolean) {
    this.#state = state;
    this.#now = now;
    this.#isLed = isLed;
  }

  /** Null for a task that runs, or that has ended. `changedAt` is of its status. */
  of(task: LiveTask, changedAt: number): Waiting | null {
    const why = this.#why(task);
    if (why === null) return null;
    return { ...why, since: sinceWhen(task, why.reason, changedAt) };
  }

  /**
   * How many tasks wait for each reason. What it costs depends on the lanes and on the tasks that run alone only. Empty where this master does not lead.
   * @param patterns of queues: then it counts those in them that could start by themselves or are blocked; what others wait for is only
   *   counted for all queues together
   */
  count(patterns?: readonly string[]): Partial<Record<WaitingReason, number>> {
    const { tasks, lanes, queues, epoch } = this.#state;
    if (epoch === 0) return {};
    const counts: Partial<Record<WaitingReason, number>> = {};
    const add = (reason: WaitingReason, count: number): void => {
      if (count > 0) counts[reason] = (counts[reason] ?? 0) + count;
    };
    let inLine = 0;
    for (const task of lanes.suspects) {
      if (!coversQueue(patterns, task.queue.name)) continue;
      inLine += 1;
      add(this.#readyReason(task), 1);
    }
    for (const lane of lanes) {
      if (!coversQueue(patterns, lane.queue.name)) continue;
      const { key, uniqueKey } = lanes.waitingForKeys(lane);
      const ready = lane.ready.size;
      inLine += ready + key + uniqueKey;
      if (ready + key > 0) {
        const { reason } = this.#lane(lane);
        add(reason, ready);
        add(reason === "next-in-line" ? "key" : reason, key);
      }
      add("unique-key", uniqueKey);
    }
    let waiting = 0;
    for (const { name, counts: states } of queues) {
      if (!coversQueue(patterns, name)) continue;
      add("blocked", states.blocked ?? 0);
      for (const state of ["created", "retrying", "killed", "waiting"] as const) waiting += states[state] ?? 0;
    }
    if (patterns !== undefined) return counts;
    const { start, backOff, awaited } = tasks.countWaits();
    add("due-later", start);
    add("back-off", backOff);
    for (const [reason, count] of awaited) add(reason, count);
    // The rest has not been let into its lane by its set.
    add("siblings", waiting - start - backOff - inLine - [...awaited.values()].reduce((sum, count) => sum + count, 0));
    return counts;
  }

  /** Why tasks of a lane do not start that could by themselves. */
  ofLane(lane: TaskLane): Pick<Waiting, "reason" | "detail" | "advice"> {
    return this.#lane(lane);
  }

  #why(task: LiveTask): Why | null {
    switch (task.state) {
      case "created":
        return this.#startTime(task) ?? this.#siblings(task) ?? this.#ready(task);
      case "blocked":
        return this.#blocked(task);
      case "waiting":
        return whatItAwaits(task) ?? this.#ready(task);
      case "retrying":
      case "killed":
        return this.#backOff(task) ?? this.#ready(task);
      case "running":
      case "success":
      case "failed":
      case "cancelled":
      case "skipped":
        return null;
      default:
        return task.state satisfies never;
    }
  }

  #blocked({ links }: LiveTask): Why {
    const open = (links?.after ?? []).filter((id) => this.#state.tasks.get(id) !== undefined);
    const named = open.slice(0, limits.problemsShownMax).join(", ");
    const rest = open.length > limits.problemsShownMax ? ` and ${open.length - limits.problemsShownMax} more` : "";
    return { reason: "blocked", detail: `waits for ${named === "" ? "other tasks" : named + rest}` };
  }

  #startTime({ startAt }: LiveTask): Why | null {
    if (startAt === null || startAt <= this.#now - this.#state.tasks.clockLagMs) return null;
    return { reason: "due-later", detail: "waits for its start time", until: startAt };
  }

  /** Only a leader knows how many of a set it has let into their lanes. */
  #siblings({ parent, heapIndex }: LiveTask): Why | null {
    if (parent?.isHeld === true) return { reason: "siblings", detail: "waits until all nodes of its graph are there" };
    const activeMax = parent?.options.concurrencyMax ?? null;
    if (activeMax === null || heapIndex !== -1 || this.#state.epoch === 0) return null;
    const few = activeMax === 1 ? "no other child of its set runs" : `fewer than ${activeMax} children of its set run`;
    return { reason: "siblings", detail: `waits until ${few}` };
  }

  #backOff({ last, state, losses }: LiveTask): Why | null {
    const retryAt = last?.retryAt;
    if (retryAt === undefined || retryAt <= this.#now) return null;
    const after = state === "retrying" ? "a failure" : `${losses} losses of its worker in a row`;
    return { reason: "back-off", detail: `waits for its retry after ${after}`, until: retryAt };
  }

  /** It could start now, as far as itself goes. */
  #ready(task: LiveTask): Why {
    const { lane, losses, key, keyUse, uniqueUse, uniqueKey } = task;
    const reason = this.#readyReason(task);
    if (reason === "unique-key" && uniqueUse !== null) {
      const { running, dying } = this.#holdersOf("unique", uniqueUse.group);
      const what = `waits until what ran before with the unique key ${JSON.stringify(uniqueKey)} has ended`;
      return heldBy("unique-key", what, { running: [...running, ...dying], dying: [] });
    }
    if (reason === "key" && keyUse !== null) {
      const what = `only ${tasksText(keyUse.max)} with the key ${JSON.stringify(key)} may run at a time`;
      return heldBy("key", what, this.#holdersOf("key", keyUse.group));
    }
    if (reason !== "isolation") return this.#lane(lane);
    return { reason, detail: `waits for a worker that runs nothing else, after ${losses} losses in a row` };
  }

  /** The reason for which it is counted, and that it says itself. */
  #readyReason(task: LiveTask): WaitingReason {
    const { lane, keyUse, uniqueUse, isSetApart, isSuspect } = task;
    const { lanes, epoch } = this.#state;
    const { reason } = this.#lane(lane);
    if (uniqueUse !== null && this.#isLed && lanes.heldUnique(uniqueUse.group) > 0) return "unique-key";
    // Where its queue and the workers leave room, it may be its key that has none.
    if (reason === "next-in-line" && keyUse !== null && lanes.heldKeys(keyUse.group) >= keyUse.max) return "key";
    // Only a leader knows which of the suspect ones wait for a worker of their own; the others run as any task does.
    const isAlone = epoch === 0 ? isSuspect : isSetApart;
    return isAlone && (reason === "next-in-line" || reason === "workers-busy") ? "isolation" : reason;
  }

  /** Tasks that hold a key: those that run, as far as a leader knows, and those whose processes are still ending. */
  #holdersOf(kind: "key" | "unique", group: string): Holders {
    this.#holders ??= findHolders(this.#state);
    return this.#holders.get(`${kind} ${group}`) ?? { running: [], dying: [] };
  }

  #lane(lane: TaskLane): Why {
    const known = this.#lanes.get(lane);
    if (known !== undefined) return known;
    const why = this.#findLaneReason(lane);
    this.#lanes.set(lane, why);
    return why;
  }

  #findLaneReason(lane: TaskLane): Why {
    if (!this.#isLed) return { reason: "no-leader", detail: "waits for a leader: no master leads at the moment" };
    const { queue, kind, requires } = lane;
    const { name } = queue;
    if (queue.isPaused)
      return { reason: "queue-paused", detail: `queue ${name} is paused`, advice: `outlast queues resume ${name}` };
    if (
      (lane.needsNoWorker && !lane.isBroadcast) ||
      (this.#state.lanes.hasFreeWorker(lane) && queue.hasRoom && !this.#isRateUsedUp(queue))
    )
      return { reason: "next-in-line", detail: "is the next to start" };
    const serving = [...this.#state.workers].filter(({ offer, isGivenUp }) => !isGivenUp && offer.queues.has(name));
    if (serving.length === 0)
      return {
        reason: "no-worker",
        detail: `no connected worker serves queue ${name}`,
        advice: `outlast worker --queues ${name}`,
      };
    const ofKind = serving.filter(({ offer }) => offer.kinds.has(kind));
    if (ofKind.length === 0) {
      const advice = findKind(kind)?.workerCommand;
      const detail = `no connected worker of queue ${name} runs kind "${kind}"`;
      return { reason: "no-able-worker", detail, ...(advice !== undefined && { advice }) };
    }
    const able = ofKind.filter(({ offer }) => offer.couldRun(lane));
    if (able.length === 0) {
      const labels = `${requires.length === 1 ? "the label" : "the labels"} ${requires.join(", ")}`;
      const detail = `no connected worker of queue ${name} that runs kind "${kind}" has ${labels}`;
      return { reason: "no-able-worker", detail };
    }
    if (lane.isBroadcast) return { reason: "next-in-line", detail: "is the next to start" };
    // A master that follows does not know who is connected and who is busy.
    if (this.#state.epoch === 0)
      return this.#limited(queue) ?? { reason: "next-in-line", detail: "waits for a free worker" };
    return whoIsAway(name, able) ?? this.#limited(queue) ?? whoIsBusy(name, able);
  }

  /** What the limits of its queue say; null if they leave room. */
  #limited(queue: LiveQueue): Why | null {
    const { name, concurrencyMax, rate, starts, counts, dying } = queue;
    if (concurrencyMax !== null && !queue.hasRoom) {
      const running = counts.running ?? 0;
      const ending = dying === 0 ? "" : ` and ${dying} are ending`;
      return {
        reason: "queue-full",
        detail: `queue ${name} runs ${tasksText(concurrencyMax)} at a time, and ${running} ${running === 1 ? "runs" : "run"}${ending}`,
      };
    }
    if (rate === null || !this.#isRateUsedUp(queue)) return null;
    const first = starts.find(([at]) => at > this.#now - rate.perMs);
    const detail = `queue ${name} starts at most ${tasksText(rate.count)} in ${rate.perMs / 1000} s`;
    return { reason: "queue-rate", detail, ...(first !== undefined && { until: first[0] + rate.perMs }) };
  }

  /** A master that follows keeps starts that no longer count. */
  #isRateUsedUp({ rate, starts }: LiveQueue): boolean {
    if (rate === null) return false;
    const counted = starts.filter(([at]) => at > this.#now - rate.perMs);
    return counted.reduce((sum, [, count]) => sum + count, 0) >= rate.count;
  }
}

function findHolders({ workers, holds }: SchedulerState): ReadonlyMap<string, Holders> {
  const found = new Map<string, Holders>();
  const note = (key: string, as: keyof Holders, id: TaskId): void => {
    const holders = found.get(key) ?? { running: [], dying: [] };
    holders[as].push(id);
    found.set(key, holders);
  };
  for (const { tasks } of workers) {
    for (const { id, keyUse, uniqueUse } of tasks.values()) {
      if (keyUse !== null) note(`key ${keyUse.group}`, "running", id);
      if (uniqueUse !== null) note(`unique ${uniqueUse.group}`, "running", id);
    }
  }
  for (const { task, queue, key, uniqueKey } of holds) {
    if (key !== undefined) note(`key ${keyGroup(queue, key)}`, "dying", task);
    if (uniqueKey !== undefined) note(`unique ${keyGroup(queue, uniqueKey)}`, "dying", task);
  }
  return found;
}

/** `1 task`, `3 tasks`. */
function tasksText(count: number): string {
  return `${count} ${count === 1 ? "task" : "tasks"}`;
}

/** `what: a, b, which is ending and 3 more`. */
function heldBy(reason: "key" | "unique-key", what: string, { running, dying }: Holders): Why {
  const holders = [...running, ...dying].slice(0, limits.problemsShownMax);
  if (holders.length === 0) return { reason, detail: what };
  const names = holders.map((id, index) => (index < running.length ? id : `${id}, which is ending`));
  const more = running.length + dying.length - holders.length;
  return { reason, detail: `${what}: ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`, holders };
}

function whoIsAway(queue: string, able: readonly LiveWorker[]): Why | null {
  if (able.some(({ isEligible }) => isEligible)) return null;
  return { reason: "workers-away", detail: `no worker of queue ${queue} takes new tasks: ${awayText(able)}` };
}

function whoIsBusy(queue: string, able: readonly LiveWorker[]): Why {
  const takers = able.filter(({ isEligible }) => isEligible);
  const away = awayText(able);
  const slots = takers.reduce((sum, { record }) => sum + record.capacity, 0);
  const rest = away === "" ? "" : `, ${away}`;
  const detail = `all workers of queue ${queue} are busy (${slots} of ${slots} slots)${rest}`;
  return { reason: "workers-busy", detail };
}

function awayText(workers: readonly LiveWorker[]): string {
  const away = workers.filter(({ isEligible }) => !isEligible);
  const draining = away.filter(({ record }) => record.isDraining).length;
  const troubled = away.filter(({ record, trouble }) => !record.isDraining && trouble !== null).length;
  const parts = [
    [draining, "draining"],
    [troubled, "in trouble"],
    [away.length - draining - troubled, "silent"],
  ] as const;
  return parts.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`])).join(", ");
}

/** What a suspended task waits for; null if nothing of that keeps it from running. */
function whatItAwaits({ family, isGraph, isBroadcast }: LiveTask): Why | null {
  if (family === null || family.isWoken) return null;
  if (isGraph && family.ending === null)
    return { reason: "children", detail: isBroadcast ? "waits for its workers" : "waits for its nodes" };
  if (family.ending !== null)
    return {
      reason: "descendants",
      detail: `waits for its descendants to end; it then ends as ${family.ending.state}`,
    };
  const [first] = family.waits;
  if (first === undefined) return null;
  const texts = family.waits.slice(0, limits.problemsShownMax).map((wait) => {
    if (wait.kind === "children") return `the children of ${JSON.stringify(wait.key)}`;
    return wait.kind === "sleep" ? "the end of its sleep" : `the signal ${JSON.stringify(wait.name)}`;
  });
  const rest = family.waits.length - texts.length;
  const detail = `waits for ${texts.join(" or ")}${rest > 0 ? ` or ${rest} more` : ""}`;
  const until = family.wakeAt;
  return { reason: first.kind, detail, ...(until !== null && { until }) };
}

function sinceWhen({ attempt, last, orderAt, createdAt }: LiveTask, reason: WaitingReason, changedAt: number): number {
  if (reason === "due-later" || reason === "siblings") return createdAt;
  if (attempt === 0) return orderAt;
  return reason === "back-off" ? changedAt : Math.max(changedAt, last?.retryAt ?? 0);
}
