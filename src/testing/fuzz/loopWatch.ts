/** Watches a master's event loop: from inside by its own metric, from outside by how soon it answers, less what the machine is to blame for. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { metric, readVitals, type Vitals } from "./vitals.ts";

export interface LoopOptions {
  readonly url: URL;
  readonly token: string | null;
  readonly pid: () => number | null;
  /** The loop stood still for so long, not counting the time in which the thread waited for a processor. */
  readonly onBlocked: (blockedMs: number) => void;
  readonly blockedMsMax: number;
}

const scrapeEveryMs = 500;
const askEveryMs = 100;
/** An answer that this process was too busy to take in says nothing about the other. */
const ownDelayMsMax = 30;

export interface LoopFigures {
  readonly blockedMsWorst: number;
  readonly answersMs: readonly number[];
}

export class LoopWatch {
  readonly #options: LoopOptions;
  readonly #answersMs: number[] = [];
  readonly #ownDelay = monitorEventLoopDelay({ resolution: 5 });
  readonly #stopping = new AbortController();
  #loops: Promise<void>[] = [];
  #before: Vitals | null = null;
  #worst = 0;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#ownDelay.enable();
    this.#loops = [this.#every(scrapeEveryMs, () => this.scrape()), this.#every(askEveryMs, () => this.#ask())];
  }

  async stop(): Promise<LoopFigures> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
    this.#ownDelay.disable();
    return { blockedMsWorst: this.#worst, answersMs: this.#answersMs.toSorted((a, b) => a - b) };
  }

  /** The longest standstill since the last call. */
  async scrape(): Promise<number> {
    const { url, pid, onBlocked, blockedMsMax } = this.#options;
    const id = pid();
    const response = await fetch(new URL("/metrics", url), { headers: this.#headers() });
    const text = await response.text();
    const now = id === null ? null : readVitals(id);
    const queuedMs = now === null || this.#before === null ? 0 : now.queuedMs - this.#before.queuedMs;
    const isFirst = this.#before === null;
    this.#before = now;
    if (isFirst) return 0;
    const lagMs = (metric(text, "nodejs_eventloop_lag_max_seconds") ?? 0) * 1000;
    const blockedMs = Math.max(0, lagMs - queuedMs);
    this.#worst = Math.max(this.#worst, blockedMs);
    if (blockedMs > blockedMsMax) onBlocked(blockedMs);
    return blockedMs;
  }

  async #ask(): Promise<void> {
    this.#ownDelay.reset();
    const startedAt = performance.now();
    await (await fetch(new URL("/healthz", this.#options.url))).text();
    if (this.#ownDelay.max / 1e6 < ownDelayMsMax) this.#answersMs.push(performance.now() - startedAt);
  }

  async #every(ms: number, work: () => Promise<unknown>): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      // A master that is not there is told of by whoever started it.
      await work().catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
  }

  #headers(): { [name: string]: string } {
    const { token } = this.#options;
    return token === null ? {} : { authorization: `Bearer ${token}` };
  }
}
