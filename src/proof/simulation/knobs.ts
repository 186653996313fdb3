/** What a seed draws first: how big the world is, which faults it has and how often, and how far the waits are shrunk. */
import { defaults, failoverProfiles } from "../../model/limits.ts";
import { programKind } from "../checkers/scripts.ts";
import { Random } from "./random.ts";
import type { StoreModel } from "./storeEngine.ts";

/** Everything that is done to the world on purpose; each has a rate of its own, or does not happen at all. */
export const faultKinds = [
  "master-crash",
  "master-pause",
  "master-stop",
  "worker-crash",
  "worker-pause",
  "worker-stop",
  "cut",
  "master-cut",
  "store-cut",
  "split",
  "stream-dead",
  "store-slow",
  "store-away",
  "store-full",
  "store-failover",
  "store-stall",
  "store-io",
  "power-loss",
  "master-clock-jump",
  "worker-clock-jump",
  "drain",
  "workers-roll",
  "network-loss",
  "master-clock-back",
  "worker-clock-back",
  "clock-glitch",
  "tick-trouble",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Faults that no worker may lose an attempt to (I33). */
const sparing: readonly FaultKind[] = [
  "master-crash",
  "master-pause",
  "master-stop",
  "master-cut",
  "store-cut",
  "store-slow",
  "store-away",
  "store-full",
  "store-failover",
  "store-stall",
  "store-io",
  "power-loss",
  "master-clock-jump",
];

/** What only one kind of store can suffer. */
const ofModel: { readonly [Kind in FaultKind]?: readonly StoreModel[] } = {
  "store-cut": ["plain", "mongodb"],
  "store-failover": ["mongodb"],
  "store-stall": ["mongodb"],
  "store-io": ["sqlite"],
  "power-loss": ["sqlite"],
};

/**
 * calm: no fault at all. masters-only: faults of masters and the store, nothing else. wild: any subset of all.
 */
export type Temper = "calm" | "masters-only" | "wild";

export interface Waits {
  readonly heartbeatMs: number;
  readonly suspectMs: number;
  readonly lostGraceMs: number;
  readonly abruptGraceMs: number;
  readonly failoverGraceMs: number;
  readonly timeoutBackstopMs: number;
  readonly killGraceMs: number;
  readonly massLossWindowMs: number;
  readonly directRetryMs: number;
  readonly goneWorkerKeptMs: number;
  readonly startedWaitMs: number;
}

/** How masters are set up: in life these waits are long, here they are short enough to be met. */
export interface MasterKnobs {
  readonly leaseTtlMs: number;
  readonly leaseRenewMs: number;
  readonly leaderIdleMsMax: number;
  readonly standbyJitterMs: number;
  readonly tailPollMs: number;
  readonly journalMs: number;
  readonly retentionMs: number;
  readonly finishedTasksMax: number;
}

export interface Knobs {
  readonly seed: number;
  readonly temper: Temper;
  readonly store: StoreModel;
  readonly masters: number;
  readonly master: MasterKnobs;
  /** True if finished tasks are forgotten within the run. */
  readonly isForgetful: boolean;
  /** Those who follow every change, from one master to the next. */
  readonly followers: number;
  /** Chance that a client asks a standby to pass its request on. */
  readonly relayChance: number;
  readonly workers: number;
  readonly clients: number;
  readonly queues: readonly string[];
  /** Queues are limited now and then, and tasks have concurrency keys and times by which they must start or end. */
  readonly isLimited: boolean;
  /** Kinds of tasks: built-in ones, and handlers that only some workers have. */
  readonly kinds: readonly string[];
  /** Labels that tasks may require; only some workers carry them. */
  readonly labels: readonly string[];
  readonly tasks: number;
  /** How many schedules there may be at a time. */
  readonly schedules: number;
  /** Submissions with unique keys, of which there are few. */
  readonly uniqueActs: number;
  /** How long the worker of a broadcast's child may be away before the child fails. */
  readonly broadcastAwayMs: number;
  /** How often clients cancel, delete or retry all tasks that match a filter. */
  readonly bulks: number;
  /** Tasks that somebody puts straight into the store. */
  readonly foreignTasks: number;
  /** Signals that somebody sends to scripts. */
  readonly signals: number;
  /** How often somebody changes a template, or makes a task from one. */
  readonly templateActs: number;
  /** How often somebody uploads a file, submits a task with one, or ends a lease. With 0 there is no place for files. */
  readonly blobActs: number;
  /** How often somebody submits or cancels a MapReduce job, or a file of one is spoilt. */
  readonly jobActs: number;
  /** How often somebody makes, changes or removes a webhook. With 0 there are none. */
  readonly webhookActs: number;
  /** How often somebody has a service run a job, or cancels a task with one. With 0 no worker knows the service. */
  readonly remoteActs: number;
  readonly taskMsMax: number;
  /** True if something between some masters and workers refuses connections in the workers' name. */
  readonly refusingBetween: boolean;
  /** True if the address of a dead master answers nothing, as that of a container that is gone. */
  readonly addressesVanish: boolean;
  /** How long faults go on. */
  readonly unsafeMs: number;
  readonly waits: Waits;
  readonly callTimeoutMs: number;
  readonly latencyMsMax: number;
  readonly resetChance: number;
  readonly duplicateChance: number;
  readonly lateChance: number;
  readonly unknownChance: number;
  readonly clockOffsetMsMax: number;
  readonly masterClockOffsetMsMax: number;
  readonly clockDriftMax: number;
  /** How long a wall clock that was set forward must stand there before it is followed. */
  readonly clockSettleMs: number;
  /** Mean time between two faults of a kind. */
  readonly faultEveryMs: Map<FaultKind, number>;
}

/** What a world has or lacks: knobs that are 0 or false in many of them. */
export const features = [
  "isForgetful",
  "isLimited",
  "schedules",
  "uniqueActs",
  "bulks",
  "foreignTasks",
  "templateActs",
  "blobActs",
  "jobActs",
  "webhookActs",
  "remoteActs",
] as const satisfies readonly (keyof Knobs)[];
export type Feature = (typeof features)[number];

export function drawKnobs(seed: number): Knobs {
  const random = new Random(`${seed}/knobs`);
  const temper = drawTemper(random);
  const isWild = temper === "wild";
  const masters = random.pick([1, 1, 2, 3, 3, 5]);
  const often = (chance: number, value: () => number): number => (random.chance(chance) ? value() : 0);
  const store = random.pick(["plain", "plain", "mongodb", "mongodb", "sqlite"] as const);
  const isForgetful = random.chance(0.3);
  const knobs = quietAround({
    seed,
    temper,
    store,
    masters,
    master: drawMaster(random, isForgetful),
    isForgetful,
    followers: random.integer(0, 2),
    relayChance: masters > 1 ? random.pick([0, 0.2, 1]) : 0,
    workers: random.chance(0.2) ? random.integer(6, 10) : random.integer(1, 5),
    clients: random.integer(1, 3),
    queues: ["default", "slow", "fast"].slice(0, random.integer(1, 3)),
    isLimited: random.fork("limits").chance(0.3),
    kinds: ["sleep", "exec", programKind, "resize", "index"].slice(0, random.fork("kinds").integer(2, 5)),
    labels: ["gpu", "zone=eu"].slice(0, random.fork("labels").integer(0, 2)),
    tasks: random.spread(4, 100),
    schedules: random.fork("schedules").pick([0, 0, 0, 1, 3]),
    broadcastAwayMs: random.fork("broadcast away").pick([1_000, 4_000, 20_000]),
    bulks: random.fork("bulks").pick([0, 0, 0, 4, 12]),
    foreignTasks: store === "mongodb" ? random.fork("foreign").pick([0, 3, 12, 30]) : 0,
    signals: random.fork("signals").pick([0, 20, 60]),
    uniqueActs: random.fork("unique").pick([0, 0, 12, 40]),
    templateActs: random.fork("templates").pick([0, 0, 10, 40]),
    blobActs: random.fork("blobs").pick([0, 0, 0, 40, 120]),
    jobActs: random.fork("jobs").pick([0, 0, 0, 0, 6, 20]),
    webhookActs: random.fork("webhooks").pick([0, 0, 3, 20]),
    remoteActs: random.fork("remote jobs").pick([0, 0, 0, 0, 15, 60]),
    // In some worlds nearly all tasks are long enough for something to happen to them.
    taskMsMax: Math.max(random.spread(200, 40_000), random.fork("length").pick([0, 20_000, 90_000])),
    refusingBetween: random.fork("between").chance(0.3),
    addressesVanish: random.fork("vanish").chance(0.3),
    unsafeMs: random.chance(0.05) ? random.spread(240_000, 900_000) : random.spread(20_000, 240_000),
    waits: drawWaits(random, temper),
    callTimeoutMs: random.pick([1_000, 3_000, 10_000]),
    // Where no worker may be lost, the network must be quick for the grace that a closed stream has (docs/reliability.md, 2).
    latencyMsMax: random.pick(isWild ? [0, 2, 10, 50, 300] : [0, 2, 10]),
    resetChance: isWild ? often(0.5, () => random.spread(1, 50) / 1000) : 0,
    duplicateChance: temper === "calm" ? 0 : often(0.5, () => random.spread(1, 100) / 1000),
    lateChance: isWild ? often(0.4, () => random.spread(1, 30) / 1000) : 0,
    unknownChance: temper === "calm" ? 0 : often(0.6, () => random.spread(10, 300) / 1000),
    clockOffsetMsMax: random.pick([0, 100, 5_000, 3_600_000]),
    // A due time set by one leader is kept by the next one's clock: masters' clocks are held together from outside (R8).
    masterClockOffsetMsMax: masters === 1 ? 3_600_000 : 1_000,
    clockDriftMax: random.pick([0, 0.0005, 0.0005, 0.02]),
    clockSettleMs: random.fork("settle").pick([2_000, 5_000, 15_000]),
    faultEveryMs: drawFaults(random, temper, store, masters),
  });
  aimAtTicks(knobs, random.fork("ticks"));
  const deaths = random.fork("deaths");
  return deaths.chance(leaderDeathsShare) ? withLeaderDeaths(knobs, deaths) : knobs;
}

/** Where one of the later faults is alone, the network and the store are well: what should follow can then be held to its bounds. */
function quietAround(knobs: Knobs): Knobs {
  const [only] = knobs.faultEveryMs.keys();
  if (knobs.faultEveryMs.size !== 1 || only === undefined || !later.includes(only)) return knobs;
  const latencyMsMax = Math.min(knobs.latencyMsMax, 10);
  const workers = Math.max(7, knobs.workers);
  const taskMsMax = Math.max(20_000, knobs.taskMsMax);
  return {
    ...knobs,
    latencyMsMax,
    workers,
    taskMsMax,
    refusingBetween: false,
    resetChance: 0,
    lateChance: 0,
    unknownChance: 0,
  };
}

/** In so many worlds masters die one after the other and nothing else happens: how soon they are replaced can be told only there. */
const leaderDeathsShare = 0.05;

function withLeaderDeaths(knobs: Knobs, random: Random): Knobs {
  return {
    ...knobs,
    temper: "masters-only",
    masters: random.integer(2, 3),
    addressesVanish: random.chance(0.6),
    unsafeMs: random.spread(120_000, 300_000),
    latencyMsMax: random.pick([0, 2, 10]),
    resetChance: 0,
    duplicateChance: 0,
    lateChance: 0,
    unknownChance: 0,
    faultEveryMs: new Map([["master-crash", random.spread(9_000, 18_000)]]),
  };
}

/** The profiles of leases, and housekeeping that comes round many times in a run. */
function drawMaster(random: Random, isForgetful: boolean): MasterKnobs {
  const { usual, fast } = failoverProfiles;
  return {
    ...random.pick([usual, usual, fast]),
    tailPollMs: defaults.tailPollMs,
    journalMs: random.chance(0.6) ? random.spread(500, 30_000) : defaults.journalMs,
    retentionMs: isForgetful && random.chance(0.5) ? random.spread(1_000, 60_000) : defaults.retentionMs,
    finishedTasksMax: isForgetful ? random.integer(0, 20) : defaults.finishedTasksMax,
  };
}

/** Where there are schedules, masters are struck when a tick is due. */
function aimAtTicks({ schedules, temper, faultEveryMs }: Knobs, random: Random): void {
  const isAlone = faultEveryMs.size === 1 && !random.chance(0.5);
  if (schedules === 0 || temper === "calm" || isAlone || !random.chance(0.6)) return;
  faultEveryMs.set("tick-trouble", random.spread(4_000, 30_000));
}

function drawTemper(random: Random): Temper {
  const share = random.next();
  if (share < 0.08) return "calm";
  return share < 0.35 ? "masters-only" : "wild";
}

/**
 * All waits shrink together, so that their order, which the protocol leans on, stays. Where no worker may be lost, none of them
 * is shorter than the shortest pause that a clock notices: a leader that does not know that it slept must blame its workers.
 */
function drawWaits(random: Random, temper: Temper): Waits {
  const scale = random.pick(temper === "wild" ? [1, 1, 0.5, 0.2] : [1, 1, 0.5]);
  const graceScale = random.pick([1, 1, 3, 0.5]);
  return {
    heartbeatMs: defaults.heartbeatMs * scale,
    suspectMs: defaults.suspectMs * scale,
    lostGraceMs: defaults.lostGraceMs * scale * Math.max(graceScale, 0.5),
    abruptGraceMs: Math.round(defaults.abruptGraceMs * graceScale),
    failoverGraceMs: defaults.failoverGraceMs,
    timeoutBackstopMs: defaults.timeoutBackstopMs * scale,
    killGraceMs: defaults.killGraceMs * scale,
    massLossWindowMs: defaults.massLossWindowMs,
    // Short, so that relayed workers move over in the course of a run.
    directRetryMs: defaults.directRetryMs * scale * 0.2,
    goneWorkerKeptMs: random.fork("gone workers").pick([defaults.goneWorkerKeptMs, 20_000, 2_000]),
    // Shorter than in life, so that more starts are told before their results.
    startedWaitMs: 25,
  };
}

/** Faults that were added later. They draw from streams of their own, so that what a seed did before it still does. */
const later: readonly FaultKind[] = [
  "workers-roll",
  "network-loss",
  "master-clock-back",
  "worker-clock-back",
  "clock-glitch",
];

function drawFaults(random: Random, temper: Temper, store: StoreModel, masters: number): Map<FaultKind, number> {
  const drawn = drawFirstFaults(random, temper, store, masters);
  if (temper === "calm") return drawn;
  for (const kind of later) {
    const own = random.fork(kind);
    // A clock that is set, on whichever machine, loses nobody's work.
    if (temper === "masters-only" && !kind.includes("clock")) continue;
    if (own.chance(0.15)) drawn.set(kind, own.spread(5_000, 60_000));
    // Some worlds have nothing else: what should follow then follows undisturbed.
    if (own.chance(0.04)) return new Map([[kind, own.spread(8_000, 60_000)]]);
  }
  return drawn;
}

function drawFirstFaults(random: Random, temper: Temper, store: StoreModel, masters: number): Map<FaultKind, number> {
  if (temper === "calm") return new Map();
  const possible = (
    temper === "masters-only" ? sparing : faultKinds.filter((kind) => !later.includes(kind) && kind !== "tick-trouble")
  )
    .filter((kind) => ofModel[kind]?.includes(store) ?? true)
    .filter((kind) => masters > 1 || kind !== "master-cut");
  // Some worlds have one trouble only, and far between: what should follow then follows undisturbed.
  if (random.chance(0.2)) {
    const alone = random.chance(0.5) ? possible : (["master-crash", "master-stop"] as const);
    return new Map([[random.pick<FaultKind>(alone), random.spread(12_000, 60_000)]]);
  }
  const chosen = possible.filter(() => random.chance(0.4));
  return new Map(chosen.map((kind) => [kind, random.spread(2_000, 60_000)]));
}

/** One line for the head of a report. */
export function describeKnobs(knobs: Knobs): string {
  const faults = [...knobs.faultEveryMs].map(([kind, everyMs]) => `${kind} every ${Math.round(everyMs / 1000)} s`);
  const chances = (["resetChance", "duplicateChance", "lateChance", "unknownChance"] as const)
    .filter((name) => knobs[name] > 0)
    .map((name) => `${name} ${knobs[name]}`);
  return [
    `${knobs.temper}: ${knobs.store} store, ${knobs.masters} masters, ${knobs.workers} workers, ${knobs.followers} followers, ${knobs.clients} clients, ${knobs.tasks} tasks and ${knobs.schedules} schedules of up to ${knobs.taskMsMax} ms`,
    `${Math.round(knobs.unsafeMs / 1000)} s of faults`,
    `suspect ${knobs.waits.suspectMs} lost ${knobs.waits.lostGraceMs} abrupt ${knobs.waits.abruptGraceMs}`,
    `lease ${knobs.master.leaseTtlMs} journal ${knobs.master.journalMs}${knobs.isForgetful ? ` retention ${knobs.master.retentionMs} or ${knobs.master.finishedTasksMax} tasks` : ""}`,
    `${knobs.addressesVanish ? "addresses of dead masters vanish; " : ""}relays ${knobs.relayChance}; latency up to ${knobs.latencyMsMax} ms; clocks up to ${knobs.clockOffsetMsMax} ms and ${knobs.clockDriftMax} off`,
    ...chances,
    ...faults,
  ].join("; ");
}
