/** Runs one seed: faults for a while, then none, then the question whether everything came to rest and was right. */
import { clockRatioMax, defaults, limits } from "../../model/limits.ts";
import { checkAll } from "../checkers/all.ts";
import type { Violation } from "../checkers/checker.ts";
import type { History } from "../checkers/ledger.ts";
import { type Changes, changeKnobs } from "./changes.ts";
import { Cluster } from "./cluster.ts";
import type { Situation } from "./coverage.ts";
import { Faults } from "./faults.ts";
import { sealWorld } from "./forbidden.ts";
import { takeHistory } from "./history.ts";
import { drawKnobs, type FaultKind, type Knobs } from "./knobs.ts";
import { LeaderWatch } from "./leaderWatch.ts";
import { noteSituations } from "./situations.ts";
import { actAtTick } from "./tickTrouble.ts";
import type { TraceListener } from "./timeline.ts";

export interface SeedResult {
  readonly seed: number;
  readonly knobs: Knobs;
  readonly violations: readonly Violation[];
  readonly traceHash: number;
  readonly simulatedMs: number;
  readonly events: number;
  readonly faults: ReadonlyMap<FaultKind, number>;
  readonly coverage: ReadonlyMap<Situation, number>;
  readonly history: History;
}

/** The world is at rest once nothing has happened for this long. */
const quietMs = 3_000;
/** Something always happens, and nothing comes to its end. */
const livenessMsMax = 4 * 3_600_000;
/** A world in which so much happens goes round in circles: in most it is a hundredth of that. */
const eventsMax = 1_000_000;
const tasksMax = 3_000;

export interface SimulateOptions {
  /** Told of every line of the trace. */
  readonly listener?: TraceListener;
  readonly changes?: Changes;
  /** False for a run of which only the trace matters: its violations are not looked for, nor its situations. */
  readonly isChecked?: boolean;
}

export async function simulate(
  seed: number,
  { listener, changes = {}, isChecked = true }: SimulateOptions = {},
): Promise<SeedResult> {
  const knobs = changeKnobs(drawKnobs(seed), changes);
  const world = new Cluster(knobs);
  if (listener !== undefined) world.timeline.onTrace(listener);
  const onRejection = (error: unknown): void => world.broke("an unhandled rejection", error);
  process.on("unhandledRejection", onRejection);
  const unseal = sealWorld();
  try {
    return await live(world, isChecked);
  } finally {
    unseal();
    process.off("unhandledRejection", onRejection);
  }
}

async function live(world: Cluster, isChecked: boolean): Promise<SeedResult> {
  const { knobs, timeline } = world;
  for (const master of world.masters) master.start();
  for (const worker of world.workers) {
    timeline.after(world.random.spread(1, 2000) - 1, () => worker.start());
  }
  for (const follower of world.followers) {
    follower.start();
    follower.move();
  }
  new LeaderWatch(world).start();
  const faults = new Faults(world);
  faults.begin();
  planClients(world);
  planSchedules(world);
  planBulks(world);
  planVisitors(world);
  const hasBroken = (): boolean => {
    if (world.breakages.length === 0 && isEndless(world))
      world.broke("the world", new Error("It does more and more, and does not come to rest."));
    return world.breakages.length > 0;
  };
  await timeline.run(knobs.unsafeMs, hasBroken);
  faults.heal();
  await settle(world, hasBroken);
  const history = await takeHistory(world);
  const violations = isChecked ? judge(world, history) : [];
  return {
    seed: knobs.seed,
    knobs,
    violations,
    traceHash: timeline.traceHash,
    simulatedMs: timeline.now,
    events: timeline.eventsDone,
    faults: faults.counts,
    coverage: world.coverage.counts,
    history,
  };
}

function judge(world: Cluster, history: History): readonly Violation[] {
  noteSituations(world, history);
  // Where the machinery broke, the run ended there, and nothing came to its end.
  return world.breakages.length > 0 ? world.breakages.map(toViolation) : checkAll(history);
}

