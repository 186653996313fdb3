/** A machine with a master on it: its process dies, is paused, goes on, and is started again at the same address. */

import { Master } from "../../master/master.ts";
import type { ChangeBatch } from "../../master/service/masterApi.ts";
import type { BootId } from "../../model/ids.ts";
import { defaults } from "../../model/limits.ts";
import { StoreUnavailable } from "../../ports/store.ts";
import { simulatedCalendar } from "../calendar/simulatedZones.ts";
import type { RunningMaster } from "./call.ts";
import { type ClockFault, SimulatedClock } from "./clock.ts";
import { textOf } from "./eventReader.ts";
import { SimulatedFiles } from "./files.ts";
import { describeEnd, nodeLog, SimulatedIds } from "./machine.ts";
import { simulatedPeers } from "./peers.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { SimulatedStore } from "./store.ts";
import type { World } from "./world.ts";

interface MasterLife extends RunningMaster {
  readonly master: Master;
  readonly clock: SimulatedClock;
  /** The store is open: from now on it can say how it stands. */
  isOpen: boolean;
  isStopping: boolean;
}

const listenAgainMs = 100;
const blobCollectMs = 1_500;

export class MasterNode {
  readonly machine: string;
  readonly address: string;
  readonly clockFault: ClockFault;
  readonly #world: World;
  readonly #random: Random;
  #life: MasterLife | null = null;
  #lives = 0;
  #isWanted = true;

