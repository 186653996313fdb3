/** Each master keeps a record of itself in the store and reads those of the others: which masters there are, and how far each has come. */
import type { Nonce } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import type { MemberRecord, MemberView } from "../../model/member.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Store } from "../../ports/store.ts";
import type { MasterState } from "../masterState.ts";

interface Observed {
  readonly record: MemberRecord;
  /** When this master first saw the record, and when it last saw it change, by its own clock. */
  readonly seenAt: number;
  readonly changedAt: number;
}

export interface MembershipParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly state: MasterState;
}

export class Membership {
  readonly #parts: MembershipParts;
  readonly #observed = new Map<Nonce, Observed>();
  #timer: Timer | null = null;
  #beat = 0;
  /** The key of the own record; null while there is none. */
  #nonce: Nonce | null = null;
  #isStopped = false;
  #working: Promise<void> = Promise.resolve();

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#isStopped) return;
    this.#working = this.#renew().finally(() => {
      const { clock, state } = this.#parts;
      // A master that has just started has no record yet, and should be known soon.
      const waitMs = state.describe() === null ? defaults.tailPollMs : defaults.memberRenewMs;
      if (!this.#isStopped) this.#timer = clock.at(clock.now() + waitMs, () => this.start());
    });
  }

  /** Removes the own record. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#working;
    if (this.#nonce === null) return;
    // If this fails, the record stops changing and expires.
    await this.#parts.store.removeMember(this.#nonce).catch(() => undefined);
  }

  /**
   * The masters whose record has changed within `defaults.memberTtlMs`, this one as it is now. Of a master that was started anew
   * at the same address, the life before is left out.
   */
  members(): MemberView[] {
    const now = this.#parts.clock.now();
    const own = this.#parts.state.describe();
    const living = [...this.#observed.values()]
      .filter((each) => now - each.changedAt <= defaults.memberTtlMs && !this.#isReplaced(each))
      .map(({ record: { beat: _beat, ...record }, changedAt }) =>
        record.nonce === own?.nonce ? { ...own, unchangedMs: 0 } : { ...record, unchangedMs: now - changedAt },
      );
    const headSeq = Math.max(0, ...living.map(({ seq }) => seq));
    return living.map((member) => ({ ...member, lag: headSeq - member.seq }));
  }

  /** Two living masters of one address, which is a mistake, both go on changing their records: both are told of. */
  #isReplaced({ record: { address, nonce }, changedAt, seenAt }: Observed): boolean {
    if (nonce === this.#nonce) return false;
    return [...this.#observed.values()].some((other) => {
      if (other.record.address !== address || other.record.nonce === nonce) return false;
      const isNewer = other.record.nonce === this.#nonce || other.seenAt > seenAt;
      return isNewer && other.seenAt >= changedAt;
    });
  }

  /** The lowest seq of all living masters: none of them needs older entries. */
  seqOfSlowest(): number {
    const now = this.#parts.clock.now();
    const living = [...this.#observed.values()].filter(({ changedAt }) => now - changedAt <= defaults.memberTtlMs);
    return Math.min(...living.map(({ record }) => record.seq));
  }

  async #renew(): Promise<void> {
    const { store, clock, log, state } = this.#parts;
    const own = state.describe();
    if (own === null) return;
    try {
      this.#beat += 1;
      this.#nonce = own.nonce;
      await store.writeMember({ ...own, beat: this.#beat });
      const records = await store.readMembers();
      const now = clock.now();
      for (const record of records) {
        const known = this.#observed.get(record.nonce);
        // A store may answer with what it held a moment ago: only a beat that was not seen before is a sign of life.
        if (known === undefined || record.beat > known.record.beat)
          this.#observed.set(record.nonce, { record, seenAt: known?.seenAt ?? now, changedAt: now });
      }
      for (const [nonce, { changedAt }] of this.#observed) {
        const isListed = records.some((record) => record.nonce === nonce);
        if (isListed && now - changedAt > defaults.memberForgetMs) await store.removeMember(nonce);
        if (!isListed || now - changedAt > defaults.memberForgetMs) this.#observed.delete(nonce);
      }
    } catch (error) {
      log.debug("the records of the masters cannot be renewed", { error });
    }
  }
}
