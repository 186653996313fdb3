/** The evidence of a run with the indexes that the checks share. */
import { byAttempt, type LedgerAttempt, type LedgerFact } from "../cluster/attemptLines.ts";
import { type Life, lifeOf } from "../cluster/lives.ts";
import { byTask, type Evidence, type JournalChange } from "./evidence.ts";

export class Sight {
  readonly evidence: Evidence;
  readonly documents: ReadonlyMap<string, Evidence["documents"][number]>;
  readonly journal: ReadonlyMap<string, readonly JournalChange[]>;
  readonly attempts: ReadonlyMap<string, LedgerAttempt>;

  constructor(evidence: Evidence) {
    this.evidence = evidence;
    this.documents = new Map(evidence.documents.map((document) => [document.id as string, document]));
    this.journal = byTask(evidence.journal);
    this.attempts = byAttempt(evidence.ledger);
  }

  life(fact: LedgerFact): Life | undefined {
    return lifeOf(this.evidence.lives, fact);
  }

  /** The committed success of a task. */
  success(task: string): JournalChange | undefined {
    return this.journal.get(task)?.find((change) => change.state === "success");
  }

  /** When this life of a worker began to work for the leader of this epoch or a later one; null if it never did. */
  attachedAt(life: Life, epoch: number): number | null {
    const fact = this.evidence.leaderFacts.find(
      (other) =>
        other.kind === "attached" &&
        other.process === life.process &&
        other.life === life.number &&
        other.epoch >= epoch,
    );
    return fact?.at ?? null;
  }
}
