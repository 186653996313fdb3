/**
 * Where the Agent looks for the leader next, and when. It tries every master it knows, one shortly after the other without
 * waiting for slow ones to answer, and takes the first that leads; then again, after longer and longer pauses.
 */
import type { BootId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import type { LinkNumber } from "./agentInputs.ts";
import { hashToUnit } from "./hash.ts";

export interface SearchSettings {
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
  readonly attachHedgeMs: number;
  readonly attachWaitMs: number;
}

/** An attach that waits for its answer. */
export interface AttachTry {
  readonly link: LinkNumber;
  readonly address: string;
  readonly giveUpAt: number;
  readonly saidDraining: boolean;
}

export class MasterSearch {
  readonly #boot: BootId;
  readonly #addresses: readonly string[];
  readonly #settings: SearchSettings;
  readonly #tries = new Map<LinkNumber, AttachTry>();
  /** What is left of this round. */
  #left: string[];
  #round = 0;
  /** This round begins at `#roundAt`; before that, only hints are followed. */
  #isOpen = true;
  #roundAt = 0;
  #nextTryAt = 0;
  /** Where a master said that the leader is, or where it last was. */
  #hint: string | null = null;
  /** A hint is followed at once only once a round: two masters might point at each other. */
  readonly #followed = new Set<string>();

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

  /** The address to try now; null while there is nothing to do but wait. Must be followed by `begin`. */
  next(now: number): string | null {
    return now >= this.#nextTryAt ? (this.#left[0] ?? null) : null;
  }

  begin(now: number, link: LinkNumber, address: string, saidDraining: boolean): void {
    this.#left = this.#left.filter((other) => other !== address);
    if (!this.#isOpen && now >= this.#roundAt) this.#open();
    this.#nextTryAt = Math.max(now + this.#settings.attachHedgeMs, this.#isOpen ? 0 : this.#roundAt);
    // Longer in each round: the store under a slow leader may just be slow.
    const waitMs = Math.min(limits.commitWaitMsMax, this.#settings.attachWaitMs * 2 ** Math.min(this.#round, 16));
    this.#tries.set(link, { link, address, giveUpAt: now + waitMs, saidDraining });
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

  /** A try came to nothing. @param leader where that master says the leader is */
  failed(now: number, { link, address }: AttachTry, leader: string | null): void {
    this.#tries.delete(link);
    if (address === this.#hint) this.#hint = null;
    if (leader !== null && leader !== address && /^https?:\/\//.test(leader)) this.#follow(now, leader);
    // Within a round the next address need not wait any longer; a round to come takes this one with it.
    if (this.#isOpen) this.#nextTryAt = now;
    else if (this.#addresses.includes(address) && !this.#left.includes(address)) this.#left.push(address);
    this.#refill(now);
  }

  /** A leader was found: no other answer counts. */
  found(): void {
    this.#tries.clear();
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
    if (loss.isSilent && this.#left.length > 1)
      this.#left = [...this.#left.filter((other) => other !== address), address];
  }

  #follow(now: number, leader: string): void {
    this.#hint = leader;
    if (this.#followed.has(leader) || this.#isTried(leader)) return;
    this.#followed.add(leader);
    this.#left = [leader, ...this.#left.filter((other) => other !== leader)];
    this.#nextTryAt = now;
  }

  /** Once a round has been through, the next one is due after a pause, with those whose answers are not still waited for. */
  #refill(now: number): void {
    if (this.#left.length > 0) return;
    const idle = this.#plan().filter((address) => !this.#isTried(address));
    if (idle.length > 0) this.#startRound(now, idle);
  }

  #startRound(now: number, addresses: string[]): void {
    this.#round += 1;
    this.#isOpen = false;
    this.#roundAt = now + this.#pauseMs();
    this.#nextTryAt = this.#roundAt;
    this.#left = addresses;
  }

  #open(): void {
    this.#isOpen = true;
    this.#followed.clear();
  }

  /** 50, 100, 200 … 2000 ms, more or less by half: after a failover the workers do not come all at once (RELIABILITY, 3.2). */
  #pauseMs(): number {
    const { reconnectBaseMs, reconnectMaxMs } = this.#settings;
    const fullMs = Math.min(reconnectMaxMs, reconnectBaseMs * 2 ** Math.min(this.#round - 1, 30));
    return Math.round(fullMs * (0.5 + hashToUnit(`${this.#boot}/${this.#round}`)));
  }

  #plan(): string[] {
    return [...new Set(this.#hint === null ? this.#addresses : [this.#hint, ...this.#addresses])];
  }

  #isTried(address: string): boolean {
    for (const attach of this.#tries.values()) if (attach.address === address) return true;
    return false;
  }
}
