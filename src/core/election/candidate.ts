/**
 * The election state machine of a master: when to take over, when to renew, when to resign.
 *
 * It only decides when to *try*. The journal decides who leads: a take-over is a marker entry with a higher epoch in
 * the first free slot, and from then on the old leader's entries are refused. So a wrong guess here costs a moment, never more.
 * The lease is watched as client-go does it (https://pkg.go.dev/k8s.io/client-go/tools/leaderelection): whether its counter
 * changes within our own time, never what any clock says. While the leader itself tells of each change, the store is not asked.
 */
import { hashToUnit } from "../../model/hash.ts";
import { areOfOnePlace, type Nonce } from "../../model/ids.ts";
import type { LeaderBeat, Lease } from "../../model/lease.ts";
import { defaults, limits } from "../../model/limits.ts";

export interface CandidateSettings {
  /** A lease that has not changed for this long is nobody's, unless its holder needs more time: see `commit-time`. */
  readonly leaseTtlMs: number;
  /** The share of that time that is enough once the leader's connection has closed. */
  readonly leaseShareClosed: number;
  readonly leaseRenewMs: number;
  /** After so many renewals without word from the leader, the lease is read from the store. */
  readonly renewalsMissedMax: number;
  readonly standbyJitterMs: number;
  /** Between two refused connections that together prove that a leader's process is gone. */
  readonly refusalGapMs: number;
  /** Connections that are tried when the leader's has closed, before the matter is left to the lease. */
  readonly probesMax: number;
}

export type CandidateInput =
  /** The lease as just read; null if there has never been one. */
  | { readonly kind: "lease"; readonly lease: Lease | null }
  /** How far the journal has come: the epoch that is led now, and by whom, if the marker itself was read. */
  | { readonly kind: "led"; readonly epoch: number; readonly address: string | null }
  /** The leader's process tells of the lease that it has in the store. */
  | { readonly kind: "leader-beat"; readonly address: string; readonly beat: LeaderBeat }
  /** The connection to the leader's process is gone. */
  | { readonly kind: "peer-closed"; readonly address: string }
  | { readonly kind: "peer-probed"; readonly address: string; readonly result: "refused" | "connected" | "unknown" }
  /** Our marker is in. */
  | { readonly kind: "elected"; readonly epoch: number }
  /** How long all but one in a hundred of our commits take, in ms; null while there are too few to tell. */
  | { readonly kind: "commit-time"; readonly commitMs: number | null }
  /** Somebody else leads: our marker came too late, or our entry was refused. */
  | { readonly kind: "deposed" }
  /** Nothing could be seen for a while: our machine was away, or the store was. */
  | { readonly kind: "clock-gap"; readonly forMs: number }
  | { readonly kind: "resign" }
  | { readonly kind: "tick" };

export type CandidateEffect =
  | { readonly kind: "read-lease" }
  | { readonly kind: "write-lease"; readonly lease: Lease }
  /** `epoch` is that of the leader whose end was noticed; whoever leads a later one by then has won. */
  | { readonly kind: "take-over"; readonly reason: string; readonly epoch: number }
  | { readonly kind: "watch-peer"; readonly address: string }
  | { readonly kind: "probe-peer"; readonly address: string };

/**
 * standby   follows, and watches the lease
 * electing  its take-over is under way
 * leader    renews the lease
 * resigned  wants nothing any more
 */
export type CandidateRole = "standby" | "electing" | "leader" | "resigned";

export class Candidate {
  readonly #nonce: Nonce;
  readonly #address: string;
  readonly #settings: CandidateSettings;
  role: CandidateRole = "standby";
  /** Whose end is waited for: by the newest epoch that a lease or the journal has shown. */
  #leader: { readonly epoch: number; readonly address: string | null } = { epoch: 0, address: null };
  /** The lease as last read: of the leader before, until that leader has written its own. */
  #seen: Lease | null = null;
  /** Since when there has been no sign of that leader, in our own time. */
  #unchangedSince = 0;
  #readAt = 0;
  #renewAt = 0;
  #beat = 0;
  #epoch = 0;
  #ttlMs: number;
  #watched: string | null = null;
  /** The beat that was known when the connection to the leader closed; null while it is open, or if the leader has renewed its lease since. */
  #beatAtClose: number | null = null;
  #probes = 0;
  #refusals = 0;
  #probeAt: number | null = null;

  constructor(nonce: Nonce, address: string, settings: Partial<CandidateSettings> = {}) {
    this.#nonce = nonce;
    this.#address = address;
    this.#settings = { ...defaults, ...settings };
    this.#ttlMs = this.#settings.leaseTtlMs;
  }

