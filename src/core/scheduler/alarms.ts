/** What is wrong with the cluster for a while, in the memory of the leader: each trouble is told once as long as it lasts. */

import type { AlarmKind } from "../../model/webhooks/delivery.ts";
import type { Batch } from "./effects.ts";

/** For people only: nothing is decided by an alarm. */
export function raise(
  { out }: Batch,
  alarm: AlarmKind,
  message: string,
  fields: { readonly [name: string]: string | number },
): void {
  out.effects.push({ kind: "alarm", alarm, message, fields });
}

interface Trouble {
  /** Since when it has been there at each look; null while it is not there. */
  since: number | null;
  /** When people were told of it last; null if they were not. */
  toldAt: number | null;
}

export interface LastingBounds {
  /** What has lasted for so long is told. */
  readonly afterMs: number;
  /** What comes back within this time after it was told is not told again. */
  readonly quietMs: number;
}

export class Alarms {
  readonly #troubles = new Map<string, Trouble>();
  /** When the leader looks for troubles next. */
  nextLookAt = 0;

  reset(): void {
    this.#troubles.clear();
    this.nextLookAt = 0;
  }

  /** @param present what is there now, by a name. @returns those to be told of now */
  look(present: Iterable<string>, now: number, { afterMs, quietMs }: LastingBounds): ReadonlySet<string> {
    const names = new Set(present);
    const told = new Set<string>();
    for (const [name, trouble] of this.#troubles) {
      if (names.has(name)) continue;
      trouble.since = null;
      if (trouble.toldAt === null || now - trouble.toldAt >= quietMs) this.#troubles.delete(name);
    }
    for (const name of names) {
      const trouble = this.#troubles.get(name) ?? { since: null, toldAt: null };
      this.#troubles.set(name, trouble);
      trouble.since ??= now;
      if (trouble.toldAt !== null || now - trouble.since < afterMs) continue;
      trouble.toldAt = now;
      told.add(name);
    }
    return told;
  }
}
