/**
 * A master: follows the journal until it is its turn, leads until it is deposed, and begins again. Its life is `#live`, read
 * from there; the rest hands questions to the scheduler and answers from the store.
 */

import { Candidate, type CandidateSettings } from "../core/election/candidate.ts";
import type { SchedulerEffect } from "../core/scheduler/effects.ts";
import type { Scheduler } from "../core/scheduler/scheduler.ts";
import type { SchedulerSettings } from "../core/scheduler/state.ts";
import { OutlastError } from "../model/errors.ts";
import type { Nonce } from "../model/ids.ts";
import { defaults } from "../model/limits.ts";
import type { MemberRecord, MemberView } from "../model/member.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import type { Peers } from "../ports/peers.ts";
import type { Store, StoreIdentity } from "../ports/store.ts";
import type { Probe } from "../ports/transport.ts";
import { Housekeeper, type HousekeepingSettings } from "./journal/housekeeper.ts";
import { Inbox } from "./journal/inbox.ts";
import { LoopStats } from "./journal/loopStats.ts";
import { Outbox } from "./journal/outbox.ts";
import { Payloads } from "./journal/payloads.ts";
import { Election } from "./leadership/election.ts";
import { LeaseGuard } from "./leadership/leaseGuard.ts";
import { Membership } from "./leadership/membership.ts";
import { type Lead, Standby } from "./leadership/standby.ts";
import { Term } from "./leadership/term.ts";
import type { ChangeBatch, MasterStats, MasterStatus } from "./service/masterApi.ts";
import { MasterService } from "./service/masterService.ts";
import { Requests } from "./service/requests.ts";
import { Changes } from "./streams/changes.ts";
import { Streams } from "./streams/streams.ts";

export interface MasterSettings extends SchedulerSettings, CandidateSettings, HousekeepingSettings {
  readonly tailPollMs: number;
  /** Without a commit for this long, a leader proves by one that it still leads before it answers anything. */
  readonly leaderIdleMsMax: number;
  readonly heartbeatMs: number;
}

export interface MasterOptions {
  readonly name: string;
  /** Base URL others reach this master at; `start` may still correct it. */
  readonly address: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly probe: Probe;
  readonly peers: Peers;
  readonly settings?: Partial<MasterSettings>;
}

export class Master extends MasterService {
  /** Resolves when this master has stopped: with null if it was asked to, with the reason if it could not go on. */
  readonly ended: Promise<Error | null>;

  readonly #options: MasterOptions;
  readonly #settings: MasterSettings;
  readonly #nonce: Nonce;
  readonly #inbox: Inbox;
  readonly #requests: Requests;
  readonly #payloads: Payloads;
  readonly #streams: Streams;
  readonly #changes: Changes;
  readonly #outbox: Outbox;
  readonly #stats = new LoopStats();
  readonly #membership: Membership;
  #address: string;
  #identity: StoreIdentity | null = null;
  #election: Election | null = null;
  #term: Term | null = null;
  #housekeeper: Housekeeper | null = null;
  #leaseGuard: LeaseGuard | null = null;
  #standby: Standby | null = null;
  /** The epoch that the candidate wants to end; null while it does not. */
  #epochToEnd: number | null = null;
  #role: MasterStatus["role"] = "starting";
  #roleSince: number;
  readonly #startedAt: number;
  #epoch = 0;
  #leader: string | null = null;
  #trouble: string | null = null;
  #scheduler: Scheduler | null = null;
  #isStopping = false;
  #unlisten: () => void = () => undefined;
  #end: (reason: Error | null) => void = () => undefined;