/** Spreads what the clients do over the unsafe time, a little more of it early. */
function planClients(world: Cluster): void {
  const { knobs, timeline, clients } = world;
  const random = world.random.fork("clients");
  let tasksLeft = knobs.tasks;
  const acts = Math.round(knobs.tasks * 2.5) + 10;
  for (let count = 0; count < acts; count++) {
    const atMs = random.next() ** 1.2 * knobs.unsafeMs * 0.95;
    timeline.after(atMs, () => {
      tasksLeft -= random.pick(clients).act(tasksLeft);
    });
  }
}

/** How often at most somebody acts on a schedule just when its tick is due. */
const aimedActsMax = 20;

function planSchedules(world: Cluster): void {
  const { knobs, timeline, clients } = world;
  if (knobs.schedules === 0) return;
  const random = world.random.fork("schedules");
  const acts = Math.round(knobs.schedules * 4 + knobs.unsafeMs / 8_000);
  for (let count = 0; count < acts; count++) {
    // Some at once, so that there are schedules for most of the time.
    const atMs = count < knobs.schedules * 2 ? random.integer(500, 5_000) : random.next() * knobs.unsafeMs;
    timeline.after(atMs, () => random.pick(clients).actOnSchedules());
  }
  const aimed = world.random.fork("acts at ticks");
  if (!aimed.chance(0.5)) return;
  const aimedActs = Math.min(aimedActsMax, Math.round(knobs.unsafeMs / 10_000));
  for (let count = 0; count < aimedActs; count++)
    timeline.after(aimed.next() * knobs.unsafeMs * 0.9, () => actAtTick(world, aimed));
}

function planBulks({ knobs, timeline, random, clients }: Cluster): void {
  const own = random.fork("bulks");
  for (let count = 0; count < knobs.bulks; count++) {
    timeline.after(
      own.next() * knobs.unsafeMs,
      () =>
        void own
          .pick(clients)
          .actOnMany()
          .catch(() => {}),
    );
  }
}

/** Those who do one thing only, a number of times. */
function planVisitors({ knobs, timeline, random, ...visitors }: Cluster): void {
  const { outsider, signaller, templateUser, uniqueUser, blobUser, jobUser, webhookUser, remoteUser } = visitors;
  const plan = (name: string, times: number, act: () => void): void => {
    const when = random.fork(name);
    for (let count = 0; count < times; count++) timeline.after(when.next() * knobs.unsafeMs * 0.95, act);
  };
  plan("outsider", knobs.foreignTasks, () => outsider.insertTask());
  plan("signaller", knobs.signals, () => signaller.act());
  plan("template user", knobs.templateActs, () => templateUser.act());
  plan("unique user", knobs.uniqueActs, () => uniqueUser.act());
  plan("blob user", knobs.blobActs, () => blobUser.act());
  plan("job user", knobs.jobActs, () => jobUser.act());
  if (knobs.webhookActs > 0) timeline.after(0, () => webhookUser.begin());
  plan("webhook user", knobs.webhookActs, () => webhookUser.act());
  plan("remote user", knobs.remoteActs, () => remoteUser.act());
}

function isEndless({ timeline, disk }: Cluster): boolean {
  return timeline.eventsDone > eventsMax || disk.view.specs.size > tasksMax;
}

/** After the last fault: all that was begun must end, and nothing may stand still for longer than the longest wait. */
async function settle(world: Cluster, hasBroken: () => boolean): Promise<void> {
  const { timeline } = world;
  const random = world.random.fork("settle");
  const openQueues = (): void => {
    world.clients[0]?.openQueues().catch((error: unknown) => world.broke("opening the queues", error));
  };
  openQueues();
  // They go on for a while with nothing wrong. A late message may still put one again, so this is repeated.
  const endSchedules = (): void => {
    if (!haveEnded(world))
      world.clients[0]?.endSchedules().catch((error: unknown) => world.broke("ending the schedules", error));
    timeline.after(5_000, endSchedules);
  };
  if (world.knobs.schedules > 0) timeline.after(20_000, endSchedules);
  // Whoever was drained by an operator is started anew: its boot would never be given work again. A late message may
  // still drain a worker or pause a queue, so this is repeated.
  const restart = (): void => {
    for (const worker of world.workers) {
      const record = world.disk.view.records("workers").get(worker.id);
      if (record?.isDraining === true && worker.process !== null && worker.runningCount === 0) {
        worker.crash();
        worker.start();
      }
    }
    if ([...world.disk.view.records("queues").values()].some((queue) => queue.isPaused)) openQueues();
    timeline.after(5_000 + random.integer(0, 100), restart);
  };
  timeline.after(5_000, restart);
  await rest(world, hasBroken);
  // What is still on its way may come at any time, or never. Never, from here on; but what has just come has to end as well.
  world.network.dropLate();
  await rest(world, hasBroken);
}

