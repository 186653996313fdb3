/** Nothing but SIGKILL, as fast as the cluster recovers: each new leader once it has assigned work, and workers beside that. */

import { defaults } from "../../model/limits.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { SeededRandom } from "../cluster/random.ts";
import type { Fault } from "./faults.ts";
import type { LeaderWatch } from "./leaderWatch.ts";
import type { StartWatch } from "./startWatch.ts";
import type { Striker } from "./striker.ts";

export interface HuntParts {
  readonly seed: number;
  readonly masters: readonly string[];
  readonly workers: readonly string[];
  readonly cluster: Cluster;
  readonly leaders: LeaderWatch;
  readonly starts: StartWatch;
  readonly striker: Striker;
}

const lookMs = 25;
/** A leader lives at most this long after its first assignment, so that kills happen at every point of a term. */
const extraTermMsMax = 400;
/** Just under the rate at which so many vanished workers would be taken for a trouble of the network, and be waited for. */
const massLossMargin = 1.1;

export class Hunt {
  readonly #parts: HuntParts;
  readonly #random: SeededRandom;
  #faults = 0;
  readonly #startedAt = Date.now();

  constructor(parts: HuntParts) {
    this.#parts = parts;
    this.#random = new SeededRandom(parts.seed ^ 0x1_6e7);
  }

  /** Goes on until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#huntLeaders(signal), this.#huntWorkers(signal)]);
  }

  async #huntLeaders(signal: AbortSignal): Promise<void> {
    const { leaders, starts, masters } = this.#parts;
    let epochBefore = 0;
    while (!signal.aborted) {
      const leader = leaders.leader;
      if (leader === null || leader.epoch <= epochBefore) {
        await pause(lookMs);
        continue;
      }
      const seenAt = Date.now();
      const mayDie = () => starts.lastAt > seenAt && (masters.length === 1 || this.#hasHeir(leader.master));
      while (!mayDie() && !signal.aborted && leaders.leader?.epoch === leader.epoch) await pause(lookMs);
      await pause(this.#random.next() * extraTermMsMax);
      // It may have been overtaken meanwhile.
      if (signal.aborted || leaders.leader?.epoch !== leader.epoch) continue;
      epochBefore = leader.epoch;
      this.#kill("leader");
    }
  }

  async #huntWorkers(signal: AbortSignal): Promise<void> {
    const { workers, cluster, striker } = this.#parts;
    const perSecond = Math.max(defaults.massLossMin - 1, Math.floor(workers.length * defaults.massLossShare));
    const gapMs = (defaults.massLossWindowMs / perSecond) * massLossMargin;
    while (!signal.aborted) {
      await pause(gapMs);
      const ready = workers.filter((name) => !striker.isHurt(name) && cluster.isReady(name));
      // Somebody must be there to take what the killed one ran.
      if (!signal.aborted && ready.length > 1) this.#kill(this.#random.pick(ready));
    }
  }

  /** True if a standby is there to take over. */
  #hasHeir(leader: string): boolean {
    const { masters, leaders, cluster } = this.#parts;
    return masters.some((name) => name !== leader && cluster.isReady(name) && leaders.role(name) === "standby");
  }

  #kill(at: string): void {
    const fault: Fault = {
      number: ++this.#faults,
      atMs: Date.now() - this.#startedAt,
      kind: "kill",
      at,
      to: null,
      forMs: 0,
      amount: null,
    };
    this.#parts.striker.begin(fault);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
