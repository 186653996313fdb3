/** What a master's handle on the simulated store is made of. */
import type { Ledger } from "../checkers/ledger.ts";
import type { Coverage } from "./coverage.ts";
import type { Network } from "./network.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { StoreDisk } from "./storeDisk.ts";
import type { StoreEngine } from "./storeEngine.ts";
import type { Timeline } from "./timeline.ts";

/** How the store is doing; faults change it, every handle feels it. */
export interface StoreWeather {
  isAway: boolean;
  isFull: boolean;
  /** 1 is healthy; 100 makes a commit of 3 ms take 300. */
  slowness: number;
  /** Chance that an append's answer is lost, whatever became of it. */
  unknownChance: number;
}

export interface StoreParts {
  readonly machine: string;
  readonly disk: StoreDisk;
  readonly engine: StoreEngine;
  readonly weather: StoreWeather;
  readonly network: Network;
  readonly process: Process;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly ledger: Ledger;
  readonly coverage: Coverage;
}
