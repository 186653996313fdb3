/** Knocks at the workers while this master stands by: once it leads, a refusal is news to it, and proof of a death. */
import type { Scheduler } from "../core/scheduler/scheduler.ts";
import { defaults } from "../model/limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Probe } from "../ports/transport.ts";

export class Scout {
  readonly #probe: Probe;
  readonly #clock: Clock;
  #nextAt = 0;

  constructor(probe: Probe, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  /** Looks for those that were never found alive, if the last look was long enough ago. */
  look(scheduler: Scheduler): void {
    const now = this.#clock.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + defaults.scoutMs;
    for (const { worker, boot, host, port } of scheduler.unproven()) {
      void this.#probe(host, port, boot).then((result) => {
        if (result === "connected") scheduler.trustProbe(worker, boot);
      });
    }
  }
}
