/**
 * When a standby looks at the journal next. It looks often while there is something, and seldom once nothing has come for a while. While
 * the leader itself tells how far the journal is, it looks when there is something, and otherwise only now and then.
 */
import type { LeaderBeat } from "../../model/lease.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { JournalPosition } from "../journal/journal.ts";

export interface JournalPaceSettings {
  readonly tailPollMs: number;
  readonly leaseRenewMs: number;
}

export class JournalPace {
  readonly #settings: JournalPaceSettings;
  #lookedAt = Number.NEGATIVE_INFINITY;
  /** Looks in a row that found nothing new. */
  #idleLooks = 0;
  #epoch = 0;
  #seq = 0;
  /** What the leader of this epoch told last, and when; null if it is silent. */
  #told: { readonly at: number; readonly seq: number } | null = null;

  constructor(settings: JournalPaceSettings) {
    this.#settings = settings;
  }

  /** The journal was read up to `position`. */
  noteLook(now: number, { epoch, seq }: Pick<JournalPosition, "epoch" | "seq">): void {
    this.#idleLooks = seq === this.#seq ? this.#idleLooks + 1 : 0;
    if (epoch !== this.#epoch) this.#told = null;
    this.#epoch = epoch;
    this.#seq = seq;
    this.#lookedAt = now;
  }

  /** The journal could not be read. */
  noteTrouble(now: number): void {
    this.#told = null;
    this.#lookedAt = now;
  }

  noteBeat(now: number, { epoch, seq }: LeaderBeat): void {
    // What a leader tells that is over, or whose marker is yet to be read, says nothing about what follows that marker. What is behind
    // the journal as read was told a while ago: it has been held up on its way.
    if (epoch === this.#epoch && seq >= this.#seq) this.#told = { at: now, seq };
  }

  /** The connection to the leader has closed: somebody else may be about to lead. */
  noteClosed(): void {
    this.#told = null;
    this.#idleLooks = 0;
  }

  get nextLookAt(): number {
    const { tailPollMs, leaseRenewMs } = this.#settings;
    const doublings = Math.min(10, Math.floor(this.#idleLooks / limits.idleLooksPerDoubling));
    const pollMs = Math.max(tailPollMs, Math.min(defaults.tailPollMsMax, tailPollMs * 2 ** doublings));
    const usualAt = this.#lookedAt + pollMs;
    if (this.#told === null) return usualAt;
    if (this.#told.seq > this.#seq) return this.#lookedAt + tailPollMs;
    const silentAt = this.#told.at + defaults.renewalsMissedMax * leaseRenewMs;
    return Math.max(usualAt, Math.min(silentAt, this.#lookedAt + defaults.tailPollToldMs));
  }
}
