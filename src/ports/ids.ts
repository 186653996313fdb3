/** Where fresh names come from: random in life, drawn from the seed in the simulator. */
import type { TaskId } from "../model/ids.ts";

export interface Ids {
  /** A new task's id; later ones sort after earlier ones. */
  task(now: number): TaskId;
  /** A random name of at least 96 bits: for boots, nonces and incarnations. */
  random(): string;
}
