/** The scene of a run: its folder, its cluster behind links that can be hurt, its clients; from the first start to the last trace. */
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { defaults } from "../../model/limits.ts";
import type { TaskDocument } from "../../model/task.ts";
import { isFinal } from "../../model/task.ts";
import { createClient, type Outlast } from "../../sdk/client.ts";
import { Cluster } from "../cluster/cluster.ts";
import { prepareFolder, writeMarker } from "../cluster/folder.ts";
import { RunFailed, until } from "../cluster/until.ts";
import { ChaosClient } from "./clients.ts";
import type { Evidence, Orphans, Quiet } from "./evidence.ts";
import type { Strike } from "./faults.ts";
import { LeaderWatch } from "./leaderWatch.ts";
import { ClientLedger, makeTaskLedger, readClientLedger, readTaskLedger } from "./ledger.ts";
import { Links } from "./links.ts";
import type { ChaosOptions } from "./options.ts";
import { canSeeProcesses, markedProcesses } from "./orphans.ts";
import { SmallDisk } from "./smallDisk.ts";
import { StartWatch } from "./startWatch.ts";
import { countOutbox, readStore, storeOf } from "./storeEvidence.ts";
import { StoreServer } from "./storeServer.ts";
import { Striker } from "./striker.ts";
import { Switchboard } from "./switchboard.ts";
import { TaskProcesses } from "./taskProcesses.ts";
import { markVariable } from "./tasks.ts";

const mebibyte = 1024 * 1024;
/** Work is under way before the first fault falls. */
const warmUpEnds = 10;
const startMsMax = 30_000;
/** Commands cost a process each: a share that a small machine can bear. */
const execShare = 0.15;
const execShareOfKillsOnly = 0.04;
const sleepMsMax = 2_500;
/** Where a worker lives for a few seconds, tasks have to be shorter for any to come to their end. */
const sleepMsMaxOfKillsOnly = 1_000;
/** What a cluster may take to come to rest: every grace there is, the longest call, and the work that is left. */
const restMsMax = 60_000 + defaults.lostGraceMs + defaults.failoverGraceMs;
/** A watchdog looks for the processes of a dead worker for this long, at most. */
const orphanMsMax = 15_000;
const leaderLookMs = 100;
const leaderLookMsOfKillsOnly = 30;
/** Room for the store on a small disk: so much, and so much more for each task that is to come. */
const diskBytesMin = 64 * mebibyte;
const diskBytesPerTask = 16 * 1024;

export class Scene {
  readonly startedAt = Date.now();
  /** What a reader should know of this run. */
  readonly notes: string[] = [];
  readonly masters: readonly string[];
  readonly workers: readonly string[];
  readonly cluster: Cluster;
  readonly leaders: LeaderWatch;
  readonly starts: StartWatch;
  readonly striker: Striker;
  readonly seed: number;
  onStrike: (strike: Strike) => void = () => {};
  readonly #options: ChaosOptions;
  readonly #links: Links;
  readonly #disk: SmallDisk | null;
  readonly #server: StoreServer | null;
  readonly #switchboard: Switchboard | null;
  readonly #clients: readonly ChaosClient[];
  readonly #observer: Outlast;
  readonly #mark: string;
  #isStruck = false;

  private constructor(
    options: ChaosOptions,
    parts: {
      cluster: Cluster;
      links: Links;
      disk: SmallDisk | null;
      server: StoreServer | null;
      switchboard: Switchboard | null;
      mark: string;
    },
  ) {
    const { cluster, links, disk, server, switchboard, mark } = parts;
    this.#options = options;
    this.seed = options.seed;
    this.cluster = cluster;
    this.#links = links;
    this.#disk = disk;
    this.#server = server;
    this.#switchboard = switchboard;
    this.#mark = mark;
    this.masters = names("master", options.masters);
    this.workers = names("worker", options.workers);
    const addresses = new Map(this.masters.map((master) => [master, cluster.addressOf(master)]));
    this.leaders = new LeaderWatch(addresses, mark, options.isKillsOnly ? leaderLookMsOfKillsOnly : leaderLookMs);
    this.starts = new StartWatch(this.workers.map((worker) => cluster.logPath(worker)));
    this.striker = new Striker({
      cluster,
      masters: this.masters,
      links,
      leaders: this.leaders,
      tasks: new TaskProcesses(taskLedger(options), mark),
      disk,
      server,
      switchboard,
      onStrike: (strike) => this.onStrike(strike),
    });
    this.#clients = names("client", options.clients).map((session, index) => this.#client(session, index));
    this.#observer = createClient({ masters: cluster.address, token: mark, retryForMs: restMsMax });
  }

