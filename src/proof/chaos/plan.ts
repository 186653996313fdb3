/** The faults, drawn from the seed before anything starts: which kind, when, on which process, for how long. */
import { defaults } from "../../model/limits.ts";
import { SeededRandom } from "../cluster/random.ts";
import { type Fault, type FaultKind, faultKinds, isLinkFault, type Weights } from "./faults.ts";

export interface FaultPlan {
  readonly seed: number;
  readonly durationMs: number;
  readonly masters: number;
  /** Named `worker-1` … and `client-1` …. */
  readonly workers: number;
  readonly clients: number;
  readonly weights: Weights;
}

/** One fault falls after so long on average: often enough that they meet, seldom enough for work to get done between them. */
const everyMs = 900;
const gapMsMin = 50;
/** The shortest and the longest that a process stands still or a link is in trouble. */
const troubleMsMin = 100;
const troubleMsMax = 60_000;
/** No fault lasts longer than this share of the run: a short run must see many faults. */
const shareMax = 0.1;
/**
 * A leader without its network still has its store here, and so stays the leader: it must not be silent for so long that it gives
 * up all workers, whom nothing ails, not even twice in a row.
 */
const masterUnpluggedMsMax = defaults.lostGraceMs / 3;
const awayMsMax = 5_000;
/** So many of the killed processes are back before anyone can have noticed. */
const bounceShare = 0.35;
const blackoutMsMax = 3_000;
/** Of the faults on processes, so many are aimed at masters, and of those so many at the leader. */
const masterShare = 0.35;
const leaderShare = 0.7;
const latencyMs = { min: 20, max: 800 };
const dripBytes = { min: 200, max: 20_000 };
/** Without its store everything stands still, so that does not last for as long as other troubles. */
const diskShare = 0.5;
/** A process that was started again needs this long before it can be hit again with any effect. */
const restMs = 1_500;

/** Ordered by time. They depend on the plan only, so that a seed gives the same faults again. */
export function planFaults(plan: FaultPlan): Fault[] {
  const storm = new FaultDraw(plan);
  const faults: Fault[] = [];
  for (let atMs = storm.gapMs(); atMs < plan.durationMs; atMs += storm.gapMs()) {
    const fault = storm.draw(faults.length + 1, Math.round(atMs));
    if (fault !== null) faults.push(fault);
  }
  return faults;
}

class FaultDraw {
  readonly #plan: FaultPlan;
  readonly #random: SeededRandom;
  readonly #longestMs: number;
  /** Until when each process, link or disk is in trouble already. */
  readonly #busy = new Map<string, number>();
  /** The same for masters, whose names are not known here. */
  #hurtMasters: number[] = [];

  constructor(plan: FaultPlan) {
    this.#plan = plan;
    this.#random = new SeededRandom(plan.seed ^ 0x5707_b10e);
    this.#longestMs = Math.max(troubleMsMin, Math.min(troubleMsMax, plan.durationMs * shareMax));
  }

  gapMs(): number {
    return gapMsMin - Math.log(1 - this.#random.next()) * (everyMs - gapMsMin);
  }

  /** Null where everything that the kind could hit is in trouble already. */
  draw(number: number, atMs: number): Fault | null {
    const kind = this.#kind();
    if (isLinkFault(kind)) return this.#link(number, atMs, kind);
    switch (kind) {
      case "blackout":
        return this.#blackout(number, atMs);
      case "task":
        return this.#onWorker({ number, atMs, kind, forMs: 0 }, false);
      case "disk":
      case "server":
        return this.#store(number, atMs, kind);
      default:
        return this.#process(number, atMs, kind);
    }
  }

  #kind(): FaultKind {
    const { weights } = this.#plan;
    let draw = this.#random.next() * faultKinds.reduce((sum, kind) => sum + weights[kind], 0);
    for (const kind of faultKinds) {
      draw -= weights[kind];
      if (draw < 0) return kind;
    }
    return faultKinds.findLast((kind) => weights[kind] > 0) ?? "kill";
  }

