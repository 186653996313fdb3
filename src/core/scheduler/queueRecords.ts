/** What operators have set of queues: in memory, and as the journal has it. */
import type { QueueRecord, QueueSettings } from "../../model/worker.ts";
import type { Lanes } from "./lanes.ts";
import type { LiveQueue, Queues } from "./queues.ts";
import type { Rates } from "./rates.ts";
import type { RecordModule } from "./recordModule.ts";

/** The settings of queues as the journal has them: a record for each that has one, none for the others. */
export class QueueRecords implements RecordModule<QueueRecord> {
  readonly #queues: Queues;
  readonly #lanes: Lanes;

  readonly #rates: Rates;

  constructor(queues: Queues, lanes: Lanes, rates: Rates) {
    this.#queues = queues;
    this.#lanes = lanes;
    this.#rates = rates;
  }

  put(name: string, record: QueueRecord | null): void {
    const queue = this.#queues.open(name);
    applySettings(queue, record ?? {});
    this.settle(queue);
  }

  recordOf(name: string): QueueRecord | null {
    const queue = this.#queues.get(name);
    if (queue === undefined || (!queue.isPaused && !queue.isLimited)) return null;
    const { isPaused, concurrencyMax, rate } = queue;
    return { name, isPaused, ...(concurrencyMax !== null && { concurrencyMax }), ...(rate !== null && { rate }) };
  }

  /** Must be called when settings of the queue have changed. */
  settle(queue: LiveQueue): void {
    this.#rates.watch(queue);
    this.#lanes.refresh(queue);
    this.#queues.dropIfUnused(queue);
  }
}

export function settingsOf({ isPaused, concurrencyMax, rate }: LiveQueue): Required<QueueSettings> {
  return { isPaused, concurrencyMax, rate };
}

export function applySettings(
  queue: LiveQueue,
  { isPaused = false, concurrencyMax = null, rate = null }: QueueSettings,
): void {
  Object.assign(queue, { isPaused, concurrencyMax, rate });
}
