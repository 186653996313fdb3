/** Deals the faults: finds whom each one hits at its moment, does it, and undoes it when its time is over or all is to be healed. */
import type { Cluster } from "../cluster/cluster.ts";
import type { Fault, Strike } from "./faults.ts";
import type { LeaderWatch } from "./leaderWatch.ts";
import type { Links } from "./links.ts";
import type { LinkTrouble } from "./proxy.ts";
import type { SmallDisk } from "./smallDisk.ts";
import type { StoreServer } from "./storeServer.ts";
import type { Switchboard } from "./switchboard.ts";
import type { TaskProcesses } from "./taskProcesses.ts";

export interface StrikerParts {
  readonly cluster: Cluster;
  readonly masters: readonly string[];
  readonly links: Links;
  readonly leaders: LeaderWatch;
  readonly tasks: TaskProcesses;
  /** Null where none could be made. */
  readonly disk: SmallDisk | null;
  /** Null where the run has none of its own. */
  readonly server: StoreServer | null;
  /** The same. */
  readonly switchboard: Switchboard | null;
  /** Told when a fault has fallen. */
  readonly onStrike: (strike: Strike) => void;
}

type Changing<Value> = { -readonly [Key in keyof Value]: Value[Key] };

export class Striker {
  readonly strikes: Strike[] = [];
  /** Why faults could not be injected as planned, in words. */
  readonly failures: string[] = [];
  readonly #parts: StrikerParts;
  readonly #healing = new AbortController();
  readonly #open = new Set<Promise<void>>();
  /** Processes that are down, stopped or on their way back. */
  readonly #hurt = new Set<string>();

  constructor(parts: StrikerParts) {
    this.#parts = parts;
  }

  /** How many faults have their effect at this moment. */
  get active(): number {
    return this.#open.size;
  }

  isHurt(process: string): boolean {
    return this.#hurt.has(process);
  }

  /** Deals one fault. Its effect goes on after this returns. */
  begin(fault: Fault): void {
    const open: Promise<void> = this.#deal(fault)
      .catch((error: unknown) => {
        this.failures.push(
          `Fault ${fault.number} (${fault.kind}): ${error instanceof Error ? error.message : String(error)}`,
        );
      })
      .finally(() => this.#open.delete(open));
    this.#open.add(open);
  }

  /** Lets nothing more happen; for the end of a run that is broken off. */
  abandon(): void {
    this.#healing.abort();
  }

  /** Undoes everything that still has effect; resolves when every process has been started again. */
  async heal(): Promise<void> {
    this.#healing.abort();
    await Promise.all(this.#open);
    await this.#parts.links.heal();
    const { cluster } = this.#parts;
    // One that ended by itself is told by the checks; the others shall not wait for it.
    for (const name of cluster.names()) if (!cluster.isUp(name)) cluster.launch(name);
  }

  async #deal(fault: Fault): Promise<void> {
    const hit = this.#aim(fault);
    const strike: Changing<Strike> = { ...fault, hit, startedAt: Date.now(), endedAt: null };
    this.strikes.push(strike);
    if (hit.length > 0) {
      for (const process of hit) if (isOnProcess(fault)) this.#hurt.add(process);
      await this.#carryOut(fault, hit, () => this.#parts.onStrike(strike));
      for (const process of hit) this.#hurt.delete(process);
    } else this.#parts.onStrike(strike);
    strike.endedAt = Date.now();
  }

  async #carryOut(fault: Fault, hit: readonly string[], tell: () => void): Promise<void> {
    const { cluster, disk, server, tasks, switchboard } = this.#parts;
    switch (fault.kind) {
      case "kill":
      case "blackout":
        tell();
        for (const process of hit) this.#parts.leaders.forget(process);
        await cluster.kill(...hit);
        await this.#wait(fault.forMs);
        return this.#startAgain(hit);
      case "stop":
        tell();
        await Promise.all(hit.map((process) => cluster.stop(process)));
        await this.#wait(fault.forMs);
        return this.#startAgain(hit);
      case "pause":
        tell();
        for (const process of hit) cluster.signal(process, "SIGSTOP");
        await this.#wait(fault.forMs);
        for (const process of hit) cluster.signal(process, "SIGCONT");
        return;
      case "unplug":
        tell();
        for (const process of hit) switchboard?.pull(process);
        await this.#wait(fault.forMs);
        for (const process of hit) switchboard?.plugIn(process);
        return;
      case "task":
        tell();
        for (const task of hit) tasks.kill(task);
        return;
      case "disk":
        tell();
        disk?.fill();
        await this.#wait(fault.forMs);
        disk?.empty();
        // A master that was started meanwhile has found no room and ended; whoever runs it would start it again.
        this.#startAgain(this.#parts.masters.filter((master) => !this.isHurt(master)));
        return;
      case "server":
        tell();
        await server?.kill();
        await this.#wait(fault.forMs);
        await server?.start();
        // A master that was started meanwhile has found nobody and ended.
        this.#startAgain(this.#parts.masters.filter((master) => !this.isHurt(master)));
        return;
      case "cut":
      case "mute":
      case "deaf":
      case "slow":
      case "drip":
        return this.#hurtLink(fault, hit, toTrouble(fault), tell);
      default:
        fault.kind satisfies never;
    }
  }

