/**
 * The life of a master: it follows the journal until it wins an election, leads until it is deposed, and begins again. `#live`
 * is that loop. What the API asks of a master is answered by its `service`.
 */

import { Candidate, type CandidateSettings } from "../core/election/candidate.ts";
import type { SchedulerSettings } from "../core/scheduler/state.ts";
import type { OutlastError } from "../model/errors.ts";
import { nonceAt } from "../model/ids.ts";
import { defaults, limits } from "../model/limits.ts";
import { noCalendar } from "../model/schedules/schedule.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Clock } from "../ports/clock.ts";
import type { Ids } from "../ports/ids.ts";
import type { Log } from "../ports/log.ts";
import type { Peers } from "../ports/peers.ts";
import { noReceivers, type Receivers } from "../ports/receivers.ts";
import type { Store } from "../ports/store.ts";
import type { Probe } from "../ports/transport.ts";
import { Adopter } from "./journal/adopter.ts";
import { AttemptReader } from "./journal/attemptReader.ts";
import { BlobCollector } from "./journal/blobCollector.ts";
import { CollectionGaps } from "./journal/collectionGaps.ts";
import { GraphReader } from "./journal/graphReader.ts";
import { Housekeeper, type HousekeepingSettings } from "./journal/housekeeper.ts";
import { Inbox } from "./journal/inbox.ts";
import type { ChangeBatch } from "./journal/journal.ts";
import { LoopStats } from "./journal/loopStats.ts";
import { Outbox } from "./journal/outbox.ts";
import { Payloads } from "./journal/payloads.ts";
import { ReadBarrier } from "./journal/readBarrier.ts";
import { Requests } from "./journal/requests.ts";
import { Election } from "./leadership/election.ts";
import { LeaderBeats } from "./leadership/leaderBeats.ts";
import { LeaseGuard } from "./leadership/leaseGuard.ts";
import { Membership } from "./leadership/membership.ts";
import { type Lead, Standby } from "./leadership/standby.ts";
import { Term } from "./leadership/term.ts";
import { MasterState } from "./masterState.ts";
import { MasterService } from "./service/masterService.ts";
import { Changes } from "./streams/changes.ts";
import { ClusterLog } from "./streams/clusterLog.ts";
import { LogOwners } from "./streams/logOwners.ts";
import { ProgressBoard } from "./streams/progressBoard.ts";
import { Streams } from "./streams/streams.ts";
import { Deliverer } from "./webhooks/deliverer.ts";

export interface MasterSettings extends SchedulerSettings, CandidateSettings, HousekeepingSettings {
  readonly tailPollMs: number;
  /** After this long without a commit, a leader makes one before it answers anything, to prove that it still leads. */
  readonly leaderIdleMsMax: number;
  /** See `Term`. */
  readonly aheadRecordsMin: number;
  readonly heartbeatMs: number;
  /** How often blobs that nothing refers to are looked for. */
  readonly blobCollectMs: number;
}

export interface MasterOptions {
  readonly name: string;
  /** Base URL that others reach this master at; `start` may still correct it. */
  readonly address: string;
  /** A digest of the machine and port that it listens on; two living processes never share one. Null if that is unknown. */
  readonly place?: string | null;
  readonly store: Store;
  /** Where files are kept; left out for a master that takes none. It is opened and closed by whoever made it. */
  readonly blobs?: Blobs;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
  readonly probe: Probe;
  readonly peers: Peers;
  /** How webhooks are delivered; left out for a master that delivers none. */
  readonly receivers?: Receivers;
  readonly settings?: Partial<MasterSettings>;
}

export class Master {
  /** Answers the API from now on, also before `start` and after the end. */
  readonly service: MasterService;
  /** Resolves when this master has stopped: with null if it was asked to, with the reason if it could not go on. */
  readonly ended: Promise<Error | null>;

  readonly #options: MasterOptions;
  readonly #settings: MasterSettings;
  readonly #state: MasterState;
  readonly #inbox: Inbox;
  readonly #requests = new Requests();
  readonly #gaps = new CollectionGaps();
  readonly #readBarrier: ReadBarrier;
  readonly #payloads: Payloads;
  readonly #streams: Streams;
  readonly #changes: Changes;
  readonly #progress = new ProgressBoard();
  readonly #logOwners: LogOwners;
  readonly #graphReader: GraphReader;
  readonly #attemptReader: AttemptReader;
  readonly #outbox: Outbox;
  readonly #stats = new LoopStats();
  readonly #membership: Membership;
  readonly #clusterLog: ClusterLog;
  readonly #leaseGuard: LeaseGuard;
  readonly #beats: LeaderBeats;
  #standby: Standby | null = null;
  #term: Term | null = null;
  #isStopping = false;
  /** A bug in the election; this master ends with it. */
  #failure: Error | null = null;
  #end: (reason: Error | null) => void = () => undefined;

