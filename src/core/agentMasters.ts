/** Where the Agent looks for the leader next, and when: it tries every master it knows, then waits a little longer each round. */
import type { BootId } from "../model/ids.ts";
import { limits } from "../model/limits.ts";
import { hashToUnit } from "./hash.ts";

export interface SearchSettings {
  readonly reconnectBaseMs: number;
  readonly reconnectMaxMs: number;
  readonly attachWaitMs: number;
}

export class MasterSearch {
  readonly #boot: BootId;
  readonly #addresses: readonly string[];
  readonly #settings: SearchSettings;
  /** What is left of this round. Never empty. */
  #left: string[];
  #round = 0;
  /** Where a master said that the leader is, or where it last was. */
  #hint: string | null = null;
  /** A hint is followed at once only once a round: two masters might point at each other. */
  readonly #followed = new Set<string>();
  /** When to try next. */
  nextTryAt = 0;

  constructor(boot: BootId, addresses: readonly string[], settings: SearchSettings) {
    if (addresses.length === 0) throw new Error("a worker needs the address of at least one master");
    this.#boot = boot;
    this.#addresses = addresses;
    this.#settings = settings;
    this.#left = this.#plan();
  }

  get address(): string {
    return this.#left[0] ?? this.#addresses[0] ?? "";
  }

  /** An attach is waited for a little longer in each round: the store under a slow leader may just be slow. */
  get attachWaitMs(): number {
    return Math.min(limits.commitWaitMsMax, this.#settings.attachWaitMs * 2 ** Math.min(this.#round, 16));
  }

  /** The address that was tried is of no use now. */
  failed(now: number, leader: string | null): void {
    const address = this.#left.shift();
    if (address === this.#hint) this.#hint = null;
    if (leader !== null && leader !== address && /^https?:\/\//.test(leader)) this.#follow(leader);
    if (this.#left.length > 0) this.nextTryAt = now;
    else this.#nextRound(now);
  }

  /** A session has ended. A master that went silent is tried last, one that closed the connection first: it may be back. */
  lost(now: number, address: string, loss: { readonly isSilent: boolean; readonly wasShort: boolean }): void {
    this.#hint = loss.isSilent ? null : address;
    if (loss.wasShort) return this.#nextRound(now, loss.isSilent ? address : null);
    this.#round = 0;
    this.nextTryAt = now;
    this.#followed.clear();
    this.#left = this.#plan(loss.isSilent ? address : null);
  }

  #follow(leader: string): void {
    this.#hint = leader;
    if (this.#followed.has(leader)) return;
    this.#followed.add(leader);
    this.#left = [leader, ...this.#left.filter((other) => other !== leader)];
  }

  #nextRound(now: number, last: string | null = null): void {
    this.#round += 1;
    this.nextTryAt = now + this.#waitMs();
    this.#followed.clear();
    this.#left = this.#plan(last);
  }

  /** 50, 100, 200 … 2000 ms, more or less by half: after a failover the workers do not come all at once (RELIABILITY, 3.2). */
  #waitMs(): number {
    const { reconnectBaseMs, reconnectMaxMs } = this.#settings;
    const fullMs = Math.min(reconnectMaxMs, reconnectBaseMs * 2 ** Math.min(this.#round - 1, 30));
    return Math.round(fullMs * (0.5 + hashToUnit(`${this.#boot}/${this.#round}`)));
  }

  #plan(last: string | null = null): string[] {
    const all = new Set(this.#hint === null ? this.#addresses : [this.#hint, ...this.#addresses]);
    if (last !== null && all.delete(last)) all.add(last);
    return [...all];
  }
}
