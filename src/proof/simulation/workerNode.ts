/** A machine with a worker on it: its process dies, is paused, drains and comes back as a new boot, mostly with its disk. */
import type { BootId, WorkerId } from "../../model/ids.ts";
import { remoteLabel } from "../../model/kinds/remote.ts";
import type { StreamMessage } from "../../model/protocol.ts";
import { Worker } from "../../worker/worker.ts";
import { call } from "./call.ts";
import { type ClockFault, SimulatedClock } from "./clock.ts";
import { remoteKinds, SimulatedExecutor } from "./executor.ts";
import { jobKinds } from "./jobRuns.ts";
import { simulatedDial } from "./link.ts";
import { describeEnd, nodeLog } from "./machine.ts";
import { SimulatedOutbox, WorkerDisk } from "./outbox.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { serviceName } from "./remoteService.ts";
import { SimulatedSpool } from "./spool.ts";
import type { SimulatedStream } from "./stream.ts";
import type { World } from "./world.ts";

interface WorkerLife {
  readonly process: Process;
  readonly boot: BootId;
  readonly worker: Worker;
  readonly executor: SimulatedExecutor;
  readonly clock: SimulatedClock;
  readonly port: number;
  stream: SimulatedStream<StreamMessage> | null;
  isDraining: boolean;
}

export class WorkerNode {
  readonly machine: string;
  readonly id: WorkerId;
  readonly capacity: number;
  readonly queues: readonly string[];
  readonly labels: readonly string[];
  /** The kinds that it says it can run, and those that it can. */
  readonly #kinds: readonly string[];
  readonly #able: readonly string[];
  readonly disk = new WorkerDisk();
  readonly clockFault: ClockFault;
  readonly #world: World;
  readonly #random: Random;
  /** Some processes listen where a refused connection proves their death; a proxy may stand before others. */
  readonly #listens: boolean;
  /** Some have a supervisor that tells the master when they die. */
  readonly #isSupervised: boolean;
  #life: WorkerLife | null = null;
  #lives = 0;

