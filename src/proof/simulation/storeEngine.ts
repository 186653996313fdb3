/** What stands between a master's handle and the disk: how an entry becomes permanent, and which state a read gets to see. */
import type { OutgoingEntry } from "../../model/entry.ts";
import { StoreUnavailable } from "../../ports/store.ts";
import type { Coverage } from "./coverage.ts";
import type { Random } from "./random.ts";
import type { StoreDisk } from "./storeDisk.ts";
import type { StoreView } from "./storeView.ts";
import type { Timeline } from "./timeline.ts";

/** plain: what is in is in. mongodb: a replica set. sqlite: a file that all masters have open. */
export type StoreModel = "plain" | "mongodb" | "sqlite";

/** What an append meets on its way. `late`: it goes in long after its sender was told that nobody knows. */
export type AppendFate = "ok" | "request-lost" | "answer-lost" | "late";

export type AppendOutcome = "committed" | "taken" | StoreUnavailable;

export interface StoreEngine {
  readonly model: StoreModel;
  /** What may go wrong with an append where the seed has drawn unknown outcomes. */
  readonly fates: readonly AppendFate[];
  /** True if a write is work of the master's own process: it stands still and dies with it. */
  readonly isInProcess: boolean;
  /** An entry has arrived. `answer` is called once, perhaps much later. */
  append(entry: OutgoingEntry, answer: (outcome: AppendOutcome) => void): void;
  /** What somebody gets to see who has seen everything up to `seenSeq` already. */
  readable(seenSeq: number): StoreView | StoreUnavailable;
  /** True if the lease and other notes can be read and written. */
  readonly isUp: boolean;
  /** Chance that a reader of the lease gets the one before. */
  readonly staleChance: number;
  /** All faults are over. */
  heal(): void;
}

export interface EngineParts {
  readonly disk: StoreDisk;
  readonly timeline: Timeline;
  readonly random: Random;
  readonly coverage: Coverage;
}

/** Any store that does what it is told: the handle's own troubles are all there is. */
export class PlainEngine implements StoreEngine {
  readonly model: StoreModel = "plain";
  readonly fates: readonly AppendFate[] = ["request-lost", "answer-lost", "answer-lost", "late"];
  readonly isInProcess: boolean = false;
  readonly isUp = true;
  readonly staleChance = 0;
  protected readonly parts: EngineParts;

  constructor(parts: EngineParts) {
    this.parts = parts;
  }

  append(entry: OutgoingEntry, answer: (outcome: AppendOutcome) => void): void {
    answer(this.parts.disk.land(entry));
  }

  readable(): StoreView {
    return this.parts.disk.view;
  }

  heal(): void {}
}

/**
 * A SQLite file with `synchronous=FULL`: nothing acknowledged is ever lost, but a commit whose fsync fails may be there or not,
 * and one that is under way when the power goes too.
 */
export class SqliteEngine extends PlainEngine {
  override readonly model = "sqlite";
  override readonly fates: readonly AppendFate[] = ["request-lost"];
  override readonly isInProcess = true;
  /** Chance per append that the disk fails it. */
  ioChance = 0;

  override append(entry: OutgoingEntry, answer: (outcome: AppendOutcome) => void): void {
    const { random, coverage, disk } = this.parts;
    if (!random.chance(this.ioChance)) return super.append(entry, answer);
    if (random.chance(0.5)) disk.land(entry);
    coverage.saw("the disk failed a commit");
    answer(new StoreUnavailable("io", "simulated: the disk fails"));
  }

  override heal(): void {
    this.ioChance = 0;
  }
}
