/** Carries out what the Candidate decides: reads and renews the lease, keeps an eye on the leader's process. */
import type { Candidate, CandidateEffect, CandidateInput } from "../../core/election/candidate.ts";
import type { Lease } from "../../model/lease.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Peers } from "../../ports/peers.ts";
import type { Store } from "../../ports/store.ts";

export interface ElectionParts {
  readonly candidate: Candidate;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly peers: Peers;
  /** The candidate wants to lead; tell `elected` or `deposed` once it is decided. */
  readonly onTakeOver: (reason: string, epoch: number) => void;
  /** A lease of a higher epoch than ours is there while we lead. */
  readonly onRival: (lease: Lease) => void;
  /** The lease is about to be renewed. */
  readonly onRenewal: () => void;
  /** The lease has been renewed. */
  readonly onRenewed: () => void;
  /** How long all but one in a hundred commits take, in ms; null while that is not known. */
  readonly slowCommitMs: (now: number) => number | null;
  /** The lease as just read: a hint at who leads. */
  readonly onLease: (lease: Lease | null) => void;
}

export class Election {
  readonly #parts: ElectionParts;
  #timer: Timer | null = null;
  #watch: { close(): void } | null = null;
  #lastReadAt: number;
  #ttlMs: number | null = null;
  #isStopped = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: ElectionParts) {
    this.#parts = parts;
    this.#lastReadAt = parts.clock.now();
  }

  /** How long our own lease may stand still before another master takes over, in ms, as far as others can know; null before the first. */
  get ttlMs(): number | null {
    return this.#ttlMs;
  }

  tell(input: CandidateInput): void {
    if (this.#isStopped) return;
    const effects: CandidateEffect[] = [];
    this.#parts.candidate.step(this.#parts.clock.now(), input, effects);
    for (const effect of effects) this.#perform(effect);
    this.#arm();
  }

  /** Leaves the election; resolves when the resignation, if there was one to make, is written. */
  async resign(): Promise<void> {
    this.tell({ kind: "resign" });
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#watch?.close();
    await this.#writing;
  }

  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const at = this.#parts.candidate.nextWakeAt();
    if (at !== null && !this.#isStopped) this.#timer = this.#parts.clock.at(at, () => this.tell({ kind: "tick" }));
  }

  #perform(effect: CandidateEffect): void {
    switch (effect.kind) {
      case "read-lease":
        void this.#readLease();
        return;
      case "write-lease":
        this.#parts.onRenewal();
        this.#writing = this.#writeLease(effect.lease);
        return;
      case "take-over":
        this.#watch?.close();
        this.#watch = null;
        return this.#parts.onTakeOver(effect.reason, effect.epoch);
      case "watch-peer":
        this.#watch?.close();
        this.#watch = this.#parts.peers.watch(effect.address, () =>
          this.tell({ kind: "peer-closed", address: effect.address }),
        );
        return;
      case "probe-peer":
        void this.#probe(effect.address);
        return;
      default:
        effect satisfies never;
    }
  }

  async #probe(address: string): Promise<void> {
    const result = await this.#parts.peers.probe(address);
    this.tell({ kind: "peer-probed", address, result });
  }

  async #readLease(): Promise<void> {
    const { store, clock, log, onLease } = this.#parts;
    try {
      const lease = await store.readLease();
      this.#lastReadAt = clock.now();
      onLease(lease);
      this.tell({ kind: "lease", lease });
    } catch (error) {
      // What cannot be read has not been seen to stand still.
      const now = clock.now();
      this.tell({ kind: "clock-gap", forMs: now - this.#lastReadAt });
      this.#lastReadAt = now;
      log.warn("the lease cannot be read", { error });
    }
  }

  async #writeLease(lease: Lease): Promise<void> {
    const { store, clock, log, onRival, onRenewed, slowCommitMs } = this.#parts;
    try {
      const current = await store.readLease();
      if (current !== null && current.epoch > lease.epoch) return onRival(current);
      // A shorter one may be seen although its outcome is unknown, a longer one perhaps never.
      this.#ttlMs = Math.min(this.#ttlMs ?? lease.ttlMs, lease.ttlMs);
      await store.writeLease(lease);
      this.#ttlMs = lease.ttlMs;
      onRenewed();
      this.tell({ kind: "commit-time", commitMs: slowCommitMs(clock.now()) });
    } catch (error) {
      log.warn("the lease cannot be renewed", { error });
    }
  }
}
