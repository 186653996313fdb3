/** Random ids from the operating system's random source. */
import { randomBytes } from "node:crypto";
import { monotonicFactory } from "ulid";
import type { TaskId } from "../model/ids.ts";
import type { Ids } from "../ports/ids.ts";

const poolBytes = 4096;

export class SystemIds implements Ids {
  #pool = randomBytes(poolBytes);
  #used = 0;
  readonly #ulid = monotonicFactory(() => this.#fraction());

  /** A ULID (https://github.com/ulid/spec): later ones of this process sort after earlier ones, within one ms too. */
  task(now: number): TaskId {
    return this.#ulid(now) as TaskId;
  }

  /** 128 bits as 32 hex digits. */
  random(): string {
    return randomBytes(16).toString("hex");
  }

  /** A random number in [0, 1), from a pool: asking the system for each single byte costs 20 times as much. */
  #fraction(): number {
    if (this.#used === poolBytes) {
      this.#pool = randomBytes(poolBytes);
      this.#used = 0;
    }
    return this.#pool.readUInt8(this.#used++) / 256;
  }
}
