/** Knocks at the workers while this master stands by: once it leads, a refusal is news to it, and proof of a death. */
import type { Scheduler } from "../../core/scheduler/scheduler.ts";
import { defaults } from "../../model/limits.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Probe } from "../../ports/transport.ts";

export class WorkerProber {
  readonly #probe: Probe;
  readonly #clock: Clock;
  #nextAt = 0;
  #isStopped = false;

  constructor(probe: Probe, clock: Clock) {
    this.#probe = probe;
    this.#clock = clock;
  }

  /** Looks for those that have not been found alive yet, if the last look was long enough ago. */
  look(scheduler: Scheduler): void {
    const now = this.#clock.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + defaults.workerProbeMs;
    for (const { worker, boot, ...address } of scheduler.unproven()) {
      this.#probe(address.host, address.port, boot).then(
        (result) => {
          if (result === "connected" && !this.#isStopped) scheduler.trustProbe(worker, boot, address);
        },
        // What could not be asked has not been found alive.
        () => undefined,
      );
    }
  }

  /** From now on the scheduler decides, and only by what comes through its inputs. */
  stop(): void {
    this.#isStopped = true;
  }
}