  constructor(world: World, machine: string) {
    this.machine = machine;
    this.id = machine as WorkerId;
    this.#world = world;
    this.#random = world.random.fork(machine);
    this.clockFault = world.drawClockFault(this.#random, world.knobs.clockOffsetMsMax);
    this.capacity = this.#random.pick([1, 1, 2, 4]);
    // The first worker serves every queue, so that no task waits for ever.
    const all = world.knobs.queues;
    this.queues = machine === "worker-1" || this.#random.chance(0.6) ? all : [this.#random.pick(all)];
    // And can run every kind, with every label.
    const offer = this.#random.fork("offer");
    const { kinds, labels } = world.knobs;
    const isFirst = machine === "worker-1";
    const isAble = () => isFirst || offer.chance(0.8);
    this.labels = labels.filter(isAble);
    this.#able = kinds.filter(isAble);
    // Another version of the code on its disk, perhaps: some say that they can run what they cannot.
    this.#kinds = offer.chance(0.2) ? kinds : this.#able;
    if (world.knobs.jobActs > 0) {
      this.#able = [...this.#able, ...jobKinds];
      this.#kinds = [...this.#kinds, ...jobKinds];
    }
    const knowsService = world.knobs.remoteActs > 0 && (isFirst || this.#random.fork("service").chance(0.3));
    if (knowsService) {
      this.labels = [...this.labels, remoteLabel(serviceName)];
      this.#able = [...this.#able, ...remoteKinds];
      this.#kinds = [...this.#kinds, ...remoteKinds];
    }
    this.#listens = this.#random.chance(0.6);
    this.#isSupervised = this.#random.chance(0.4);
  }

  get process(): Process | null {
    return this.#life?.process ?? null;
  }

  get isDraining(): boolean {
    return this.#life?.isDraining ?? false;
  }

  /** True while a master has yet to store what its attempts have printed. */
  get hasOutput(): boolean {
    return this.#life?.executor.hasOutput === true;
  }

  get runningCount(): number {
    return this.#life?.executor.runningCount ?? 0;
  }

  /** What a knock at this port brings: a stopped process does not say who it is. */
  answersAt(port: number, boot: BootId): "refused" | "connected" | "unknown" {
    if (this.#life?.port !== port) return "refused";
    return this.#life.boot === boot && !this.#life.process.isPaused ? "connected" : "unknown";
  }

  start(isDiskLost = false): void {
    if (this.#life !== null) return;
    const { timeline, ledger, coverage, knobs } = this.#world;
    if (isDiskLost) {
      coverage.saw("a worker lost its disk");
      this.disk.lose();
    }
    if (this.disk.results.size > 0) coverage.saw("a result waited in the outbox over a restart of its worker");
    this.#lives += 1;
    const name = `${this.machine}#${this.#lives}`;
    const random = this.#random.fork(`life ${this.#lives}`);
    const boot = `boot-${this.machine.slice("worker-".length)}.${this.#lives}-${random.name(3)}` as BootId;
    const process = new Process(name, timeline);
    const clock = new SimulatedClock(
      timeline,
      process,
      this.clockFault,
      random.fork("clock"),
      this.#world.knobs.clockSettleMs,
    );
    const spool = new SimulatedSpool();
    const port = 20_000 + this.#lives;
    const executor = new SimulatedExecutor({
      kinds: this.#kinds,
      able: this.#able,
      worker: this.id,
      boot,
      process,
      timeline,
      clock,
      random: random.fork("executor"),
      ledger,
      jobDisk: this.#world.jobDisk,
      service: this.#world.remoteService,
      log: nodeLog(timeline, name),
      spool,
      lingerChance: knobs.isLimited ? 0.6 : 0.3,
    });
    const worker = new Worker({
      id: this.id,
      boot,
      capacity: this.capacity,
      queues: this.queues,
      labels: this.labels,
      masters: this.#world.masters.map((master) => master.address),
      dial: simulatedDial({
        wire: this.#world.wire,
        ledger,
        caller: { machine: this.machine, process },
        boot,
        resolve: (address) => this.#world.masterAt(address),
        onStream: (stream) => this.#noteStream(process, stream),
      }),
      clock,
      log: nodeLog(timeline, name),
      outbox: new SimulatedOutbox(this.disk, process, timeline, random.fork("disk")),
      spool,
      executor,
      hostname: this.machine,
      pid: 100 + this.#lives,
      version: "simulated",
      probePort: this.#listens ? port : null,
      settings: knobs.waits,
    });
    const life: WorkerLife = { process, boot, worker, executor, clock, port, stream: null, isDraining: false };
    this.#life = life;
    const isProbed = this.#listens && !knobs.refusingBetween;
    ledger.add({ kind: "start", node: this.machine, life: name, boot, capacity: this.capacity, isProbed });
    timeline.trace(`${name} starts as ${boot} with capacity ${this.capacity} for ${this.queues.join(" ")}`);
    worker.start().catch((error: unknown) => this.#ended(life, error));
    void worker.ended.then((error) => this.#ended(life, error));
  }

  /** SIGKILL: its attempts die with it. */
  crash(): void {
    const life = this.#life;
    if (life === null) return;
    const { timeline, ledger, coverage } = this.#world;
    if (life.executor.runningCount > 0) coverage.saw("a worker died with attempts running");
    timeline.trace(`${life.process.name} is killed`);
    ledger.add({ kind: "crash", node: this.machine, life: life.process.name });
    this.#life = null;
    life.process.die();
    if (this.#isSupervised && this.#random.chance(0.7)) this.#tellExit(life.boot);
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

  /** SIGTERM: it finishes what runs, for so long, and leaves. A supervisor starts it again. */
  stop(drainMs: number): void {
    const life = this.#life;
    if (life === null || life.process.isPaused || life.isDraining) return;
    life.isDraining = true;
    this.#world.timeline.trace(`${life.process.name} is told to drain for ${drainMs} ms`);
    this.#world.ledger.add({ kind: "trouble", what: "worker-stop", nodes: [this.machine] });
    life.worker.drain(drainMs).catch((error: unknown) => this.#world.broke(life.process.name, error));
  }

  resetStream(): void {
    this.#life?.stream?.reset();
    this.#world.timeline.trace(`the stream of ${this.machine} is reset`);
  }

  killStream(): void {
    this.#life?.stream?.goDead();
    this.#world.timeline.trace(`the stream of ${this.machine} goes dead`);
  }

  jumpClock(byMs: number): void {
    this.clockFault.offsetMs += byMs;
    this.#world.timeline.trace(`the clock of ${this.machine} jumps by ${byMs} ms`);
    const { offsetMs, drift } = this.clockFault;
    this.#world.ledger.add({ kind: "clock-set", node: this.machine, offsetMs, drift });
    this.#life?.clock.stepped();
  }

  #noteStream(process: Process, stream: SimulatedStream<StreamMessage>): void {
    if (this.#life?.process === process) this.#life.stream = stream;
  }

  #tellExit(boot: BootId): void {
    const { wire, timeline } = this.#world;
    const process = new Process(`${this.machine} supervisor`, timeline);
    const master = this.#random.pick(this.#world.masters);
    call(wire, { machine: this.machine, process }, master, `exit of ${boot}`, ({ face }) =>
      face.reportExit(this.id, boot),
    ).catch(() => {});
  }

  #ended(life: WorkerLife, error: unknown): void {
    if (this.#life !== life) return;
    const { timeline, ledger, coverage } = this.#world;
    const text = describeEnd(error);
    timeline.trace(`${life.process.name} ends${text === null ? "" : `: ${text}`}`);
    ledger.add({ kind: "exit", node: this.machine, life: life.process.name, error: text });
    if (text === null) coverage.saw("a worker was drained");
    this.#life = null;
    life.process.die();
    timeline.after(this.#random.integer(200, 5000), () => this.start());
  }
}
