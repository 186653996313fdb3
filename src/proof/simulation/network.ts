/** The simulated network: how long a message takes, whether it gets there at all, and which directions are cut. */
import type { Coverage } from "./coverage.ts";
import type { Random } from "./random.ts";
import type { Timeline } from "./timeline.ts";

/** What goes wrong by itself; cuts are made and healed by faults. */
export interface NetworkWeather {
  latencyMsMax: number;
  /** Chance per call or stream message that its connection is reset. */
  resetChance: number;
  /** Chance per call that it is delivered a second time, later. */
  duplicateChance: number;
  /** Chance per message that it takes seconds to minutes. */
  lateChance: number;
}

export class Network {
  readonly weather: NetworkWeather;
  readonly #timeline: Timeline;
  readonly #random: Random;
  readonly #coverage: Coverage;
  /** `from>to` for each direction that is cut. */
  readonly #cuts = new Set<string>();
  /** What stands ready at the cut, by direction. */
  #era = 0;
  readonly #held = new Map<string, (() => void)[]>();

  constructor(weather: NetworkWeather, timeline: Timeline, random: Random, coverage: Coverage) {
    this.weather = weather;
    this.#timeline = timeline;
    this.#random = random;
    this.#coverage = coverage;
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(`${from}>${to}`);
  }

  cut(from: string, to: string): void {
    this.#cuts.add(`${from}>${to}`);
    if (!this.isCut(to, from)) this.#coverage.saw("one direction of a connection was cut");
  }

  /** Opens a direction again; what was kept for it goes on its way now, in order. */
  heal(from: string, to: string): void {
    const direction = `${from}>${to}`;
    if (!this.#cuts.delete(direction)) return;
    const held = this.#held.get(direction) ?? [];
    this.#held.delete(direction);
    for (const arrive of held) this.#timeline.after(this.latency(), arrive);
  }

  latency(): number {
    return this.#random.spread(1, 1 + this.weather.latencyMsMax) - 1;
  }

  /** Takes a message over. What meets a cut waits there, as TCP keeps trying, or is given up. */
  carry(from: string, to: string, arrive: () => void): void {
    const isLate = this.#random.chance(this.weather.lateChance);
    const era = this.#era;
    this.#timeline.after(isLate ? this.#random.spread(500, 180_000) : this.latency(), () => {
      if (!isLate || era === this.#era) this.#arrive(from, to, arrive);
    });
  }

  /** Runs `go` at once if the direction is open, or when it opens. For streams, which keep their order themselves. */
  whenOpen(from: string, to: string, go: () => void): void {
    if (this.isCut(from, to)) this.#hold(from, to, go);
    else go();
  }

  isReset(): boolean {
    return this.#random.chance(this.weather.resetChance);
  }

  isDuplicated(): boolean {
    return this.#random.chance(this.weather.duplicateChance);
  }

  /** Delivers something a second time, up to `share` of two minutes after the first. */
  repeat(share: number, deliver: () => void): void {
    const era = this.#era;
    this.#timeline.after(this.#random.spread(1, 120_000) * share, () => {
      if (era === this.#era) deliver();
    });
  }

  /** What is still on its way from the time of faults never comes: the world is at rest. */
  dropLate(): void {
    this.#era += 1;
  }

  flip(): boolean {
    return this.#random.chance(0.5);
  }

  #arrive(from: string, to: string, arrive: () => void): void {
    if (!this.isCut(from, to)) arrive();
    else if (this.flip()) this.#hold(from, to, arrive);
  }

  #hold(from: string, to: string, go: () => void): void {
    const direction = `${from}>${to}`;
    const held = this.#held.get(direction) ?? [];
    this.#held.set(direction, held);
    held.push(go);
  }
}
