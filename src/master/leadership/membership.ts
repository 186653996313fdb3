/** Every master leaves a note of itself in the store and reads those of the others: who is there, and how far each has come. */
import type { Nonce } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { MemberRecord, MemberView } from "../../model/member.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";

interface Observed {
  readonly record: MemberRecord;
  /** When this master saw the note change last, in its own time. */
  readonly changedAt: number;
}

export interface MembershipParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** The note to leave; null while there is nothing to tell. */
  readonly describe: () => Omit<MemberRecord, "beat"> | null;
}

export class Membership {
  readonly #parts: MembershipParts;
  readonly #observed = new Map<Nonce, Observed>();
  #timer: Timer | null = null;
  #beat = 0;
  /** Under which the own note stands; null while there is none. */
  #nonce: Nonce | null = null;
  #isStopped = false;
  #working: Promise<void> = Promise.resolve();

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#isStopped) return;
    this.#working = this.#renew().finally(() => {
      const { clock, describe } = this.#parts;
      // A master that has just started has nothing to tell yet, and should be known soon.
      const waitMs = describe() === null ? defaults.tailPollMs : defaults.memberRenewMs;
      if (!this.#isStopped) this.#timer = clock.at(clock.now() + waitMs, () => this.start());
    });
  }

  /** Takes the own note away. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#working;
    if (this.#nonce === null) return;
    // The note of a master that is gone does no harm: it stops changing.
    await this.#parts.store.removeMember(this.#nonce).catch(() => undefined);
  }

  /** The masters that have shown themselves within `defaults.memberTtlMs`, this one as it is now. */
  members(): MemberView[] {
    const now = this.#parts.clock.now();
    const own = this.#parts.describe();
    const living = [...this.#observed.values()]
      .filter(({ changedAt }) => now - changedAt <= defaults.memberTtlMs)
      .map(({ record: { beat: _beat, ...record }, changedAt }) =>
        record.nonce === own?.nonce ? { ...own, unchangedMs: 0 } : { ...record, unchangedMs: now - changedAt },
      );
    const headSeq = Math.max(0, ...living.map(({ seq }) => seq));
    return living.map((member) => ({ ...member, lag: headSeq - member.seq }));
  }

  /** How far every master has come that still shows itself: what is older is needed by none of them. */
  seqOfSlowest(): number {
    const now = this.#parts.clock.now();
    const living = [...this.#observed.values()].filter(({ changedAt }) => now - changedAt <= defaults.memberTtlMs);
    return Math.min(...living.map(({ record }) => record.seq));
  }

  async #renew(): Promise<void> {
    const { store, clock, log, describe } = this.#parts;
    const own = describe();
    if (own === null) return;
    try {
      this.#beat += 1;
      this.#nonce = own.nonce;
      await store.writeMember({ ...own, beat: this.#beat });
      const records = await store.readMembers();
      const now = clock.now();
      for (const record of records) {
        const known = this.#observed.get(record.nonce);
        if (known?.record.beat !== record.beat) this.#observed.set(record.nonce, { record, changedAt: now });
      }
      for (const [nonce, { changedAt }] of this.#observed) {
        const isListed = records.some((record) => record.nonce === nonce);
        if (isListed && now - changedAt > defaults.memberForgetMs) await store.removeMember(nonce);
        if (!isListed || now - changedAt > defaults.memberForgetMs) this.#observed.delete(nonce);
      }
    } catch (error) {
      log.debug("the notes of the masters cannot be renewed", { error });
    }
  }
}
