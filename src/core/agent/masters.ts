/**
 * Where the Agent looks for the leader next, and when. It tries every master it knows, one shortly after the other without
 * waiting for slow ones to answer, and takes the first that leads; then again, after longer and longer pauses. Where a standby
 * answers but the leader that it names does not, the standby is asked to relay.
 */

import { hashToUnit } from "../../model/hash.ts";
import type { BootId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { LinkFailure, LinkNumber } from "./inputs.ts";

export interface SearchSettings {
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
  readonly attachHedgeMs: number;
  readonly attachWaitMs: number;
}

/** Whom to ask: a master that may lead, or a standby that is to relay everything to the leader. */
export interface Target {
  readonly address: string;
  readonly isRelay: boolean;
}

/** An attach that waits for its answer. */
export interface AttachTry extends Target {
  readonly link: LinkNumber;
  readonly giveUpAt: number;
  readonly saidDraining: boolean;
}

/** What a try fails with where nobody was reached. */
const unreached: readonly string[] = ["unreachable", "timeout", "protocol"];

export class MasterSearch {
  readonly #boot: BootId;
  readonly #addresses: readonly string[];
  readonly #settings: SearchSettings;
  readonly #tries = new Map<LinkNumber, AttachTry>();
  /** What is left of this round. */
  #left: Target[];
  #round = 0;
  /** This round begins at `#roundAt`; before that, only hints are followed. */
  #isOpen = true;
  #roundAt = 0;
  #nextTryAt = 0;
  /** Where a master said that the leader is, or where it last was. */
  #hint: string | null = null;
  /** A hint is followed at once only once a round: two masters might point at each other. */
  readonly #followed = new Set<string>();
  /** Masters that could not be reached when they were last tried in this search. */
  readonly #unreached = new Set<string>();
  /** Which leader each standby has named in this search. */
  readonly #named = new Map<string, string>();
  /** Standbys that were asked to relay in this round. */
  readonly #relays = new Set<string>();

  constructor(boot: BootId, addresses: readonly string[], settings: SearchSettings) {
    if (addresses.length === 0) throw new Error("a worker needs the address of at least one master");
    this.#boot = boot;
    this.#addresses = addresses;
    this.#settings = settings;
    this.#left = this.#plan();
  }

  /** When something is to be done next: another try begins, or one has taken too long. */
  get nextWakeAt(): number {
    let at = this.#left.length > 0 ? this.#nextTryAt : Number.POSITIVE_INFINITY;
    for (const { giveUpAt } of this.#tries.values()) at = Math.min(at, giveUpAt);
    return at;
  }

  /** Whom to try now; null while there is nothing to do but wait. Must be followed by `begin`. */
  next(now: number): Target | null {
    return now >= this.#nextTryAt ? (this.#left[0] ?? null) : null;
  }

  begin(now: number, link: LinkNumber, target: Target, saidDraining: boolean): void {
    this.#left = this.#left.filter((other) => other !== target);
    if (!this.#isOpen && now >= this.#roundAt) this.#open();
    this.#nextTryAt = Math.max(now + this.#settings.attachHedgeMs, this.#isOpen ? 0 : this.#roundAt);
    // Longer in each round: the store under a slow leader may just be slow.
    const waitMs = Math.min(limits.commitWaitMsMax, this.#settings.attachWaitMs * 2 ** Math.min(this.#round, 16));
    this.#tries.set(link, { link, ...target, giveUpAt: now + waitMs, saidDraining });
    this.#refill(now);
  }

  /** The try of this number, if it still counts. */
  find(link: LinkNumber): AttachTry | undefined {
    return this.#tries.get(link);
  }

  /** A try that has taken too long, if there is one. */
  expired(now: number): AttachTry | undefined {
    for (const attach of this.#tries.values()) if (now >= attach.giveUpAt) return attach;
    return undefined;
  }

  /** A try came to nothing. */
  failed(now: number, attach: AttachTry, failure: Pick<LinkFailure, "code" | "leader">): void {
    const { link, address } = attach;
    this.#tries.delete(link);
    if (address === this.#hint) this.#hint = null;
    const leader = failure.leader !== address && /^https?:\/\//.test(failure.leader ?? "") ? failure.leader : null;
    if (!attach.isRelay) this.#note(address, failure.code, leader);
    const isFollowing = leader !== null && this.#follow(now, leader);
    // Within a round the next address need not wait any longer; a round to come takes this one with it.
    if (this.#isOpen) this.#nextTryAt = now;
    else if (this.#addresses.includes(address) && !this.#isLeft(address)) this.#left.push({ address, isRelay: false });
    if (!isFollowing) this.#askToRelay(now);
    this.#refill(now);
  }

  /** A leader was found: no other answer counts. */
  found(): void {
    this.#tries.clear();
    this.#unreached.clear();
    this.#named.clear();
  }

  /** A session has ended. A master that went silent is tried last, one that closed the connection first: it may be back. */
  lost(now: number, address: string, loss: { readonly isSilent: boolean; readonly wasShort: boolean }): void {
    this.#hint = loss.isSilent ? null : address;
    if (loss.wasShort) {
      this.#startRound(now, this.#plan());
    } else {
      this.#round = 0;
      this.#open();
      this.#nextTryAt = now;
      this.#left = this.#plan();
    }
    if (!loss.isSilent) return;
    const isSilent = (target: Target) => target.address === address;
    this.#left = [...this.#left.filter((target) => !isSilent(target)), ...this.#left.filter(isSilent)];
  }

  #note(address: string, code: string, leader: string | null): void {
    if (unreached.includes(code)) this.#unreached.add(address);
    else this.#unreached.delete(address);
    if (code === "not-leader" && leader !== null) this.#named.set(address, leader);
    else this.#named.delete(address);
  }

  /** @returns whether that address is tried next */
  #follow(now: number, leader: string): boolean {
    this.#hint = leader;
    if (this.#followed.has(leader) || this.#isTried(leader)) return false;
    this.#followed.add(leader);
    this.#left = [{ address: leader, isRelay: false }, ...this.#left.filter((other) => other.address !== leader)];
    this.#nextTryAt = now;
    return true;
  }

  /** Standbys whose leader cannot be reached from here may be able to reach it: each is asked once a round. */
  #askToRelay(now: number): void {
    for (const [address, leader] of this.#named) {
      if (this.#relays.has(address) || this.#isTried(address) || !this.#unreached.has(leader)) continue;
      // This round has not come to the leader itself yet.
      if (this.#isOpen && this.#isLeft(leader)) continue;
      this.#relays.add(address);
      this.#left = [{ address, isRelay: true }, ...this.#left];
      this.#nextTryAt = now;
    }
  }

  /** Once a round has been through, the next one is due after a pause, with those whose answers are not still waited for. */
  #refill(now: number): void {
    if (this.#left.length > 0) return;
    const idle = this.#plan().filter(({ address }) => !this.#isTried(address));
    if (idle.length > 0) this.#startRound(now, idle);
  }

  #startRound(now: number, targets: Target[]): void {
    this.#round += 1;
    this.#isOpen = false;
    this.#roundAt = now + this.#pauseMs();
    this.#nextTryAt = this.#roundAt;
    this.#left = targets;
  }

  #open(): void {
    this.#isOpen = true;
    this.#followed.clear();
    this.#relays.clear();
  }

  /** 50, 100, 200 … 2000 ms, more or less by half: after a failover the workers do not come all at once (docs/reliability.md, 2). */
  #pauseMs(): number {
    const { reconnectBaseMs, reconnectMaxMs } = this.#settings;
    const fullMs = Math.min(reconnectMaxMs, reconnectBaseMs * 2 ** Math.min(this.#round - 1, 30));
    return Math.round(fullMs * (0.5 + hashToUnit(`${this.#boot}/${this.#round}`)));
  }

  #plan(): Target[] {
    const addresses = new Set(this.#hint === null ? this.#addresses : [this.#hint, ...this.#addresses]);
    return [...addresses].map((address) => ({ address, isRelay: false }));
  }

  #isLeft(address: string): boolean {
    return this.#left.some((target) => target.address === address);
  }

  #isTried(address: string): boolean {
    for (const attach of this.#tries.values()) if (attach.address === address) return true;
    return false;
  }
}
