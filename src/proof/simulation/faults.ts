/** Does to the world what the seed has drawn: each kind of fault at its own rate, each with its own end. */

import { aimAtLeader, aimAtStore, aimAtWorkers, earlyMs } from "./aimedFaults.ts";
import { glitch, setBack, setForward, setRight } from "./clockFaults.ts";
import type { Cluster } from "./cluster.ts";
import { type FaultKind, faultKinds } from "./knobs.ts";
import type { MasterNode } from "./masterNode.ts";
import type { Random } from "./random.ts";
import { ReplicaSet } from "./replicaSet.ts";
import { rollWorkers } from "./rollingCrash.ts";
import { storeMachine } from "./store.ts";
import { SqliteEngine } from "./storeEngine.ts";
import { strikeAtTick } from "./tickTrouble.ts";
import type { WorkerNode } from "./workerNode.ts";

export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly #world: Cluster;
  /** Each kind draws from a stream of its own: without one kind, the others strike as before. */
  readonly #randoms: ReadonlyMap<FaultKind, Random>;
  #random: Random;
  #isOver = false;
  /** How many cuts hold each direction shut. */
  readonly #cuts = new Map<string, number>();
  #troubles = 0;

  constructor(world: Cluster) {
    this.#world = world;
    this.#random = world.random.fork("faults");
    this.#randoms = new Map(faultKinds.map((kind) => [kind, this.#random.fork(kind)]));
  }

  begin(): void {
    for (const [kind, everyMs] of this.#world.knobs.faultEveryMs) {
      const firstAfterMs = earlyMs(this.#world, kind);
      if (firstAfterMs === null) this.#planNext(kind, everyMs);
      else this.#plan(kind, everyMs, firstAfterMs);
    }
    for (const aim of [aimAtLeader, aimAtWorkers, aimAtStore])
      aim(this.#world, (afterMs, run) => this.#later(afterMs, run));
  }

  /** Ends every fault: all links open, all processes up and awake, the store well. */
  heal(): void {
    this.#isOver = true;
    const { masters, workers, network, storeWeather, timeline, ledger, engine } = this.#world;
    timeline.trace("the world is healed");
    ledger.add({ kind: "trouble-over", what: "everything", nodes: [] });
    Object.assign(network.weather, { resetChance: 0, duplicateChance: 0, lateChance: 0 });
    for (const direction of this.#cuts.keys()) network.heal(...endsOf(direction));
    this.#cuts.clear();
    this.#clearStore();
    engine.heal();
    storeWeather.unknownChance = 0;
    setRight(this.#world);
    // A glitch that is not over yet hides that a clock is behind.
    timeline.after(this.#world.knobs.clockSettleMs, () => setRight(this.#world));
    for (const master of masters) {
      master.resume();
      master.start();
    }
    for (const worker of workers) {
      worker.resume();
      // A worker that an operator drained would wait for ever to be asked to stop.
      if (worker.isDraining) continue;
      worker.start();
    }
  }

  #planNext(kind: FaultKind, everyMs: number): void {
    const random = this.#randoms.get(kind) ?? this.#random;
    this.#plan(kind, everyMs, -Math.log(1 - random.next()) * everyMs);
  }

  #plan(kind: FaultKind, everyMs: number, afterMs: number): void {
    const random = this.#randoms.get(kind) ?? this.#random;
    this.#world.timeline.after(afterMs, () => {
      if (this.#isOver) return;
      this.#random = random;
      this.#strike(kind);
      this.#planNext(kind, everyMs);
    });
  }

  #strike(kind: FaultKind): void {
    const { masters, workers } = this.#world;
    // The leader is the one whose loss matters.
    const leader = masters.find((each) => each.isLeading);
    const master = leader !== undefined && this.#random.chance(0.4) ? leader : this.#random.pick(masters);
    if (this.#act(kind, master, this.#random.pick(workers))) {
      this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
    }
  }

  /** @returns false if there was nothing to strike */
  #act(kind: FaultKind, master: MasterNode, worker: WorkerNode): boolean {
    switch (kind) {
      case "master-crash":
        return this.#crashMaster(master);
      case "master-pause":
        return this.#pauseMaster(master);
      case "master-stop":
        return this.#stopMaster(master);
      case "worker-crash":
        return this.#crashWorker(worker);
      case "worker-pause":
        return this.#pauseWorker(worker);
      case "worker-stop":
        return this.#stopWorker(worker);
      case "cut":
        return this.#cut(master, worker);
      case "master-cut":
        return this.#cutMasters(master);
      case "store-cut":
        return this.#cutStore(master);
      case "split":
        return this.#split();
      case "stream-dead":
        return this.#killStream(worker);
      case "store-slow":
        return this.#troubleStore(kind, () => (this.#world.storeWeather.slowness = this.#random.spread(5, 300)));
      case "store-away":
        return this.#troubleStore(kind, () => (this.#world.storeWeather.isAway = true));
      case "store-full":
        return this.#troubleStore(kind, () => (this.#world.storeWeather.isFull = true));
      case "store-failover":
      case "store-stall":
      case "store-io":
        return this.#troubleEngine(kind);
      case "power-loss":
        return this.#losePower();
      case "master-clock-jump":
        return setForward(this.#world, this.#random, master);
      case "worker-clock-jump":
        return setForward(this.#world, this.#random, worker);
      case "drain":
        return this.#drain();
      case "master-clock-back":
        return setBack(this.#world, this.#random, master);
      case "worker-clock-back":
        return setBack(this.#world, this.#random, worker);
      case "clock-glitch":
        return glitch(this.#world, this.#random, this.#random.chance(0.7) ? master : worker);
      case "tick-trouble":
        return strikeAtTick(this.#world, this.#random, (afterMs, run) => this.#later(afterMs, run));
      case "workers-roll":
        return rollWorkers(this.#world, this.#random, (afterMs, run) => this.#later(afterMs, run));
      case "network-loss":
        return this.#loseNetwork(master);
      default:
        return kind satisfies never;
    }
  }

  #crashMaster(master: MasterNode): boolean {
    if (master.running === null) return false;
    master.crash();
    this.#later(this.#random.spread(10, 60_000), () => master.start());
    return true;
  }

  #pauseMaster(master: MasterNode): boolean {
    if (master.running === null || master.isPaused) return false;
    const wasLeading = master.isLeading;
    const life = master.running;
    // Half of them about as long as the waits that they collide with.
    const pauseMs = this.#random.chance(0.5) ? this.#random.spread(1, 600_000) : this.#random.integer(1_000, 20_000);
    master.pause();
    this.#later(pauseMs, () => {
      if (master.running !== life) return;
      const { coverage, knobs, disk } = this.#world;
      if (wasLeading && pauseMs > knobs.waits.lostGraceMs)
        coverage.saw("a master was paused for longer than a worker may be silent, and went on");
      if (wasLeading && disk.landed.at(-1)?.nonce !== life.face.status().nonce) {
        coverage.saw("a second master took over from one that was paused");
      }
      master.resume();
    });
    return true;
  }

  #crashWorker(worker: WorkerNode): boolean {
    if (worker.process === null) return false;
    worker.crash();
    const isDiskLost = this.#random.chance(0.15);
    this.#later(this.#random.spread(5, 60_000), () => worker.start(isDiskLost));
    return true;
  }

  /** All connections of many workers to a master are reset at once, and there is no way back to it for a while. */
  #loseNetwork(master: MasterNode): boolean {
    const { workers, coverage } = this.#world;
    const victims = workers.filter(() => this.#random.chance(0.8));
    if (master.running === null || victims.length < 3) return false;
    coverage.saw("many workers lost their connections at once");
    for (const worker of victims) worker.resetStream();
    const machines = victims.map(({ machine }) => machine);
    return this.#cutOff(machines, [master.machine], machines, {
      isBothWays: true,
      forMs: this.#random.spread(200, 12_000),
    });
  }

  #pauseWorker(worker: WorkerNode): boolean {
    const { process } = worker;
    if (process === null || process.isPaused) return false;
    worker.pause();
    this.#later(this.#random.spread(1, 600_000), () => {
      if (worker.process === process) worker.resume();
    });
    return true;
  }

  #stopWorker(worker: WorkerNode): boolean {
    if (worker.process === null || worker.process.isPaused || worker.isDraining) return false;
    worker.stop(this.#random.spread(10, 30_000));
    return true;
  }

  #stopMaster(master: MasterNode): boolean {
    if (master.running?.isOpen !== true || master.isPaused) return false;
    master.stop();
    return true;
  }

  /** Cuts one worker, or everybody, off from one master. */
  #cut(master: MasterNode, worker: WorkerNode): boolean {
    const { workers } = this.#world;
    const victims = this.#random.chance(0.25) ? workers.map(({ machine }) => machine) : [worker.machine];
    return this.#cutOff(victims, [master.machine], victims);
  }

  /** Cuts one master off from some others. */
  #cutMasters(master: MasterNode): boolean {
    const others = this.#world.masters
      .filter((other) => other !== master && this.#random.chance(0.6))
      .map(({ machine }) => machine);
    if (others.length === 0) return false;
    this.#world.coverage.saw("a master was cut off from another");
    return this.#cutOff([master.machine], others, []);
  }

  /** Cuts one master, and perhaps others, off from the store. */
  #cutStore(master: MasterNode): boolean {
    const { masters, coverage } = this.#world;
    const victims = masters.filter((other) => other === master || this.#random.chance(0.15));
    if (victims.length < masters.length && victims.some((victim) => victim.isLeading)) {
      coverage.saw("the leader was cut off from the store while others were not");
    }
    return this.#cutOff(
      victims.map(({ machine }) => machine),
      [storeMachine],
      [],
    );
  }

  /** Two halves of the world that do not hear each other; or one that does not hear the other. */
  #split(): boolean {
    const { masters, workers, clients, followers, coverage, knobs } = this.#world;
    const machines = [...masters, ...workers, ...clients, ...followers].map(({ machine }) => machine);
    const all = knobs.store === "sqlite" ? machines : [...machines, storeMachine];
    const left = all.filter(() => this.#random.chance(0.5));
    const right = all.filter((machine) => !left.includes(machine));
    if (left.length === 0 || right.length === 0) return false;
    coverage.saw("the network was split in two");
    return this.#cutOff(left, right, []);
  }

  /** Cuts every link between two groups, in one direction or both, for a while. `blamed` are the nodes in trouble; all if none. */
  #cutOff(
    left: readonly string[],
    right: readonly string[],
    blamed: readonly string[],
    whole?: { readonly isBothWays: true; readonly forMs: number },
  ): boolean {
    const { network, ledger, timeline } = this.#world;
    const ways = this.#random.pick([
      [true, true],
      [true, true],
      [true, false],
      [false, true],
    ] as const);
    const [isThereCut, isBackCut] = whole === undefined ? ways : [true, true];
    const directions = left.flatMap((one) =>
      right.flatMap((other) => [...(isThereCut ? [`${one}>${other}`] : []), ...(isBackCut ? [`${other}>${one}`] : [])]),
    );
    this.#troubles += 1;
    const what = `cut ${this.#troubles}`;
    ledger.add({ kind: "trouble", what, nodes: blamed });
    timeline.trace(`cut: ${directions.join(" ")}`);
    for (const direction of directions) {
      this.#cuts.set(direction, (this.#cuts.get(direction) ?? 0) + 1);
      network.cut(...endsOf(direction));
    }
    const drawnMs = this.#random.spread(20, 120_000);
    this.#later(whole?.forMs ?? drawnMs, () => {
      ledger.add({ kind: "trouble-over", what, nodes: blamed });
      for (const direction of directions) this.#healCut(direction);
    });
    return true;
  }

  /** Opens a direction once no cut holds it shut any more. */
  #healCut(direction: string): void {
    const count = (this.#cuts.get(direction) ?? 0) - 1;
    if (count > 0) {
      this.#cuts.set(direction, count);
      return;
    }
    this.#cuts.delete(direction);
    this.#world.timeline.trace(`open again: ${direction}`);
    this.#world.network.heal(...endsOf(direction));
  }

  #killStream(worker: WorkerNode): boolean {
    if (worker.process === null) return false;
    this.#world.ledger.add({ kind: "trouble", what: "stream-dead", nodes: [worker.machine] });
    worker.killStream();
    return true;
  }

  #troubleStore(kind: FaultKind, begin: () => void): boolean {
    const { storeWeather, ledger, timeline, coverage, knobs } = this.#world;
    if (storeWeather.isAway || storeWeather.isFull || storeWeather.slowness > 1) return false;
    begin();
    const forMs = this.#random.spread(50, kind === "store-slow" ? 60_000 : 240_000);
    timeline.trace(`${kind} for ${forMs} ms`);
    ledger.add({ kind: "trouble", what: kind, nodes: [] });
    this.#later(forMs, () => {
      if (kind === "store-away" && forMs > knobs.master.leaseTtlMs)
        coverage.saw("the store was away for longer than the lease");
      if (kind === "store-away" && forMs > knobs.waits.lostGraceMs)
        coverage.saw("the store was away for longer than a worker may be silent");
      this.#clearStore();
      timeline.trace(`${kind} is over`);
      ledger.add({ kind: "trouble-over", what: kind, nodes: [] });
    });
    return true;
  }

  /** Trouble of one kind of store: a new primary, no majority, a failing disk. */
  #troubleEngine(kind: "store-failover" | "store-stall" | "store-io"): boolean {
    const { engine, ledger, timeline } = this.#world;
    const forMs = kind === "store-io" ? this.#random.spread(50, 20_000) : this.#random.spread(1_000, 20_000);
    let end = (): void => {};
    if (engine instanceof ReplicaSet) {
      if (!engine.isUp) return false;
      if (kind === "store-failover") engine.failOver(forMs);
      else engine.stall();
      // What is stalled may end well, or with another primary.
      end = () =>
        kind === "store-stall" && this.#random.chance(0.5)
          ? engine.failOver(this.#random.spread(500, 12_000))
          : engine.unstall();
    } else if (engine instanceof SqliteEngine) {
      engine.ioChance = this.#random.pick([0.1, 0.5, 1]);
      end = () => engine.heal();
    }
    this.#troubles += 1;
    const what = `${kind} ${this.#troubles}`;
    timeline.trace(`${kind} for ${forMs} ms`);
    ledger.add({ kind: "trouble", what, nodes: [] });
    this.#later(forMs, () => {
      end();
      timeline.trace(`${kind} is over`);
      ledger.add({ kind: "trouble-over", what, nodes: [] });
    });
    return true;
  }

  /** The machine that holds the file, and all masters with it, goes down and comes back. */
  #losePower(): boolean {
    const { masters, coverage } = this.#world;
    coverage.saw("the power went");
    for (const master of masters) master.crash();
    for (const master of masters) this.#later(this.#random.spread(100, 30_000), () => master.start());
    return true;
  }

  #clearStore(): void {
    Object.assign(this.#world.storeWeather, { isAway: false, isFull: false, slowness: 1 });
  }

  #drain(): boolean {
    this.#random.pick(this.#world.clients).drainWorker();
    return true;
  }

  /** Something that ends a fault; healing the world does it first. */
  #later(afterMs: number, end: () => void): void {
    this.#world.timeline.after(afterMs, () => {
      if (!this.#isOver) end();
    });
  }
}

function endsOf(direction: string): [from: string, to: string] {
  const [from = "", to = ""] = direction.split(">");
  return [from, to];
}
