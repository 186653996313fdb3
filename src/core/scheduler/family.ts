/** What the leader remembers of a task whose handler remembers something: steps, waits, and how it is about to end. */
import type { OpenWait } from "../../model/family.ts";
import type { Json } from "../../model/json.ts";
import type { EndedCounts, FamilyStatus, FinalState } from "../../model/task.ts";

/** The outcome is decided; the task ends when its last descendant has. */
export interface Ending {
  readonly state: FinalState;
  readonly output: Json | undefined;
}

export class Family {
  /** Steps of the present generation that are remembered, and the bytes of their values. */
  steps = 0;
  stepBytes = 0;
  /** The generation: it is part of the key of every step. */
  epoch = 0;
  /** Children that it has made, over all its sets. */
  children = 0;
  /** How the children of sets ended that are not remembered as sets any more; null while there are none. */
  ended: EndedCounts | null = null;
  /** What it waits for, or has waited for and not yet taken notice of. */
  waits: readonly OpenWait[] = [];
  /** When they were written, by the clock of the leader that did; 0 while they are those of this leader. */
  waitsWrittenAt = 0;
  /** Something that it waited for is over, so it may run again. */
  isWoken = false;
  ending: Ending | null = null;
  /** Of a task that has ended: ids of the signals that were delivered to it. */
  signalled: readonly string[] = [];
  /** The last item of the current attempt that has taken effect: one that is sent again is known by its id. */
  lastItem = 0;

  /** True if the outcome of its task is decided, and the task waits for its descendants to end. */
  get isEnding(): boolean {
    return this.ending !== null;
  }

  beginAttempt(): void {
    this.isWoken = false;
    this.lastItem = 0;
  }

  /** A set is dropped: what it has counted stays counted. */
  countEnded({ succeeded, failed, cancelled, skipped = 0 }: EndedCounts): void {
    const before = this.ended ?? { succeeded: 0, failed: 0, cancelled: 0 };
    const allSkipped = (before.skipped ?? 0) + skipped;
    this.ended = {
      succeeded: before.succeeded + succeeded,
      failed: before.failed + failed,
      cancelled: before.cancelled + cancelled,
      ...(allSkipped > 0 && { skipped: allSkipped }),
    };
  }

  /** A set is open again. */
  uncountEnded({ succeeded, failed, cancelled, skipped = 0 }: EndedCounts): void {
    this.countEnded({ succeeded: -succeeded, failed: -failed, cancelled: -cancelled, skipped: -skipped });
  }

  /** Nothing of what is remembered counts any more: from now on keys are other ones. */
  beginGeneration(): void {
    this.epoch += 1;
    this.steps = 0;
    this.stepBytes = 0;
    this.children = 0;
    this.ended = null;
  }

  end(): void {
    this.waits = [];
    this.isWoken = false;
    this.ending = null;
    this.lastItem = 0;
  }

  toStatus(): FamilyStatus {
    const { steps, stepBytes, epoch, children, ended, waits, isWoken, ending, signalled, lastItem } = this;
    return {
      steps,
      stepBytes,
      epoch,
      children,
      ...(ended !== null && { ended }),
      ...(waits.length > 0 && { waits }),
      ...(isWoken && { isWoken }),
      ...(ending !== null && { ending: ending.state }),
      ...(signalled.length > 0 && { signalled }),
      ...(lastItem > 0 && { lastItem }),
    };
  }

  static restore(status: FamilyStatus, output: Json | undefined, writtenAt: number): Family {
    const family = new Family();
    family.waitsWrittenAt = writtenAt;
    const {
      steps,
      stepBytes,
      epoch,
      children,
      ended = null,
      waits = [],
      isWoken = false,
      ending,
      signalled = [],
      lastItem = 0,
    } = status;
    Object.assign(family, { steps, stepBytes, epoch, children, ended, waits, isWoken, signalled, lastItem });
    family.ending = ending === undefined ? null : { state: ending, output };
    return family;
  }

  /**
   * The leader before may have had a clock that was far ahead: its waits are shorter by that much then, so that none is longer than
   * what was left of it. @returns true if they have changed
   */
  rebaseWaits(now: number): boolean {
    const aheadMs = this.waitsWrittenAt - now;
    this.waitsWrittenAt = 0;
    if (aheadMs <= 0 || this.wakeAt === null) return false;
    this.waits = this.waits.map((wait) =>
      wait.kind === "children" || wait.until === undefined ? wait : { ...wait, until: wait.until - aheadMs },
    );
    return true;
  }

  /** The first instant at which a wait is over by itself; null if none is. */
  get wakeAt(): number | null {
    let first: number | null = null;
    for (const wait of this.waits) {
      const until = wait.kind === "children" ? undefined : wait.until;
      if (until !== undefined && (first === null || until < first)) first = until;
    }
    return first;
  }
}
