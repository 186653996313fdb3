/** Looks many times a second who leads in truth, and writes down every change of it. */
import type { Cluster } from "./cluster.ts";

const everyMs = 100;

export class LeaderWatch {
  readonly #world: Cluster;
  #life: string | null = null;
  #epoch = 0;

  constructor(world: Cluster) {
    this.#world = world;
  }

  start(): void {
    this.#look();
    this.#world.timeline.after(everyMs, () => this.start());
  }

  #look(): void {
    const { masters, disk, ledger, timeline, coverage } = this.#world;
    const epoch = disk.landed.at(-1)?.epoch ?? 0;
    const leader = masters.find(
      (master) => master.isLeading && !master.isPaused && master.running?.face.status().epoch === epoch,
    );
    const life = leader?.running?.process.name ?? null;
    if (masters.filter((master) => master.running?.isOpen === true).length === 5)
      coverage.saw("five masters were up at once");
    if (life === this.#life && (life === null || epoch === this.#epoch)) return;
    this.#life = life;
    this.#epoch = epoch;
    ledger.add({ kind: "leads", life, epoch });
    timeline.trace(life === null ? "nobody leads" : `${life} leads epoch ${epoch}`);
  }
}
