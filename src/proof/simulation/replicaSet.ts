/**
 * MongoDB's truth, as far as a journal of single inserts can meet it: an insert is on the primary before it is on a majority, a
 * duplicate key may be that of an entry which is rolled back later, a new primary may or may not have what the old one had not
 * spread yet, and secondaries answer from the past. Reads are majority reads in a causal session: never of what can be rolled
 * back, never behind what the same master has seen.
 */
import type { OutgoingEntry } from "../../model/entry.ts";
import { StoreUnavailable } from "../../ports/store.ts";
import type { LandedEntry } from "../checkers/ledger.ts";
import type { AppendFate, AppendOutcome, EngineParts, StoreEngine } from "./storeEngine.ts";
import { StoreView } from "./storeView.ts";
import type { Planned } from "./timeline.ts";

/** On the primary, not on a majority. */
interface LocalEntry {
  readonly entry: OutgoingEntry;
  /** Who waits for the majority; null once they have been told that nobody knows. */
  answer: ((outcome: AppendOutcome) => void) | null;
  readonly alarm: Planned;
  /** Somebody was refused because of it. */
  hasRefused: boolean;
}

const lagMsMax = 2_000;

export class ReplicaSet implements StoreEngine {
  readonly model = "mongodb";
  readonly fates: readonly AppendFate[] = ["request-lost", "answer-lost", "answer-lost", "late"];
  readonly isInProcess = false;
  readonly staleChance = 0.1;
  readonly #parts: EngineParts;
  #local: LocalEntry[] = [];
  /** Entries that a new primary has inherited: it spreads them as soon as it is there. */
  #inherited: LocalEntry[] = [];
  #hasPrimary = true;
  /** The secondaries do not hear of the primary's writes. */
  #isStalled = false;
  /** What a secondary has of what is on a majority. */
  readonly #secondary = new StoreView();
  #secondaryAt = 0;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    parts.disk.onLanded.push((entry) => this.#follow(entry));
  }

  get isUp(): boolean {
    return this.#hasPrimary;
  }

  append(entry: OutgoingEntry, answer: (outcome: AppendOutcome) => void): void {
    const { disk, coverage, random, timeline } = this.#parts;
    if (!this.#hasPrimary) return answer(noPrimary());
    if (entry.seq <= disk.seq) return answer("taken");
    const standing = this.#local.find((other) => other.entry.seq === entry.seq);
    if (standing !== undefined) {
      standing.hasRefused = true;
      coverage.saw("an append was refused by an entry that was on no majority yet");
      return answer("taken");
    }
    if (entry.seq !== disk.seq + 1) throw new Error(`entry ${entry.seq} was appended over a gap after ${disk.seq}`);
    const alarm = timeline.after(random.spread(300, 10_000), () => this.#giveUp(own));
    const own: LocalEntry = { entry, answer, alarm, hasRefused: false };
    this.#local.push(own);
    if (!this.#isStalled) timeline.after(random.spread(1, 8), () => this.#spread(own));
  }

  readable(seenSeq: number): StoreView | StoreUnavailable {
    const { disk, random } = this.#parts;
    const isSecondaryFit = this.#secondary.seq >= seenSeq;
    if (isSecondaryFit && (!this.#hasPrimary || random.chance(0.4))) return this.#secondary;
    return this.#hasPrimary ? disk.view : noPrimary();
  }

  /** The primary goes. What was not on a majority is with the new one, or is rolled back. */
  failOver(forMs: number): void {
    if (!this.#hasPrimary) return;
    const { timeline, random } = this.#parts;
    this.#hasPrimary = false;
    this.#isStalled = false;
    const isInherited = random.chance(0.5);
    const local = this.#local;
    this.#local = [];
    for (const own of local) {
      const { answer } = own;
      own.answer = null;
      answer?.(noPrimary());
      if (isInherited) this.#inherited.push(own);
      else this.#rollBack(own);
    }
    timeline.trace(
      `the store has no primary for ${forMs} ms; ${local.length} entries are ${isInherited ? "inherited" : "rolled back"}`,
    );
    timeline.after(forMs, () => this.#elect());
  }

  /** No write reaches a majority for a while. */
  stall(): void {
    this.#isStalled = true;
  }

  unstall(): void {
    if (!this.#isStalled) return;
    this.#isStalled = false;
    for (const own of [...this.#local]) this.#spread(own);
  }

  heal(): void {
    this.unstall();
    this.#elect();
  }

  #elect(): void {
    if (this.#hasPrimary) return;
    this.#hasPrimary = true;
    this.#local = this.#inherited;
    this.#inherited = [];
    for (const own of [...this.#local]) this.#spread(own);
  }

  /** It is on a majority: nothing can take it away any more. */
  #spread(own: LocalEntry): void {
    if (this.#isStalled || !this.#local.includes(own)) return;
    this.#local = this.#local.filter((other) => other !== own);
    own.alarm.cancel();
    const outcome = this.#parts.disk.land(own.entry);
    if (own.answer === null) this.#parts.coverage.saw("unknown outcome that had gone in");
    own.answer?.(outcome);
    own.answer = null;
  }

  /** The majority takes too long: the sender is told that nobody knows, and the entry stays where it is. */
  #giveUp(own: LocalEntry): void {
    if (own.answer === null || !this.#local.includes(own)) return;
    const { answer } = own;
    own.answer = null;
    this.#parts.coverage.saw("an append was carried out and timed out");
    answer(new StoreUnavailable("timeout", "simulated: waiting for the majority timed out"));
  }

  #rollBack({ entry, hasRefused }: LocalEntry): void {
    const { coverage, timeline } = this.#parts;
    coverage.saw("an entry was rolled back");
    if (hasRefused) coverage.saw("an append was refused by an entry that was rolled back later");
    timeline.trace(`store: entry ${entry.seq} of epoch ${entry.epoch} is rolled back`);
  }

  /** The secondary applies each entry a little later, in order. */
  #follow({ seq, writes }: LandedEntry): void {
    const { timeline, random } = this.#parts;
    this.#secondaryAt = Math.max(this.#secondaryAt, timeline.now + random.spread(1, lagMsMax));
    timeline.after(this.#secondaryAt - timeline.now, () => this.#secondary.apply(seq, writes));
  }
}

function noPrimary(): StoreUnavailable {
  return new StoreUnavailable("network", "simulated: no primary");
}