  constructor(options: MasterOptions) {
    const { name, address, store, clock, log, ids, probe } = options;
    this.#options = options;
    this.#settings = { ...defaults, calendar: noCalendar, ...options.settings };
    const inbox = new Inbox(clock);
    const requests = this.#requests;
    const readBarrier = new ReadBarrier(inbox);
    const streams = new Streams(clock);
    const changes = new Changes(store, log, this.#gaps);
    const payloads = new Payloads(store);
    const logOwners = new LogOwners(store);
    const state = new MasterState({
      name,
      nonce: nonceAt(options.place ?? null, ids.random()),
      address,
      clock,
      changes,
    });
    const membership = new Membership({ store, clock, log, state });
    this.#inbox = inbox;
    this.#readBarrier = readBarrier;
    this.#streams = streams;
    this.#changes = changes;
    this.#payloads = payloads;
    this.#logOwners = logOwners;
    this.#state = state;
    this.#membership = membership;
    this.#clusterLog = new ClusterLog(log);
    const graphReader = new GraphReader({ store, clock, log, inbox, payloads });
    this.#graphReader = graphReader;
    const attemptReader = new AttemptReader({ store, clock, log, inbox });
    this.#attemptReader = attemptReader;
    const outboxParts = { clock, log, probe, inbox, requests, streams, payloads, graphReader, attemptReader };
    this.#outbox = new Outbox({ ...outboxParts, progress: this.#progress, blobs: options.blobs ?? null });
    const { leaderIdleMsMax: doubtMs, leaseTtlMs, heartbeatMs } = this.#settings;
    this.#beats = new LeaderBeats(clock, this.#settings.tailPollMs);
    this.#leaseGuard = new LeaseGuard({ clock, doubtMs, leaseTtlMs, readBarrier, inbox, streams });
    this.service = new MasterService({
      ...{
        store,
        clock,
        ids,
        log,
        inbox,
        requests,
        streams,
        changes,
        state,
        membership,
        readBarrier,
        logOwners,
        beats: this.#beats,
        heartbeatMs,
        calendar: this.#settings.calendar,
        blobs: options.blobs ?? null,
        receivers: options.receivers ?? noReceivers,
      },
      stats: this.#stats,
      progress: this.#progress,
    });
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /**
   * Opens the store and begins to follow; whether and when it leads is decided later.
   * @param address the base URL it can be reached at, where that is known only now
   * @throws StoreRefused
   */
  async start(address: string = this.#state.address): Promise<void> {
    const { store, clock, log, peers } = this.#options;
    const state = this.#state;
    state.address = address;
    state.setIdentity(await store.open());
    const election = new Election({
      candidate: new Candidate(state.nonce, address, this.#settings),
      ...{ store, clock, log, peers, state },
      stats: this.#stats,
      leaseGuard: this.#leaseGuard,
      beats: this.#beats,
      onBroken: (error) => {
        this.#failure = error;
        this.#halt();
      },
    });
    this.#membership.start();
    void this.#live(election).then(
      () => this.#end(null),
      (error: unknown) => this.#end(error instanceof Error ? error : new Error(String(error))),
    );
  }

  /** Stops after the batch in flight, with a resignation so that a standby need not wait. A second call only waits. */
  async stop(): Promise<void> {
    if (!this.#state.isStoreOpen) return;
    this.#halt();
    await this.ended;
  }

  #halt(): void {
    this.#isStopping = true;
    this.#state.setRole("stopping");
    this.#standby?.stop();
    this.#term?.stop();
  }

  async #live(election: Election): Promise<void> {
    const unlisten = this.#options.clock.onJump((byMs) => {
      election.tell({ kind: "clock-gap", forMs: byMs });
      if (this.#state.role === "leader") this.#inbox.push({ kind: "clock-gap", forMs: byMs, cause: "clock" });
    });
    try {
      while (!this.#isStopping) {
        const lead = await this.#follow(election);
        if (lead === null) break;
        await this.#lead(election, lead);
      }
      if (this.#failure !== null) throw this.#failure;
    } finally {
      this.#state.setRole("stopping");
      unlisten();
      await election.resign();
      await this.#membership.stop();
      await this.#options.store.close();
    }
  }

  /** Keeps up with the journal until the lead is won; null if this master is stopped before. */
  async #follow(election: Election): Promise<Lead | null> {
    const { store, clock, log, probe } = this.#options;
    this.#standby = new Standby({
      ...{ store, clock, log, probe, election },
      settings: this.#settings,
      state: this.#state,
      stats: this.#stats,
      changes: this.#changes,
      gaps: this.#gaps,
    });
    const lead = await this.#standby.run();
    this.#standby = null;
    return lead;
  }

  /** Leads for one term. When it ends, all memory of it is dropped: the journal is the truth. */
  async #lead(election: Election, { scheduler, position }: Lead): Promise<void> {
    const { store, clock, log } = this.#options;
    const state = this.#state;
    const { epoch } = position;
    const effects = scheduler.activate(clock.now(), epoch, position.seq, clock.lagMs());
    state.epoch = epoch;
    state.leader = state.address;
    state.scheduler = scheduler;
    const housekeeper = new Housekeeper({
      ...{ store, clock, log },
      settings: this.#settings,
      pinned: () => scheduler.pinned(),
      seqOfSlowest: () => this.#membership.seqOfSlowest(),
      forget: (tasks, seq) => this.#inbox.push({ kind: "forget", tasks, seq }),
      forgetAudit: (ids) => this.#inbox.push({ kind: "forget-audit", ids }),
    });
    const deliverer = this.#makeDeliverer();
    this.#term = new Term({
      ...{ epoch, scheduler, position, store, clock, log, state },
      inbox: this.#inbox,
      stats: this.#stats,
      readBarrier: this.#readBarrier,
      unconfirmedMsMax: this.#settings.leaderIdleMsMax,
      aheadRecordsMin: this.#settings.aheadRecordsMin,
      isWanted: (input) => !("request" in input) || this.#requests.isOpen(input.request),
      onCommitted: (batch, texts) => {
        this.#noteCommitted(housekeeper, batch, texts);
        deliverer.note(batch.writes);
      },
      onSteps: (now, steps) => {
        this.#stats.noteSteps(now, steps);
        this.#clusterLog.noteSteps(steps);
      },
      release: (released) => this.#outbox.release(epoch, released),
      onTrouble: () => this.#turnAway(),
      onAnswered: () => {
        state.isTurningAway = false;
        state.trouble = null;
        this.#leaseGuard.hold();
      },
    });
    this.#clusterLog.begin(scheduler.workerRecords());
    const collector = new BlobCollector({
      ...{ store, clock, log },
      blobs: this.#options.blobs ?? null,
      everyMs: this.#settings.blobCollectMs,
      collect: (seen) => this.#inbox.push({ kind: "collect-blobs", seen }),
    });
    const adopter = new Adopter({ store, clock, log, submit: (tasks) => this.service.adopt(tasks) });
    this.#leaseGuard.begin();
    this.#beats.begin(epoch, position.seq);
    this.#logOwners.clear();
    this.#inbox.open();
    this.#outbox.release(epoch, effects);
    // An earlier term may have ended during an outage of the store.
    state.isTurningAway = false;
    state.setRole("leader");
    log.info("leading", { epoch, seq: position.seq });
    election.tell({ kind: "elected", epoch });
    this.#streams.startBeats(epoch, this.#settings.heartbeatMs);
    housekeeper.start();
    adopter.start();
    collector.start();
    deliverer.start(scheduler.webhookRecords());
    const end = await this.#term.run();
    if (end === "deposed") log.warn("deposed: another master leads now; all memory is dropped", { epoch });
    housekeeper.stop();
    adopter.stop();
    collector.stop();
    deliverer.stop();
    this.#leaseGuard.end();
    this.#term = null;
    state.leader = null;
    state.setRole(this.#isStopping ? "stopping" : "starting");
    this.#forgetTerm();
    if (end !== "deposed") return;
    this.#beats.end();
    election.tell({ kind: "deposed" });
  }

  /** What belonged to the lead alone is dropped, and whoever waits for it is told. */
  #forgetTerm(): void {
    this.#inbox.shut();
    this.#payloads.clear();
    this.#graphReader.clear();
    this.#attemptReader.clear();
    this.#progress.clear();
    this.#streams.closeAll();
    this.#rejectAll(() => this.#state.notLeader());
  }

  #makeDeliverer(): Deliverer {
    const { store, clock, log, receivers = noReceivers } = this.#options;
    return new Deliverer({
      ...{ store, clock, log, receivers },
      incarnation: this.#state.identity.incarnation,
      onOutcomes: (outcomes) => this.#inbox.push({ kind: "note-deliveries", outcomes }),
    });
  }

  #noteCommitted(housekeeper: Housekeeper, batch: ChangeBatch, texts: readonly string[]): void {
    let bytes = 0;
    batch.writes.forEach((write, index) => {
      const text = texts[index] ?? "";
      bytes += text.length;
      this.#payloads.note(write, text);
      this.#logOwners.note(write);
      this.#clusterLog.note(write);
    });
    this.#progress.committed(batch.writes);
    housekeeper.note(batch.seq, bytes);
    this.#changes.publish(batch);
    this.#beats.noteCommitted(batch.seq);
  }

  /** The store does not answer: all who wait are told so, and new requests are refused at once, until it does. */
  #turnAway(): void {
    const state = this.#state;
    state.isTurningAway = true;
    // A store that says nothing, as on a disk that hangs, has given no reason.
    state.trouble ??= `slow: The store has not answered a commit for ${limits.commitWaitMsMax / 1000} s. Is its disk slow, or does it hang?`;
    this.#rejectAll(() => state.storeUnavailable());
  }

  #rejectAll(error: () => OutlastError): void {
    this.#readBarrier.rejectAll(error);
    this.#requests.rejectAll(error);
  }
}
