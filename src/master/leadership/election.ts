/** Carries out what the Candidate decides: reads and renews the lease, and watches the leader's process. */
import type { Candidate, CandidateEffect, CandidateInput } from "../../core/election/candidate.ts";
import type { LeaderBeat, Lease } from "../../model/lease.ts";
import type { Clock, Timer } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Peers } from "../../ports/peers.ts";
import type { Store } from "../../ports/store.ts";
import type { LoopStats } from "../journal/loopStats.ts";
import type { MasterState } from "../masterState.ts";
import type { LeaderBeats } from "./leaderBeats.ts";
import type { LeaseGuard } from "./leaseGuard.ts";

export interface ElectionParts {
  readonly candidate: Candidate;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly peers: Peers;
  readonly state: MasterState;
  readonly stats: LoopStats;
  readonly leaseGuard: LeaseGuard;
  readonly beats: LeaderBeats;
  /** A bug in the candidate: this master must not go on. */
  readonly onBroken: (error: Error) => void;
}

/** What a standby learns of the leader that it watches. */
export interface LeaderWatch {
  /** This master begins to stand for election. */
  onCandidacy(): void;
  onBeat(beat: LeaderBeat): void;
  /** The connection to the leader has closed. */
  onClosed(): void;
}

const nobody: LeaderWatch = { onCandidacy: () => undefined, onBeat: () => undefined, onClosed: () => undefined };

export class Election {
  readonly #parts: ElectionParts;
  #timer: Timer | null = null;
  #watch: { close(): void } | null = null;
  #lastReadAt: number;
  #epochToEnd: number | null = null;
  #listener = nobody;
  #isStopped = false;
  /** The lease to write next; null while none waits. Only the newest counts. */
  #nextLease: Lease | null = null;
  #isWriting = false;
  #writing: Promise<void> = Promise.resolve();
  /** The lease as last read. */
  #lastRead: Lease | null = null;
  #hasReportedSharedAddress = false;

  constructor(parts: ElectionParts) {
    this.#parts = parts;
    this.#lastReadAt = parts.clock.now();
  }

  /** The epoch that this master wants to end by leading the next one; null while it does not stand for election. */
  get epochToEnd(): number | null {
    return this.#epochToEnd;
  }

  /** Tells this listener from now on, and nobody else. */
  listen(listener: LeaderWatch): void {
    this.#listener = listener;
  }

  tell(input: CandidateInput): void {
    if (this.#isStopped) return;
    if (input.kind === "elected" || input.kind === "deposed") this.#epochToEnd = null;
    try {
      const effects: CandidateEffect[] = [];
      this.#parts.candidate.step(this.#parts.clock.now(), input, effects);
      for (const effect of effects) this.#perform(effect);
      this.#arm();
    } catch (error) {
      this.#isStopped = true;
      this.#parts.log.error("the election failed; this master stops; please report this", { input: input.kind, error });
      this.#parts.onBroken(error instanceof Error ? error : new Error(String(error)));
    }
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
        this.#parts.leaseGuard.check();
        this.#nextLease = effect.lease;
        if (!this.#isWriting) this.#writing = this.#writeLeases();
        return;
      case "take-over":
        this.#watch?.close();
        this.#watch = null;
        this.#parts.log.info("standing for election", { reason: effect.reason });
        this.#epochToEnd = effect.epoch;
        return this.#listener.onCandidacy();
      case "watch-peer":
        return this.#watchPeer(effect.address);
      case "probe-peer":
        void this.#probe(effect.address);
        return;
      default:
        effect satisfies never;
    }
  }

  #watchPeer(address: string): void {
    this.#watch?.close();
    this.#watch = this.#parts.peers.watch(address, {
      onBeat: (beat) => {
        if (!this.#parts.candidate.believes(beat)) return;
        this.tell({ kind: "leader-beat", address, beat });
        this.#listener.onBeat(beat);
      },
      onClose: () => {
        this.tell({ kind: "peer-closed", address });
        this.#listener.onClosed();
      },
    });
  }

  async #probe(address: string): Promise<void> {
    const result = await this.#parts.peers.probe(address);
    this.tell({ kind: "peer-probed", address, result });
  }

  async #readLease(): Promise<void> {
    const { store, clock, log } = this.#parts;
    let lease: Lease | null;
    try {
      lease = await store.readLease();
    } catch (error) {
      // A lease that cannot be read may have changed meanwhile.
      const now = clock.now();
      this.tell({ kind: "clock-gap", forMs: now - this.#lastReadAt });
      this.#lastReadAt = now;
      log.warn("the lease cannot be read", { error });
      return;
    }
    this.#lastReadAt = clock.now();
    this.#noteLeader(lease);
    this.#checkAddress(lease);
    this.#lastRead = lease;
    this.tell({ kind: "lease", lease });
  }

  /** A new leader's marker is in the journal before its first lease is written, so an older lease says nothing. */
  #noteLeader(lease: Lease | null): void {
    const { state } = this.#parts;
    if (state.role === "leader" || (lease !== null && lease.epoch < state.epoch)) return;
    state.leader = lease === null || lease.isResigned ? null : lease.address;
  }

  /** Whoever is sent to the leader's address would end here. */
  #checkAddress(lease: Lease | null): void {
    const { state, log } = this.#parts;
    const last = this.#lastRead;
    if (lease === null || last === null || this.#hasReportedSharedAddress) return;
    const isAlive = lease.nonce === last.nonce && lease.beat !== last.beat;
    if (!isAlive || lease.nonce === state.nonce || lease.address !== state.address) return;
    this.#hasReportedSharedAddress = true;
    log.error("the leader advertises the address of this master; give each master its own with --advertise", {
      address: lease.address,
      leader: lease.nonce,
    });
  }

  /** Writes one lease at a time, so that no renewal can reach the store after a resignation. */
  async #writeLeases(): Promise<void> {
    this.#isWriting = true;
    for (let lease = this.#takeLease(); lease !== null; lease = this.#takeLease()) await this.#writeLease(lease);
    this.#isWriting = false;
  }

  #takeLease(): Lease | null {
    const lease = this.#nextLease;
    this.#nextLease = null;
    return lease;
  }

  async #writeLease(lease: Lease): Promise<void> {
    const { store, clock, log, stats, leaseGuard, beats } = this.#parts;
    try {
      leaseGuard.noteWrite(lease.ttlMs);
      if ((await store.writeLease(lease)) === "superseded") return leaseGuard.noteRival();
    } catch (error) {
      log.warn("the lease cannot be renewed", { error });
      return;
    }
    leaseGuard.noteWritten(lease.ttlMs);
    beats.noteLease(lease);
    this.tell({ kind: "commit-time", commitMs: stats.slowCommitMs(clock.now()) });
  }
}