  /** Makes the folder and everything in it that does not run yet. */
  static async set(options: ChaosOptions): Promise<Scene> {
    const { directory, seed, masters, workers, clients, capacity, weights, store } = options;
    const startedAt = Date.now();
    await prepareFolder(directory, { command: "chaos", seed, startedAt, pid: process.pid });
    mkdirSync(join(directory, "ledger"));
    makeTaskLedger(taskLedger(options));
    const tasks = (options.durationMs / 1000) * options.rate;
    const disk =
      weights.disk > 0 && !options.isKillsOnly
        ? SmallDisk.mount(join(directory, "disk"), diskBytesMin + tasks * diskBytesPerTask)
        : null;
    const server =
      store === null || store.server === null
        ? null
        : new StoreServer(store.server, store.address, join(directory, "store-server.log"));
    const mark = crypto.randomUUID();
    const [masterNames, workerNames] = [names("master", masters), names("worker", workers)];
    const switchboard =
      weights.unplug > 0 && !options.isKillsOnly ? Switchboard.open([...masterNames, ...workerNames]) : null;
    const links: { all: Links | null } = { all: null };
    const cluster = await Cluster.create({
      directory,
      capacity,
      masters: masterNames,
      mastersFor: (worker) => links.all?.addressesFor(worker) ?? [],
      // Beyond this machine's own address a master wants a token; one that nobody can guess will do.
      environment: {
        [markVariable]: mark,
        OUTLAST_TOKEN: mark,
        ...(store === null ? {} : { OUTLAST_STORE: store.address }),
      },
      workerArguments: ["--drain-timeout", "2s"],
      ...(disk === null ? {} : { masterData: disk.directory }),
      ...(switchboard === null ? {} : { network: switchboard }),
    });
    const addresses = new Map(masterNames.map((master) => [master, cluster.addressOf(master)]));
    const ends = [...workerNames, ...names("client", clients)];
    links.all = await Links.open(addresses, ends, switchboard?.host ?? defaults.address);
    const scene = new Scene(options, { cluster, links: links.all, disk, server, switchboard, mark });
    if (weights.disk > 0 && disk === null && !options.isKillsOnly)
      scene.notes.push("No disk will be full: only root on Linux can make a small one.");
    if (weights.unplug > 0 && switchboard === null && !options.isKillsOnly)
      scene.notes.push("Nobody will be unplugged: only root on Linux, with iproute2, can make a network of its own.");
    return scene;
  }

