/** Somebody who puts tasks straight into the store, past every master, at any time: also while nobody leads. */
import type { TaskId } from "../../model/ids.ts";
import type { World } from "./world.ts";

/** While the store cannot be written, the outsider tries again after this. */
const retryMs = 700;

export class Outsider {
  readonly #world: World;
  readonly #isLed: () => boolean;
  #count = 0;
  #openCount = 0;

  /** @param isLed whether any master leads */
  constructor(world: World, isLed: () => boolean) {
    this.#world = world;
    this.#isLed = isLed;
  }

  /** True while something is to be put in, or has not been adopted for good. */
  get isBusy(): boolean {
    const { disk } = this.#world;
    return this.#openCount > 0 || disk.foreign.size > 0;
  }

  insertTask(): void {
    this.#count += 1;
    this.#openCount += 1;
    this.#insert(`foreign-${this.#count}` as TaskId);
  }

  #insert(id: TaskId): void {
    const { disk, engine, storeWeather, timeline, ledger, coverage, knobs } = this.#world;
    if (!engine.isUp || storeWeather.isAway || storeWeather.isFull) {
      timeline.after(retryMs, () => this.#insert(id));
      return;
    }
    this.#openCount -= 1;
    const seconds = this.#world.random.fork(id).spread(5, knobs.taskMsMax) / 1000;
    disk.foreign.set(id, { name: `from outside ${id}`, kind: "sleep", input: { seconds } });
    ledger.add({ kind: "inserted", task: id });
    timeline.trace(`somebody puts ${id} into the store`);
    if (!this.#isLed()) coverage.saw("a task was put into the store while nobody led");
  }
}
