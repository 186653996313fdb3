/** Does to the world what the seed has drawn: each kind of fault at its own rate, each with its own end. */
import { type FaultKind, faultKinds } from "./knobs.ts";
import type { MasterNode } from "./masterNode.ts";
import type { Random } from "./random.ts";
import type { WorkerNode } from "./workerNode.ts";
import type { World } from "./world.ts";

export class Faults {
  readonly counts = new Map<FaultKind, number>();
  readonly #world: World;
  readonly #random: Random;
  #isOver = false;
  readonly #cuts = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork("faults");
  }

  begin(): void {
    for (const kind of faultKinds) {
      const everyMs = this.#world.knobs.faultEveryMs.get(kind);
      if (everyMs !== undefined) this.#planNext(kind, everyMs);
    }
  }

  /** Ends every fault: all links open, all processes up and awake, the store well. */
  heal(): void {
    this.#isOver = true;
    const { masters, workers, network, storeWeather, timeline, ledger } = this.#world;
    timeline.trace("the world is healed");
    ledger.add({ kind: "trouble-over", what: "everything", nodes: [] });
    Object.assign(network.weather, { resetChance: 0, duplicateChance: 0, lateChance: 0 });
    for (const direction of [...this.#cuts]) this.#healCut(direction);
    this.#clearStore();
    storeWeather.unknownChance = 0;
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
    this.#world.timeline.after(-Math.log(1 - this.#random.next()) * everyMs, () => {
      if (this.#isOver) return;
      this.#strike(kind);
      this.#planNext(kind, everyMs);
    });
  }

  #strike(kind: FaultKind): void {
    const { masters, workers } = this.#world;
    if (this.#act(kind, this.#random.pick(masters), this.#random.pick(workers))) {
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
      case "worker-crash":
        return this.#crashWorker(worker);
      case "worker-pause":
        return this.#pauseWorker(worker);
      case "worker-stop":
        return this.#stopWorker(worker);
      case "cut":
        return this.#cut(master, worker);
      case "stream-dead":
        return this.#killStream(worker);
      case "store-slow":
        return this.#troubleStore(kind, () => (this.#world.storeWeather.slowness = this.#random.spread(5, 300)));
      case "store-away":
        return this.#troubleStore(kind, () => (this.#world.storeWeather.isAway = true));
      case "store-full":
        return this.#troubleStore(kind, () => (this.#world.storeWeather.isFull = true));
      case "master-clock-jump":
        return this.#jump(master, this.#world.masters.length > 1 ? 3_000 : 3_600_000);
      case "worker-clock-jump":
        return this.#jump(worker, 3_600_000);
      case "drain":
        return this.#drain();
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
    const pauseMs = this.#random.spread(1, 180_000);
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

  #pauseWorker(worker: WorkerNode): boolean {
    const { process } = worker;
    if (process === null || process.isPaused) return false;
    worker.pause();
    this.#later(this.#random.spread(1, 120_000), () => {
      if (worker.process === process) worker.resume();
    });
    return true;
  }

  #stopWorker(worker: WorkerNode): boolean {
    if (worker.process === null || worker.process.isPaused || worker.isDraining) return false;
    worker.stop(this.#random.spread(10, 30_000));
    return true;
  }

  /** Cuts one worker, or everybody, off from one master, in one direction or both. */
  #cut(master: MasterNode, worker: WorkerNode): boolean {
    const { network, workers, ledger, timeline } = this.#world;
    const victims = this.#random.chance(0.25) ? workers.map(({ machine }) => machine) : [worker.machine];
    const [isUpCut, isDownCut] = this.#random.pick([
      [true, true],
      [true, true],
      [true, false],
      [false, true],
    ] as const);
    const directions = victims.flatMap((victim) => [
      ...(isUpCut ? [`${victim}>${master.machine}`] : []),
      ...(isDownCut ? [`${master.machine}>${victim}`] : []),
    ]);
    ledger.add({ kind: "trouble", what: "cut", nodes: victims });
    timeline.trace(`cut: ${directions.join(" ")}`);
    for (const direction of directions) {
      this.#cuts.add(direction);
      const [from = "", to = ""] = direction.split(">");
      network.cut(from, to);
    }
    this.#later(this.#random.spread(20, 120_000), () => {
      ledger.add({ kind: "trouble-over", what: "cut", nodes: victims });
      for (const direction of directions) this.#healCut(direction);
    });
    return true;
  }

  #healCut(direction: string): void {
    if (!this.#cuts.delete(direction)) return;
    const [from = "", to = ""] = direction.split(">");
    this.#world.timeline.trace(`open again: ${direction}`);
    this.#world.network.heal(from, to);
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
      if (kind === "store-away" && forMs > knobs.waits.lostGraceMs)
        coverage.saw("the store was away for longer than a worker may be silent");
      this.#clearStore();
      timeline.trace(`${kind} is over`);
      ledger.add({ kind: "trouble-over", what: kind, nodes: [] });
    });
    return true;
  }

  #clearStore(): void {
    Object.assign(this.#world.storeWeather, { isAway: false, isFull: false, slowness: 1 });
  }

  #jump(node: { machine: string; jumpClock(byMs: number): void }, maxMs: number): boolean {
    this.#world.ledger.add({ kind: "trouble", what: "clock-jump", nodes: [node.machine] });
    node.jumpClock(this.#random.spread(20, maxMs));
    return true;
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