  /** Starts everything; resolves when work is under way. */
  async open(): Promise<void> {
    await this.#server?.start();
    await Promise.all(this.masters.map((master) => this.cluster.start(master)));
    this.leaders.start();
    await Promise.all(this.workers.map((worker) => this.cluster.start(worker)));
    this.starts.start();
    for (const client of this.#clients) void client.run();
    await until("the first tasks to end", startMsMax, () => this.starts.ended >= warmUpEnds, this.#options.signal);
  }

  /** One line on how it stands. */
  status(): string {
    const acknowledged = this.#clients.reduce((sum, client) => sum + client.acknowledged, 0);
    const leader = this.leaders.leader;
    const kills = (role: string) =>
      this.cluster.lives.filter((life) => life.role === role && life.cause === "killed").length;
    return [
      `${acknowledged} tasks acknowledged`,
      `${this.starts.ended} attempts ended`,
      leader === null ? "nobody leads" : `${leader.master} leads in epoch ${leader.epoch}`,
      `${kills("master")} masters and ${kills("worker")} workers killed`,
      ...(this.striker.active > 0 ? [`${this.striker.active} faults have effect`] : []),
    ].join(" · ");
  }

  async heal(): Promise<void> {
    await this.striker.heal();
  }

  /** Lets the clients end what they began, and waits until nothing is left to do, within a bound. */
  async rest(): Promise<Quiet> {
    const from = Date.now();
    await Promise.all(this.#clients.map((client) => client.stop()));
    let left: string[] = ["Nobody could be asked how it stands."];
    try {
      await until("rest", restMsMax, async () => (left = await this.#leftToDo()).length === 0, this.#options.signal);
    } catch (error) {
      if (!(error instanceof RunFailed)) throw error;
    }
    return { boundMs: restMsMax, tookMs: Date.now() - from, left };
  }

  /** Ends the cluster, and gathers all that can be known of the run. */
  async close(phases: { faultsAt: number; healedAt: number; quiet: Quiet }): Promise<Evidence> {
    const { directory, capacity } = this.#options;
    const whileIdle = markedProcesses(new Set([`${markVariable}=${this.#mark}`]), isTask);
    const documents = await this.#documents();
    this.leaders.stop();
    this.starts.stop();
    await this.cluster.stopAll();
    await this.#links.close();
    if (this.#disk !== null) cpSync(this.#disk.directory, join(directory, "data"), { recursive: true });
    const { entries, findings } = await readStore(
      storeOf(join(this.cluster.masterData, defaults.storeFile), this.#options.store?.address ?? null),
    );
    const facts = this.cluster.ledger();
    const boots = new Set(facts.map((fact) => fact.boot));
    return {
      startedAt: this.startedAt,
      ...phases,
      endedAt: Date.now(),
      strikes: this.striker.strikes,
      masters: new Map(this.masters.map((master) => [this.cluster.addressOf(master), master])),
      clients: names("client", this.#options.clients).flatMap((session) =>
        readClientLedger(clientLedger(this.#options, session)),
      ),
      executed: readTaskLedger(taskLedger(this.#options)),
      facts,
      lives: this.cluster.lives,
      entries,
      documents,
      outboxes: new Map(this.workers.map((worker) => [worker, countOutbox(this.cluster.workerData(worker))])),
      orphans: { isKnown: canSeeProcesses(), whileIdle, afterEnd: await this.#orphans(boots) },
      capacity,
      storeFindings: findings,
      drifts: this.leaders.driftsMax,
      failedFaults: this.striker.failures,
      surprises: this.#clients.flatMap((client) => client.surprises),
    };
  }

  /** Leaves nothing behind that runs. May be called at any time, and twice. */
  async strike(): Promise<void> {
    if (this.#isStruck) return;
    this.#isStruck = true;
    this.leaders.stop();
    this.starts.stop();
    for (const client of this.#clients) client.abandon();
    this.striker.abandon();
    await this.cluster.killAll();
    await this.#links.close();
    await this.#server?.kill();
    this.#disk?.unmount();
    this.#switchboard?.close();
    const { directory, seed } = this.#options;
    writeMarker(directory, { command: "chaos", seed, startedAt: this.startedAt, pid: null });
  }

  #client(session: string, index: number): ChaosClient {
    const options = this.#options;
    return new ChaosClient({
      session,
      number: index + 1,
      seed: options.seed + index + 1,
      masters: this.#links.addressesFor(session),
      token: this.#mark,
      rate: options.rate / options.clients,
      ledger: new ClientLedger(clientLedger(options, session), session),
      ledgerPath: taskLedger(options),
      mark: this.#mark,
      execShare: options.isKillsOnly ? execShareOfKillsOnly : execShare,
      sleepMsMax: options.isKillsOnly ? sleepMsMaxOfKillsOnly : sleepMsMax,
    });
  }

  /** What keeps it from being at rest, in words. */
  async #leftToDo(): Promise<string[]> {
    const leader = this.leaders.leader;
    if (leader === null) return ["Nobody leads."];
    const left: string[] = [];
    for (const [state, number] of Object.entries(leader.sight.tasks)) {
      if (!isFinal(state as TaskDocument["state"]) && number > 0) left.push(`${number} tasks are still ${state}.`);
    }
    if (left.length > 0) return left;
    for (const worker of await this.#observer.workers()) {
      if (worker.state !== "connected") left.push(`${worker.id} is ${worker.state}.`);
      else if (worker.running > 0) left.push(`${worker.id} still runs ${worker.running} attempts.`);
    }
    for (const worker of this.workers) {
      const waiting = countOutbox(this.cluster.workerData(worker));
      if (waiting > 0) left.push(`${waiting} results wait in the outbox of ${worker}.`);
    }
    return left;
  }

  async #documents(): Promise<TaskDocument[]> {
    const documents: TaskDocument[] = [];
    for await (const document of this.#observer.iterate({ order: "oldest" })) documents.push(document);
    return documents;
  }

  /** What still lives of the run after a while. */
  async #orphans(boots: ReadonlySet<string>): Promise<Orphans["afterEnd"]> {
    const marks = new Set([`${markVariable}=${this.#mark}`, ...[...boots].map((boot) => `OUTLAST_BOOT=${boot}`)]);
    const from = performance.now();
    for (;;) {
      const found = markedProcesses(marks);
      if (found.length === 0 || performance.now() - from > orphanMsMax) return found;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

/** Processes of tasks carry the name of their task; masters and workers do not. */
function isTask(environment: ReadonlySet<string>): boolean {
  return [...environment].some((text) => text.startsWith("OUTLAST_TASK="));
}

function names(role: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${role}-${index + 1}`);
}

function taskLedger({ directory }: ChaosOptions): string {
  return join(directory, "ledger", "tasks.jsonl");
}

function clientLedger({ directory }: ChaosOptions, session: string): string {
  return join(directory, "ledger", `${session}.jsonl`);
}