  async #hurtLink(fault: Fault, masters: readonly string[], trouble: LinkTrouble, tell: () => void): Promise<void> {
    const { links } = this.#parts;
    tell();
    await links.set(fault.at, masters, trouble);
    await this.#wait(fault.forMs);
    await links.set(fault.at, masters, null);
  }

  /** The processes that it hits: masters at the other end for a link, the task for a task; none if there is nobody to hit now. */
  #aim(fault: Fault): string[] {
    const { disk, server, tasks, switchboard } = this.#parts;
    switch (fault.kind) {
      case "disk":
        return disk === null ? [] : ["store"];
      case "server":
        return server === null ? [] : ["store"];
      case "task":
        return tasks.some(fault.at, fault.number);
      case "cut":
      case "mute":
      case "deaf":
      case "slow":
      case "drip":
        return this.#masters(fault.to ?? "masters", false);
      case "unplug":
        if (switchboard === null) return [];
        return this.#processes(fault.at);
      case "kill":
      case "stop":
      case "pause":
      case "blackout":
        return this.#processes(fault.at);
      default:
        return fault.kind satisfies never;
    }
  }

  #processes(at: string): string[] {
    if (at.startsWith("worker")) return this.#parts.cluster.isUp(at) && !this.isHurt(at) ? [at] : [];
    return this.#masters(at, true);
  }

  #masters(aim: string, mustBeWell: boolean): string[] {
    const { masters, cluster, leaders } = this.#parts;
    const there = mustBeWell ? masters.filter((name) => cluster.isUp(name) && !this.isHurt(name)) : masters;
    if (aim === "masters") return [...there];
    const leader = leaders.leader?.master ?? null;
    if (aim === "leader") return there.filter((name) => name === leader);
    return there.filter((name) => name !== leader).slice(0, 1);
  }

  #startAgain(processes: readonly string[]): void {
    const { cluster } = this.#parts;
    for (const process of processes) if (!cluster.isUp(process)) cluster.launch(process);
  }

  /** As long as it takes, or until all is to be healed. */
  #wait(ms: number): Promise<void> {
    const { signal } = this.#healing;
    return new Promise((resolve) => {
      if (signal.aborted || ms === 0) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener("abort", end);
    });
  }
}

function isOnProcess({ kind }: Fault): boolean {
  return kind === "kill" || kind === "stop" || kind === "pause" || kind === "unplug" || kind === "blackout";
}

function toTrouble({ kind, amount }: Fault): LinkTrouble {
  switch (kind) {
    case "slow":
      return { kind, ms: amount ?? 0 };
    case "drip":
      return { kind, bytesPerSecond: amount ?? 1 };
    case "mute":
    case "deaf":
    case "cut":
      return { kind };
    default:
      throw new Error(`${kind} is no trouble of a link.`);
  }
}