  constructor(options: MasterOptions) {
    const { store, clock, log, ids } = options;
    const inbox = new Inbox(clock);
    const requests = new Requests();
    const streams = new Streams(clock);
    const changes = new Changes(store, log);
    super({
      store,
      clock,
      ids,
      log,
      inbox,
      requests,
      streams,
      changes,
      heartbeatMs: options.settings?.heartbeatMs ?? defaults.heartbeatMs,
    });
    this.#options = options;
    this.#settings = { ...defaults, ...options.settings };
    this.#address = options.address;
    this.#nonce = ids.random() as Nonce;
    this.#inbox = inbox;
    this.#requests = requests;
    this.#streams = streams;
    this.#changes = changes;
    this.#payloads = new Payloads(store);
    this.#outbox = new Outbox({ clock, log, probe: options.probe, inbox, requests, streams, payloads: this.#payloads });
    this.#membership = new Membership({ store, clock, log, describe: () => this.#describe() });
    this.#startedAt = clock.now();
    this.#roleSince = this.#startedAt;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * Opens the store and begins to follow; whether and when it leads is decided later.
   * @param address the base URL it can be reached at, where that is known only now
   * @throws StoreRefused
   */
  async start(address: string = this.#address): Promise<void> {
    const { store, clock, log, peers } = this.#options;
    this.#address = address;
    this.#identity = await store.open();
    const candidate = new Candidate(this.#nonce, address, this.#settings);
    this.#election = new Election({
      candidate,
      store,
      clock,
      log,
      peers,
      onTakeOver: (reason, epoch) => this.#wantToLead(reason, epoch),
      onRival: () => void this.prove().catch(() => undefined),
      onRenewal: () => this.#leaseGuard?.check(),
      onRenewed: () => this.#leaseGuard?.hold(),
      slowCommitMs: (now) => this.#stats.slowCommitMs(now),
      onLease: (lease) => {
        // A new leader's marker is in the journal before its first lease is written.
        if (this.#role === "leader" || (lease !== null && lease.epoch < this.#epoch)) return;
        this.#leader = lease === null || lease.isResigned ? null : lease.address;
      },
    });
    this.#unlisten = clock.onJump((byMs) => {
      this.#election?.tell({ kind: "clock-gap", forMs: byMs });
      if (this.#role === "leader") this.#inbox.push({ kind: "clock-gap", forMs: byMs });
    });
    this.#membership.start();
    void this.#live().then(
      () => this.#end(null),
      (error: unknown) => this.#end(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** Leaves: after the batch in flight, with a resignation so that a standby need not wait. A second call only waits. */
  async stop(): Promise<void> {
    if (this.#identity === null) return;
    this.#isStopping = true;
    this.#setRole("stopping");
    this.#standby?.stop();
    this.#term?.stop();
    await this.ended;
  }

  status(): MasterStatus {
    return {
      name: this.#options.name,
      nonce: this.#nonce,
      address: this.#address,
      role: this.#role,
      epoch: this.#epoch,
      seq: this.#changes.seq,
      leader: this.#leader,
      incarnation: this.identity.incarnation,
      store: this.identity.name,
      durability: this.identity.durability,
      trouble: this.#term?.trouble ?? this.#standby?.trouble ?? this.#trouble,
      startedAt: this.#startedAt,
      roleSince: this.#roleSince,
    };
  }

  stats(): MasterStats {
    const { commits, inputs, writes, drifts, elections, roleChanges } = this.#stats;
    return {
      commits,
      inputs,
      writes,
      inboxLength: this.#inbox.length,
      tasks: this.#scheduler?.countTasks() ?? {},
      workersConnected: this.#scheduler?.countConnectedWorkers() ?? 0,
      commitMs: this.#stats.commitMs(),
      drifts,
      elections,
      roleChanges,
    };
  }

  members(): readonly MemberView[] {
    return this.#membership.members();
  }

  protected override get identity(): StoreIdentity {
    if (this.#identity === null) throw new OutlastError("unavailable", "This master is still starting.");
    return this.#identity;
  }

  /** Finds out at once whether we still lead. */
  protected override async prove(): Promise<number> {
    if (this.#term === null) throw this.notLeader();
    return this.#term.prove();
  }

  async #live(): Promise<void> {
    try {
      while (!this.#isStopping) {
        const lead = await this.#follow();
        if (lead === null) break;
        await this.#lead(lead);
      }
    } finally {
      this.#setRole("stopping");
      this.#unlisten();
      await this.#election?.resign();
      await this.#membership.stop();
      await this.#options.store.close();
    }
  }

  /** Keeps up with the journal until the lead is won; null if this master is stopped before. */
  async #follow(): Promise<Lead | null> {
    const { store, clock, log, probe } = this.#options;
    let isElectionOpen = false;
    this.#standby = new Standby({
      store,
      clock,
      log,
      probe,
      settings: this.#settings,
      nonce: this.#nonce,
      address: this.#address,
      onEntry: (batch) => this.#notice(batch),
      onCaughtUp: (scheduler, position) => {
        this.#scheduler = scheduler;
        this.#changes.startAt(position.seq);
        this.#election?.tell({ kind: "led", epoch: position.epoch, address: null });
        this.#epoch = position.epoch;
        this.#trouble = null;
        if (!this.#isStopping) this.#setRole("standby");
        // Only who is warm may want to lead.
        if (!isElectionOpen) this.#election?.tell({ kind: "tick" });
        isElectionOpen = true;
      },
      onTrouble: (trouble) => {
        if (this.#trouble === null) log.warn("the journal cannot be read", { trouble });
        this.#trouble = trouble;
      },
      onDrift: (seq) => {
        this.#stats.drifts += 1;
        log.error("this standby's memory had drifted from the leader's and was read anew; please report this", { seq });
      },
      onLost: () => {
        this.#epochToEnd = null;
        this.#election?.tell({ kind: "deposed" });
      },
    });
    if (this.#epochToEnd !== null) this.#standby.wantLead(this.#epochToEnd);
    const lead = await this.#standby.run();
    this.#standby = null;
    this.#epochToEnd = null;
    return lead;
  }

  /** Leads for one term. When it ends, all memory of it is dropped: what is true is in the journal. */
  async #lead({ scheduler, position }: Lead): Promise<void> {
    const { store, clock, log } = this.#options;
    const effects = scheduler.activate(clock.now(), position.epoch, position.seq);
    this.#epoch = position.epoch;
    this.#leader = this.#address;
    this.#scheduler = scheduler;
    this.#term = new Term({
      epoch: position.epoch,
      nonce: this.#nonce,
      scheduler,
      position,
      store,
      clock,
      log,
      inbox: this.#inbox,
      stats: this.#stats,
      unconfirmedMsMax: this.#settings.leaderIdleMsMax,
      isWanted: (input) => !("request" in input) || this.#requests.isOpen(input.request),
      onCommitted: (batch, texts) => this.#noteCommitted(batch, texts),
      release: (effects: readonly SchedulerEffect[]) => this.#outbox.release(position.epoch, effects),
      onTrouble: () => this.#turnAway(),
    });
    this.#leaseGuard = new LeaseGuard({
      clock,
      doubtMs: this.#settings.leaderIdleMsMax,
      leaseTtlMs: () => this.#election?.ttlMs ?? this.#settings.leaseTtlMs,
      prove: () => void this.prove().catch(() => undefined),
      inbox: this.#inbox,
      streams: this.#streams,
    });
    this.#inbox.open();
    this.#outbox.release(position.epoch, effects);
    // A former term may have ended in the middle of an outage.
    this.isTurningAway = false;
    this.#setRole("leader");
    log.info("leading", { epoch: position.epoch, seq: position.seq });
    this.#election?.tell({ kind: "elected", epoch: position.epoch });
    this.#streams.startBeats(position.epoch, this.#settings.heartbeatMs);
    this.#housekeeper = new Housekeeper({
      store,
      clock,
      log,
      settings: this.#settings,
      seqOfSlowest: () => this.#membership.seqOfSlowest(),
      forget: (tasks) => this.#inbox.push({ kind: "forget", tasks }),
    });
    this.#housekeeper.start();
    const end = await this.#term.run();
    this.#term.rejectBarriers(() => this.notLeader());
    if (end === "deposed")
      log.warn("deposed: another master leads now; all memory is dropped", { epoch: position.epoch });
    this.#housekeeper.stop();
    this.#housekeeper = null;
    this.#leaseGuard = null;
    this.#term = null;
    this.#leader = null;
    this.#setRole(this.#isStopping ? "stopping" : "starting");
    this.#inbox.shut();
    this.#payloads.clear();
    this.#streams.closeAll();
    this.#requests.rejectAll(() => this.notLeader());
    if (end === "deposed") this.#election?.tell({ kind: "deposed" });
  }

  /** The note that this master leaves of itself for the others. */
  #describe(): Omit<MemberRecord, "beat"> | null {
    const role = this.#role;
    if (role !== "leader" && role !== "standby") return null;
    const { nonce, name, address, epoch, seq, roleSince } = this.status();
    return { nonce, name, address, role, epoch, seq, roleSince };
  }

  #noteCommitted(batch: ChangeBatch, texts: readonly string[]): void {
    this.isTurningAway = false;
    this.#leaseGuard?.hold();
    let bytes = 0;
    for (const [index, write] of batch.writes.entries()) {
      const text = texts[index] ?? "";
      bytes += text.length;
      this.#payloads.note(write, text);
    }
    this.#housekeeper?.note(batch.seq, bytes);
    this.#changes.publish(batch);
  }

  #notice(batch: ChangeBatch): void {
    this.#epoch = batch.epoch;
    for (const write of batch.writes) {
      if (write.kind !== "marker") continue;
      this.#leader = write.address;
      this.#stats.elections += 1;
      this.#election?.tell({ kind: "led", epoch: batch.epoch, address: write.address });
    }
    this.#changes.publish(batch);
  }

  /** The store does not answer: whoever waits is told so, and newcomers are not kept waiting, until it does. */
  #turnAway(): void {
    this.isTurningAway = true;
    this.#requests.rejectAll(() => this.storeAway());
    this.#term?.rejectBarriers(() => this.storeAway());
  }

  #wantToLead(reason: string, epoch: number): void {
    this.#options.log.info("standing for election", { reason });
    // Between two stretches of following the wish waits for the next one.
    this.#epochToEnd = epoch;
    this.#standby?.wantLead(epoch);
  }

  #setRole(role: MasterStatus["role"]): void {
    if (this.#role === role) return;
    this.#role = role;
    this.#stats.roleChanges += 1;
    this.#roleSince = this.#options.clock.now();
  }
}
