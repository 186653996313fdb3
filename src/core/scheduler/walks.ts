/** Walks over the children of sets whose outcome is decided: a bounded number of children in each entry. */
import { limits } from "../../model/limits.ts";
import type { ChildSet } from "./families.ts";
import type { LiveTask } from "./liveTask.ts";
import type { Tasks } from "./tasks.ts";

/** Sets whose children the walk has yet to look at, each with the index that comes next. */
export class Walks {
  readonly #walks = new Map<ChildSet, number>();

  get isWalking(): boolean {
    return this.#walks.size > 0;
  }

  add(set: ChildSet): void {
    this.#walks.set(set, 0);
  }

  /** Hands a bounded number of unfinished children to `end`. */
  walk(tasks: Tasks, end: (set: ChildSet, child: LiveTask) => void): void {
    let looks: number = limits.descendantsPerEntryMax;
    for (const [set, from] of this.#walks) {
      const until = Math.min(set.created, from + looks);
      for (let index = from; index < until; index += 1) {
        const child = tasks.get(set.childAt(index));
        if (child !== undefined) end(set, child);
      }
      looks -= until - from;
      if (until === set.created) this.#walks.delete(set);
      else this.#walks.set(set, until);
      if (looks === 0) return;
    }
  }
}