  constructor(world: World, machine: string) {
    this.machine = machine;
    this.address = `http://${machine}:7070`;
    this.#world = world;
    this.#random = world.random.fork(machine);
    this.clockFault = world.drawClockFault(this.#random, world.knobs.masterClockOffsetMsMax);
  }

  get running(): MasterLife | null {
    return this.#life;
  }

  get isPaused(): boolean {
    return this.#life?.process.isPaused ?? false;
  }

  get isLeading(): boolean {
    const life = this.#life;
    return life !== null && life.isOpen && life.face.status().role === "leader";
  }

  start(): void {
    if (this.#life !== null) return;
    const { timeline, ledger } = this.#world;
    this.#lives += 1;
    const name = `${this.machine}#${this.#lives}`;
    const process = new Process(name, timeline);
    const random = this.#random.fork(`life ${this.#lives}`);
    const clock = new SimulatedClock(
      timeline,
      process,
      this.clockFault,
      random.fork("clock"),
      this.#world.knobs.clockSettleMs,
    );
    const master = new Master({
      name: this.machine,
      address: this.address,
      place: this.machine,
      store: this.#openStore(process, random.fork("store")),
      ...this.#openFiles(process, random),
      clock,
      ids: new SimulatedIds(random.fork("ids")),
      log: nodeLog(timeline, name),
      probe: (host, port, boot) => this.#probe(process, host, port, boot),
      receivers: this.#world.receiver.reachedFrom(process),
      peers: simulatedPeers(this.#world, this.machine, process),
      settings: {
        ...this.#world.knobs.waits,
        ...this.#world.knobs.master,
        clockSettleMs: this.#world.knobs.clockSettleMs,
        // Nearly always in half of the lives, never in the others: so many inputs never wait here.
        aheadRecordsMin: random.fork("ahead").pick([1, 4, defaults.aheadRecordsMin, defaults.aheadRecordsMin]),
        blobCollectMs,
        broadcastAwayMs: this.#world.knobs.broadcastAwayMs,
        blobRemoveWaitMs: random.fork("wait for blobs").pick([0, 2_000, 10_000]),
        calendar: simulatedCalendar(Number(/\d+$/.exec(this.machine)?.[0])),
      },
    });
    const life: MasterLife = { process, master, face: master.service, clock, isOpen: false, isStopping: false };
    this.#life = life;
    const { offsetMs, drift } = this.clockFault;
    ledger.add({ kind: "clock-set", node: this.machine, offsetMs, drift });
    ledger.add({ kind: "start", node: this.machine, life: name });
    timeline.trace(`${name} starts`);
    master.start().then(
      () => {
        life.isOpen = true;
        this.#listen(life);
      },
      (error: unknown) => this.#ended(life, error),
    );
    void master.ended.then((error) => this.#ended(life, error));
  }

  /** SIGKILL. */
  crash(): void {
    const life = this.#life;
    if (life === null) return;
    const wasLeading = this.isLeading;
    if (wasLeading) this.#noteDeath(life);
    this.#world.timeline.trace(`${life.process.name} is killed`);
    this.#world.ledger.add({ kind: "crash", node: this.machine, life: life.process.name, wasLeading });
    this.#world.drifts += driftsOf(life);
    this.#life = null;
    life.process.die();
  }

  pause(): void {
    const life = this.#life;
    if (life === null || life.process.isPaused) return;
    this.#world.timeline.trace(`${life.process.name} is paused`);
    this.#world.ledger.add({ kind: "pause", node: this.machine, life: life.process.name });
    life.process.pause();
  }

  resume(): void {
    const life = this.#life;
    if (life === null || !life.process.isPaused) return;
    this.#world.timeline.trace(`${life.process.name} goes on`);
    this.#world.ledger.add({ kind: "resume", node: this.machine, life: life.process.name });
    life.process.resume();
  }

  /** SIGTERM: it resigns and leaves. A supervisor starts it again. */
  stop(): void {
    const life = this.#life;
    if (life === null || !life.isOpen || life.isStopping || life.process.isPaused) return;
    this.#world.timeline.trace(`${life.process.name} is told to stop`);
    life.isStopping = true;
    this.#world.ledger.add({ kind: "stop", node: this.machine, life: life.process.name, wasLeading: this.isLeading });
    if (this.isLeading) this.#world.coverage.saw("a leader resigned and another took over");
    life.master.stop().catch((error: unknown) => this.#world.broke(life.process.name, error));
  }

  jumpClock(byMs: number): void {
    this.clockFault.offsetMs += byMs;
    this.#world.timeline.trace(`the clock of ${this.machine} jumps by ${byMs} ms`);
    const { offsetMs, drift } = this.clockFault;
    this.#world.ledger.add({ kind: "clock-set", node: this.machine, offsetMs, drift });
    this.#life?.clock.stepped();
  }

  /** Somebody who follows every change, as a dashboard does: nothing may be told before it is true. */
  #listen({ process, face }: Pick<MasterLife, "process" | "face">): void {
    const listener = (batch: ChangeBatch): void => {
      const { seq, epoch, writes } = batch;
      this.#world.ledger.add({ kind: "sent-change", life: process.name, seq, epoch, text: textOf(batch) });
      if (face.status().role === "standby" && writes.some((write) => write.kind === "digest")) {
        this.#world.coverage.saw("a standby compared its memory with the leader's");
      }
    };
    // Refused until the journal has been read.
    const onGap = (): void => {
      // A leader that was deposed passes over entries, too, before it stands by.
      if (face.status().role !== "standby") return;
      this.#world.coverage.saw("a standby was overtaken by compaction and read its memory anew");
    };
    face
      .changes(null, listener, onGap)
      .catch(() => process.after(listenAgainMs, () => this.#listen({ process, face })));
  }

  #openStore(process: Process, random: Random): SimulatedStore {
    const { disk, engine, storeWeather: weather, network, timeline, ledger, coverage } = this.#world;
    const { machine } = this;
    return new SimulatedStore({ machine, disk, engine, weather, network, process, timeline, random, ledger, coverage });
  }

  /** None where nobody has files: masters then look for none. */
  #openFiles(process: Process, random: Random): { readonly blobs?: SimulatedFiles } {
    const { files, knobs, ledger } = this.#world;
    if (knobs.blobActs === 0) return {};
    return { blobs: new SimulatedFiles({ place: files, process, random: random.fork("files"), ledger }) };
  }

  async #probe(
    process: Process,
    host: string,
    port: number,
    boot: BootId,
  ): Promise<"refused" | "connected" | "unknown"> {
    const { network } = this.#world;
    await process.sleep(network.latency() * 2);
    const worker = this.#world.workers.find((candidate) => candidate.machine === host);
    if (worker === undefined || network.isCut(this.machine, host) || network.isCut(host, this.machine))
      return "unknown";
    if (this.#refusesFor(host)) return "refused";
    return worker.answersAt(port, boot);
  }

  /** Something between this master and some of the workers refuses in their name. */
  #refusesFor(worker: string): boolean {
    return this.#world.knobs.refusingBetween && this.#random.fork(`refuses for ${worker}`).chance(0.3);
  }

  #noteDeath({ process }: MasterLife): void {
    const { coverage, ledger } = this.#world;
    coverage.saw("a master died while it led");
    const lastOwn = ledger.events.findLast((event) => event.kind === "append" && event.life === process.name);
    const isLanded = lastOwn?.kind === "append" && this.#world.disk.seq >= lastOwn.seq;
    if (lastOwn !== undefined && !isLanded) coverage.saw("a master died with an append under way");
    if (this.#world.disk.hasUnclaimed)
      coverage.saw("a leader died after an adoption that the store's documents did not show yet");
  }

  /** It left by itself: a supervisor starts it again. */
  #ended(life: MasterLife, error: unknown): void {
    if (this.#life !== life) return;
    const { timeline, ledger } = this.#world;
    const text = describeEnd(error);
    timeline.trace(`${life.process.name} ends${text === null ? "" : `: ${text}`}`);
    ledger.add({ kind: "exit", node: this.machine, life: life.process.name, error: text });
    // A master may find its store shut; it must never find its own memory or journal wrong.
    if (text !== null && !(error instanceof StoreUnavailable)) this.#world.broke(life.process.name, error);
    this.#world.drifts += driftsOf(life);
    this.#life = null;
    life.process.die();
    timeline.after(this.#random.integer(200, 2000), () => {
      if (this.#isWanted) this.start();
    });
  }
}

function driftsOf({ face }: MasterLife): number {
  return face.stats().drifts;
}