  step(now: number, input: CandidateInput, effects: CandidateEffect[]): void {
    if (this.role === "resigned") return;
    switch (input.kind) {
      case "lease":
        return this.#noteLease(now, input.lease, effects);
      case "led":
        return this.#noteLed(now, input.epoch, input.address, effects);
      case "leader-beat":
        return this.#noteBeat(now, input.address, input.beat, effects);
      case "peer-closed":
        return this.#notePeerClosed(now, input.address, effects);
      case "peer-probed":
        return this.#notePeerProbed(now, input.address, input.result, effects);
      case "elected":
        this.role = "leader";
        this.#epoch = input.epoch;
        this.#ttlMs = this.#settings.leaseTtlMs;
        this.#lookAway();
        return this.#renew(now, effects);
      case "commit-time":
        // Where commits are slow, so are renewals: a lease that usually comes late says nothing about its holder.
        this.#ttlMs = Math.max(
          this.#settings.leaseTtlMs,
          Math.min(Math.ceil(defaults.leasePerCommit * (input.commitMs ?? 0)), limits.leaseTtlMsMax),
        );
        return;
      case "deposed":
        this.role = "standby";
        this.#seen = null;
        this.#beatAtClose = null;
        this.#unchangedSince = now;
        this.#readAt = now;
        return;
      case "clock-gap":
        this.#unchangedSince = Math.min(now, this.#unchangedSince + input.forMs);
        return;
      case "resign":
        if (this.role === "leader") effects.push({ kind: "write-lease", lease: this.#lease(true) });
        this.role = "resigned";
        return;
      case "tick":
        return this.#tick(now, effects);
      default:
        input satisfies never;
    }
  }

  /** When it wants a `tick`; null if it waits for something to happen. */
  nextWakeAt(): number | null {
    switch (this.role) {
      case "leader":
        return this.#renewAt;
      case "standby":
        return this.#probeAt === null ? this.#readAt : Math.min(this.#readAt, this.#probeAt);
      case "electing":
      case "resigned":
        return null;
      default:
        return this.role satisfies never;
    }
  }

  /**
   * True for what is told by the process whose lease the store has shown last: who leads, and where, is known from the store alone.
   * At the address of a leader that is gone, another master may listen by now, even one of another store.
   */
  believes({ epoch, nonce }: LeaderBeat): boolean {
    return this.#seen !== null && this.#seen.epoch === epoch && this.#seen.nonce === nonce;
  }

  #tick(now: number, effects: CandidateEffect[]): void {
    if (this.role === "leader" && now >= this.#renewAt) return this.#renew(now, effects);
    if (this.role !== "standby") return;
    if (this.#probeAt !== null && now >= this.#probeAt && this.#watched !== null) {
      this.#probeAt = null;
      effects.push({ kind: "probe-peer", address: this.#watched });
    }
    if (now < this.#readAt) return;
    this.#readAt = now + this.#settings.leaseRenewMs / 2;
    effects.push({ kind: "read-lease" });
  }

  #renew(now: number, effects: CandidateEffect[]): void {
    this.#beat += 1;
    this.#renewAt = now + this.#settings.leaseRenewMs;
    effects.push({ kind: "write-lease", lease: this.#lease(false) });
  }

  #lease(isResigned: boolean): Lease {
    return {
      epoch: this.#epoch,
      nonce: this.#nonce,
      beat: this.#beat,
      address: this.#address,
      isResigned,
      ttlMs: this.#ttlMs,
    };
  }

  #noteLease(now: number, lease: Lease | null, effects: CandidateEffect[]): void {
    if (this.role !== "standby") return;
    if (lease === null && this.#leader.epoch === 0) return this.#takeOver("nobody has led this store yet", effects);
    // A leader's marker is there before its first lease: until then the lease is that of one which is over.
    if (lease !== null && lease.epoch >= this.#leader.epoch) {
      this.#leader = lease;
      if (lease.isResigned) return this.#takeOver("the leader has resigned", effects);
      // The address alone proves nothing: two living masters may advertise the same one.
      if (lease.nonce !== this.#nonce && areOfOnePlace(lease.nonce, this.#nonce)) {
        return this.#takeOver("the last leader listened on this master's own port, so its process is gone", effects);
      }
      if (isNews(this.#seen, lease)) {
        // One more beat may have been on its way when the connection closed; two prove that the leader lives.
        const isAlive = this.#seen?.nonce !== lease.nonce || lease.beat > (this.#beatAtClose ?? 0) + 1;
        if (isAlive) this.#beatAtClose = null;
        this.#seen = lease;
        this.#unchangedSince = now;
      }
    }
    const { epoch, address } = this.#leader;
    // Also while the lease stands still: a leader may have died between two watches.
    if (address !== null && this.#watched !== address) this.#watch(address, effects);
    const jitterMs = hashToUnit(`${this.#nonce}/${epoch}`) * this.#settings.standbyJitterMs;
    // A lease of the leader before tells as well how slow the store is.
    const ttlMs = Math.max(this.#settings.leaseTtlMs, Math.min(this.#seen?.ttlMs ?? 0, limits.leaseTtlMsMax));
    const unchangedMs = now - this.#unchangedSince;
    if (unchangedMs >= ttlMs + jitterMs) return this.#takeOver("the lease has run out", effects);
    // The address of a container or a machine that is gone answers nothing: there is never a refusal to hear.
    if (this.#beatAtClose !== null && unchangedMs >= (ttlMs + jitterMs) * this.#settings.leaseShareClosed) {
      this.#takeOver("the leader's connection has closed, and its lease is not renewed", effects);
    }
  }

  /** As good as a look at the lease. While the leader tells of its renewals, the store need not be asked. */
  #noteBeat(now: number, address: string, told: LeaderBeat, effects: CandidateEffect[]): void {
    const seen = this.#seen;
    if (this.role !== "standby" || address !== this.#watched || seen === null || !this.believes(told)) return;
    const { beat, isResigned, ttlMs } = told;
    const lease = { ...seen, beat, isResigned, ttlMs };
    // What it tells of a commit names the lease that is known already: that one must not count as renewed.
    if (!isResigned && !isNews(seen, lease)) return;
    this.#noteLease(now, lease, effects);
    const { renewalsMissedMax, leaseRenewMs } = this.#settings;
    this.#readAt = Math.max(this.#readAt, now + renewalsMissedMax * leaseRenewMs);
  }

  /** Another master has just won: it is watched from now on, and its lease has all its time to appear. */
  #noteLed(now: number, epoch: number, address: string | null, effects: CandidateEffect[]): void {
    if (epoch <= this.#leader.epoch) return;
    this.#leader = { epoch, address };
    this.#unchangedSince = now;
    this.#beatAtClose = null;
    // What is still heard of the one before says nothing about this one.
    this.#lookAway();
    if (this.role === "standby" && address !== null) this.#watch(address, effects);
  }

  #watch(address: string, effects: CandidateEffect[]): void {
    // At our own address nobody but this process would answer.
    if (address === this.#address) return;
    this.#watched = address;
    this.#probeAt = null;
    this.#refusals = 0;
    effects.push({ kind: "watch-peer", address });
  }

  /** Nobody is watched any more, and no probe of it is still to come. */
  #lookAway(): void {
    this.#watched = null;
    this.#probeAt = null;
  }

  #notePeerClosed(now: number, address: string, effects: CandidateEffect[]): void {
    if (this.role !== "standby" || address !== this.#watched) return;
    // It tells nothing any more.
    this.#readAt = Math.min(this.#readAt, now + this.#settings.leaseRenewMs / 2);
    this.#beatAtClose ??= this.#seen?.beat ?? 0;
    this.#probes = 0;
    this.#refusals = 0;
    effects.push({ kind: "probe-peer", address });
  }

  /**
   * One refusal might be a restart in progress or a backlog that overflowed; two in a row are a dead process. One that is
   * accepted right after the close proves nothing: a dying process may lose its connections before it stops to listen.
   */
  #notePeerProbed(
    now: number,
    address: string,
    result: "refused" | "connected" | "unknown",
    effects: CandidateEffect[],
  ): void {
    if (this.role !== "standby" || address !== this.#watched) return;
    this.#probes += 1;
    this.#refusals = result === "refused" ? this.#refusals + 1 : 0;
    if (this.#refusals >= 2) return this.#takeOver("the leader's address refuses connections", effects);
    if (result === "unknown" || this.#probes >= this.#settings.probesMax) {
      // Out of reach, or alive: the lease decides. The next read of it starts a new watch.
      if (result === "connected") this.#beatAtClose = null;
      return this.#lookAway();
    }
    this.#probeAt = now + this.#settings.refusalGapMs;
  }

  #takeOver(reason: string, effects: CandidateEffect[]): void {
    this.role = "electing";
    this.#lookAway();
    effects.push({ kind: "take-over", reason, epoch: this.#leader.epoch });
  }
}

/** Only a beat that was not seen before is a sign of life: a store may answer a read with what it held a moment ago. */
function isNews(seen: Lease | null, lease: Lease): boolean {
  return seen === null || seen.epoch !== lease.epoch || seen.nonce !== lease.nonce || lease.beat > seen.beat;
}