  #process(number: number, atMs: number, kind: FaultKind): Fault | null {
    const isTrouble = kind === "pause" || kind === "unplug";
    const forMs = isTrouble ? this.#troubleMs(this.#longestMs) : this.#awayMs(kind);
    const fault = { number, atMs, kind, forMs };
    if (!this.#random.chance(masterShare)) return this.#onWorker(fault, true);
    if (kind === "unplug") fault.forMs = Math.min(forMs, masterUnpluggedMsMax);
    const isLeader = this.#plan.masters === 1 || this.#random.chance(leaderShare);
    // One master is left alone, so that there is somebody to take over; with only one there is nobody anyway.
    if (!this.#hurtMaster(atMs, fault.forMs, Math.max(1, this.#plan.masters - 1))) return null;
    return { ...fault, at: isLeader ? "leader" : "standby", to: null, amount: null };
  }

  #onWorker(fault: Pick<Fault, "number" | "atMs" | "kind" | "forMs">, isHurt: boolean): Fault | null {
    const { atMs, forMs } = fault;
    const names = this.#names("worker", this.#plan.workers).filter((name) => !this.#isBusy(name, atMs));
    // Never all of them: some worker must do the work.
    if (names.length === 0 || (isHurt && names.length < 2 && this.#plan.workers > 1)) return null;
    const at = this.#random.pick(names);
    if (isHurt) this.#busy.set(at, atMs + forMs + restMs);
    return { ...fault, at, to: null, amount: null };
  }

  #link(number: number, atMs: number, kind: FaultKind): Fault | null {
    const { workers, clients, masters } = this.#plan;
    const at = this.#random.pick([...this.#names("worker", workers), ...this.#names("client", clients)]);
    const to = masters > 1 && this.#random.chance(0.6) ? this.#random.pick(["leader", "leader", "standby"]) : "masters";
    const forMs = this.#troubleMs(this.#longestMs);
    const amount =
      kind === "slow"
        ? this.#between(latencyMs.min, latencyMs.max)
        : kind === "drip"
          ? this.#between(dripBytes.min, dripBytes.max)
          : null;
    const link = `${at} link`;
    if (this.#isBusy(link, atMs)) return null;
    this.#busy.set(link, atMs + forMs);
    return { number, atMs, kind, at, to, forMs, amount };
  }

  #blackout(number: number, atMs: number): Fault | null {
    const forMs = Math.round(this.#random.next() * Math.min(blackoutMsMax, this.#longestMs));
    if (this.#hurtMasters.some((until) => until > atMs)) return null;
    this.#hurtMasters = Array.from({ length: this.#plan.masters }, () => atMs + forMs + restMs);
    return { number, atMs, kind: "blackout", at: "masters", to: null, forMs, amount: null };
  }

  #store(number: number, atMs: number, kind: "disk" | "server"): Fault | null {
    if (this.#isBusy("store", atMs)) return null;
    const forMs = this.#troubleMs(this.#longestMs * diskShare);
    this.#busy.set("store", atMs + forMs + restMs);
    return { number, atMs, kind, at: "store", to: null, forMs, amount: null };
  }

  #hurtMaster(atMs: number, forMs: number, countMax: number): boolean {
    this.#hurtMasters = this.#hurtMasters.filter((until) => until > atMs);
    if (this.#hurtMasters.length >= countMax) return false;
    this.#hurtMasters.push(atMs + forMs + restMs);
    return true;
  }

  #isBusy(name: string, atMs: number): boolean {
    return (this.#busy.get(name) ?? 0) > atMs;
  }

  #awayMs(kind: FaultKind): number {
    if (kind === "kill" && this.#random.chance(bounceShare)) return 0;
    return this.#between(100, Math.min(awayMsMax, this.#longestMs + 100));
  }

  /** As often between 0.1 and 1 s as between 1 and 10: each length brings its own races. */
  #troubleMs(longestMs: number): number {
    return this.#between(troubleMsMin, Math.max(troubleMsMin, longestMs));
  }

  #between(min: number, max: number): number {
    return Math.round(min * (max / min) ** this.#random.next());
  }

  #names(role: "worker" | "client", count: number): string[] {
    return Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
  }
}
