/** What a master knows about itself: its role, its epoch, who leads, and whether the store answers. */
import type { Scheduler } from "../core/scheduler/scheduler.ts";
import { OutlastError } from "../model/errors.ts";
import type { Nonce } from "../model/ids.ts";
import type { MemberRecord } from "../model/member.ts";
import type { Clock } from "../ports/clock.ts";
import type { StoreIdentity } from "../ports/store.ts";
import type { MasterRole, MasterStatus } from "./service/masterApi.ts";
import type { Changes } from "./streams/changes.ts";

export interface MasterStateParts {
  readonly name: string;
  readonly nonce: Nonce;
  readonly address: string;
  readonly clock: Clock;
  readonly changes: Changes;
}

export class MasterState {
  readonly name: string;
  readonly nonce: Nonce;
  /** Base URL that others reach this master at. */
  address: string;
  /** The epoch that this master leads or follows. */
  epoch = 0;
  /** Base URL of the leader as far as this master knows. */
  leader: string | null = null;
  /** Why the store can be neither read nor written at the moment; null if all is well. */
  trouble: string | null = null;
  /** True while commits hang: new requests are refused at once instead of kept waiting. */
  isTurningAway = false;
  /** The scheduler that follows or leads; null before the first load. */
  scheduler: Scheduler | null = null;
  /** How often the role has changed since the start. */
  roleChanges = 0;
  readonly #clock: Clock;
  readonly #changes: Changes;
  readonly #startedAt: number;
  #role: MasterRole = "starting";
  #roleSince: number;
  #identity: StoreIdentity | null = null;

  constructor({ name, nonce, address, clock, changes }: MasterStateParts) {
    this.name = name;
    this.nonce = nonce;
    this.address = address;
    this.#clock = clock;
    this.#changes = changes;
    this.#startedAt = clock.now();
    this.#roleSince = this.#startedAt;
  }

  get role(): MasterRole {
    return this.#role;
  }

  setRole(role: MasterRole): void {
    if (this.#role === role) return;
    this.#role = role;
    this.roleChanges += 1;
    this.#roleSince = this.#clock.now();
  }

  /** The store is open. */
  setIdentity(identity: StoreIdentity): void {
    this.#identity = identity;
  }

  /** @throws OutlastError `unavailable` before the store is open, and once this master stops */
  checkServing(): void {
    if (this.identity !== null && this.#role === "stopping")
      throw new OutlastError("unavailable", "This master is stopping.");
  }

  /** @throws OutlastError `not-leader`; `unavailable` before the store is open */
  checkLeading(): void {
    if (this.identity !== null && this.#role !== "leader") throw this.notLeader();
  }

  /** The same for what needs a commit. @throws OutlastError `unavailable` also while commits hang */
  checkTaking(): void {
    this.checkLeading();
    if (this.isTurningAway) throw this.storeUnavailable();
  }

  get isStoreOpen(): boolean {
    return this.#identity !== null;
  }

  /** @throws OutlastError `unavailable` before the store is open */
  get identity(): StoreIdentity {
    if (this.#identity === null) throw new OutlastError("unavailable", "This master is still starting.");
    return this.#identity;
  }

  /** @throws OutlastError `unavailable` before the store is open */
  status(): MasterStatus {
    const { name, nonce, address, role, epoch, leader, trouble } = this;
    const { incarnation, name: store, durability } = this.identity;
    return {
      name,
      nonce,
      address,
      role,
      epoch,
      seq: this.#changes.seq,
      leader,
      incarnation,
      store,
      durability,
      trouble,
      startedAt: this.#startedAt,
      roleSince: this.#roleSince,
      now: this.#clock.now(),
    };
  }

  /** The record of this master that the other masters read; null while it neither leads nor follows. */
  describe(): Omit<MemberRecord, "beat"> | null {
    const { nonce, name, address, role, epoch } = this;
    if (role !== "leader" && role !== "standby") return null;
    return { nonce, name, address, role, epoch, seq: this.#changes.seq, roleSince: this.#roleSince };
  }

  notLeader(): OutlastError {
    const { leader, address } = this;
    const hint = leader === null ? "An election is in progress. Try again shortly." : "Send the request to the leader.";
    const elsewhere = leader === null || leader === address ? {} : { leader };
    return new OutlastError("not-leader", "This master is not the leader.", { hint, ...elsewhere });
  }

  storeUnavailable(): OutlastError {
    return new OutlastError("unavailable", "The store does not commit at the moment.", {
      hint: "`outlast doctor` says why. Try again: with the same id or idempotency key no task is created twice.",
      reason: this.trouble,
    });
  }
}
