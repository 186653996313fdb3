/** Probes the workers while this master is a standby. If it leads later, a refusal then proves that a worker has died. */
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

  get nextAt(): number {
    return this.#nextAt;
  }

  /** Probes the workers that were not found alive yet, if the last probe was long enough ago. */
  look(scheduler: Scheduler): void {
    const now = this.#clock.now();
    if (now < this.#nextAt) return;
    this.#nextAt = now + defaults.workerProbeMs;
    for (const { worker, boot, ...address } of scheduler.unproven()) {
      this.#probe(address.host, address.port, boot).then(
        (result) => {
          if (result === "connected" && !this.#isStopped) scheduler.trustProbe(worker, boot, address);
        },
        // A failed probe proves nothing.
        () => undefined,
      );
    }
  }

  /** From now on the scheduler must change only by its inputs. */
  stop(): void {
    this.#isStopped = true;
  }
}
