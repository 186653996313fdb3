/** What every part of a simulated cluster needs: time, network, store, and the addresses of the others. `Cluster` adds the parts. */
import { MemoryBlobs } from "../../blobs/memory/blobs.ts";
import type { BootId, WorkerId } from "../../model/ids.ts";
import { Ledger } from "../checkers/ledger.ts";
import type { Callee, Wire } from "./call.ts";
import type { ClockFault } from "./clock.ts";
import { Coverage } from "./coverage.ts";
import { JobDisk } from "./jobDisk.ts";
import type { Knobs } from "./knobs.ts";
import { Network } from "./network.ts";
import { Random } from "./random.ts";
import { Receiver } from "./receiver.ts";
import { RemoteService } from "./remoteService.ts";
import { ReplicaSet } from "./replicaSet.ts";
import { StoreDisk } from "./storeDisk.ts";
import { PlainEngine, SqliteEngine, type StoreEngine } from "./storeEngine.ts";
import type { StoreWeather } from "./storeParts.ts";
import { Names } from "./submissions.ts";
import { Timeline } from "./timeline.ts";

/** A master, as the other parts know it. */
export interface KnownMaster extends Callee {
  readonly address: string;
}

/** A worker, as the other parts know it. */
export interface KnownWorker {
  readonly machine: string;
  readonly id: WorkerId;
  answersAt(port: number, boot: BootId): "refused" | "connected" | "unknown";
}

export abstract class World {
  readonly knobs: Knobs;
  readonly random: Random;
  readonly timeline = new Timeline();
  readonly ledger = new Ledger(() => this.timeline.now);
  readonly coverage = new Coverage();
  readonly storeWeather: StoreWeather;
  readonly disk: StoreDisk;
  readonly engine: StoreEngine;
  readonly wire: Wire;
  /** Where all masters keep files. */
  readonly files = new MemoryBlobs();
  /** What all workers reach, for MapReduce jobs. */
  readonly jobDisk = new JobDisk(this.ledger, this.coverage);
  /** What runs the jobs of remote tasks. */
  readonly remoteService: RemoteService;
  abstract readonly masters: readonly KnownMaster[];
  abstract readonly workers: readonly KnownWorker[];
  readonly receiver: Receiver;
  readonly names = new Names((id) => this.disk.view.specs.has(id));
  /** How often a standby's memory was found to have drifted, in lives that are over. */
  drifts = 0;
  /** What broke in the machinery itself: errors that nobody is meant to see. Each is a finding. */
  readonly breakages: string[] = [];

  constructor(knobs: Knobs) {
    this.knobs = knobs;
    this.timeline.onBroken = (error) => this.broke("an event", error);
    this.random = new Random(`${knobs.seed}/world`);
    this.storeWeather = { isAway: false, isFull: false, slowness: 1, unknownChance: knobs.unknownChance };
    this.disk = new StoreDisk(this.timeline, this.ledger);
    this.engine = this.#makeEngine();
    const { latencyMsMax, resetChance, duplicateChance, lateChance } = knobs;
    const weather = { latencyMsMax, resetChance, duplicateChance, lateChance };
    const network = new Network(weather, this.timeline, this.random.fork("network"), this.coverage);
    const { timeline, coverage, ledger, random } = this;
    this.receiver = new Receiver({ knobs, random, network, timeline, ledger, coverage });
    const remoteLuck = random.fork("remote service");
    this.remoteService = new RemoteService({ timeline, ledger, random: remoteLuck, wellFromMs: knobs.unsafeMs });
    this.wire = { network, timeline, coverage, callTimeoutMs: knobs.callTimeoutMs };
  }

  get network(): Network {
    return this.wire.network;
  }

  #makeEngine(): StoreEngine {
    const parts = {
      disk: this.disk,
      timeline: this.timeline,
      random: this.random.fork("engine"),
      coverage: this.coverage,
    };
    switch (this.knobs.store) {
      case "plain":
        return new PlainEngine(parts);
      case "mongodb":
        return new ReplicaSet(parts);
      case "sqlite":
        return new SqliteEngine(parts);
      default:
        return this.knobs.store satisfies never;
    }
  }

  masterAt(address: string): KnownMaster | null {
    return this.masters.find((master) => master.address === address) ?? null;
  }

  /** A machine's clock: wrong by some offset, drifting a little. */
  drawClockFault(random: Random, offsetMsMax: number): ClockFault {
    const { clockOffsetMsMax, clockDriftMax } = this.knobs;
    const drift = random.pick([-1, 1]) * random.next() * clockDriftMax;
    return { offsetMs: random.integer(0, Math.min(clockOffsetMsMax, offsetMsMax)), drift };
  }

  broke(where: string, error: unknown): void {
    const text =
      error instanceof Error
        ? `${error.stack ?? error.message}${causeOf(error)}`
        : "something that is no error was thrown";
    this.timeline.trace(`${where} broke: ${error instanceof Error ? error.message : String(error)}`);
    this.breakages.push(`${where}: ${text}`);
  }
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : "";
}