async function rest(world: Cluster, hasBroken: () => boolean): Promise<void> {
  const { timeline } = world;
  const watch = new RestWatch(world);
  const giveUpAt = timeline.now + livenessMsMax;
  let isMoving = true;
  while (isMoving && timeline.now < giveUpAt) {
    const statusesBefore = world.disk.view.statusCount;
    await timeline.run(timeline.now + stallMs(world), () => hasBroken() || watch.isReached());
    isMoving = world.disk.view.statusCount > statusesBefore && !hasBroken() && !watch.isReached();
  }
}

/** Watches for the moment at which nothing has been left to do for a while. */
class RestWatch {
  readonly #world: Cluster;
  #since: number | null = null;

  constructor(world: Cluster) {
    this.#world = world;
  }

  isReached(): boolean {
    const { timeline, knobs } = this.#world;
    if (!isAtRest(this.#world)) {
      this.#since = null;
      return false;
    }
    this.#since ??= timeline.now;
    return timeline.now - this.#since >= Math.max(quietMs, 3 * knobs.waits.heartbeatMs);
  }
}

function isAtRest(world: Cluster): boolean {
  if (world.clients.some((client) => client.isBusy) || world.outsider.isBusy) return false;
  const { signaller, templateUser, blobUser, jobUser, webhookUser, remoteUser } = world;
  if ([signaller, templateUser, blobUser, jobUser, webhookUser, remoteUser].some(({ isBusy }) => isBusy)) return false;
  if (!areMastersSettled(world)) return false;
  if (world.disk.view.unfinishedCount > 0 || !haveEnded(world)) return false;
  if (world.disk.view.records("deliveries").size > 0) return false;
  return world.workers.every(
    ({ process, disk, runningCount, hasOutput }) =>
      process !== null && disk.results.size === 0 && runningCount === 0 && !hasOutput,
  );
}

/** No schedule is left that has yet to make tasks. */
function haveEnded({ disk }: Cluster): boolean {
  return [...disk.view.records("schedules").values()].every(({ isRemoved }) => isRemoved === true);
}

/** One leads, and all others are warm. */
function areMastersSettled({ masters, disk }: Cluster): boolean {
  let leaders = 0;
  for (const { running } of masters) {
    if (running?.isOpen !== true) return false;
    const { role, seq } = running.face.status();
    if (role === "leader") leaders += 1;
    else if (role !== "standby" || seq !== disk.seq) return false;
  }
  return leaders === 1;
}

/** With all faults over, no task may stay as it is for longer than this: the longest wait of each kind, one after the other. */
function stallMs({ knobs }: Cluster): number {
  const { lostGraceMs, failoverGraceMs, timeoutBackstopMs } = knobs.waits;
  // A job that is hard to stop keeps its worker for so long.
  const stopMs = knobs.remoteActs > 0 ? limits.runStopMsMax + 2 * defaults.remoteCallTimeoutMs : 0;
  return (
    60_000 + stopMs + knobs.taskMsMax * 1.1 * clockRatioMax + 3 * lostGraceMs + 2 * failoverGraceMs + timeoutBackstopMs
  );
}

function toViolation(breakage: string): Violation {
  return { invariant: "none", message: `something threw that must not: ${breakage}`, subjects: [] };
}
