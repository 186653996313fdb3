/** Watches a master's event loop: from inside by its own metric, from outside by how soon it answers, less what the machine is to blame for. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { metric, readVitals, type Vitals } from "./vitals.ts";

export interface LoopOptions {
  readonly url: URL;
  readonly token: string | null;
  readonly pid: () => number | null;
  /** The loop may have stood still for so long. */
  readonly onBlocked: (blockedMs: number) => void;
  readonly blockedMsMax: number;
}

const scrapeEveryMs = 500;
const askEveryMs = 100;
/** An answer that this process was too busy to take in says nothing about the other. */
const ownDelayMsMax = 30;

/** How long the loop stood still, as far as it can be told from how long its timers were late. */
export interface Standstill {
  readonly lagMs: number;
  /** Not longer than the thread has run at all. */
  readonly mostMs: number;
  /** Not shorter than what the thread's waiting for a processor cannot explain. */
  readonly leastMs: number;
}

export function judgeLag(lagMs: number, busyMs: number, queuedMs: number): Standstill {
  return { lagMs, mostMs: Math.min(lagMs, busyMs), leastMs: Math.max(0, lagMs - queuedMs) };
}

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
  #worstMs = 0;

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
    return { blockedMsWorst: this.#worstMs, answersMs: this.#answersMs.toSorted((a, b) => a - b) };
  }

  /** The longest standstill since the last call. */
  async scrape(): Promise<Standstill> {
    const { pid, onBlocked, blockedMsMax } = this.#options;
    const id = pid();
    const text = await this.#metrics();
    const before = this.#before;
    this.#before = id === null ? null : readVitals(id);
    if (before === null || this.#before === null) return { lagMs: 0, mostMs: 0, leastMs: 0 };
    const lagMs = (metric(text, "nodejs_eventloop_lag_max_seconds") ?? 0) * 1000;
    const standstill = judgeLag(lagMs, this.#before.busyMs - before.busyMs, this.#before.queuedMs - before.queuedMs);
    this.#worstMs = Math.max(this.#worstMs, standstill.mostMs);
    if (standstill.mostMs > blockedMsMax) onBlocked(standstill.mostMs);
    return standstill;
  }

  /** What the program holds in memory, whether or not it has given the rest back to the system. */
  async usedBytes(): Promise<number | null> {
    const text = await this.#metrics();
    const parts = ["nodejs_heap_size_used_bytes", "nodejs_external_memory_bytes"].map((name) => metric(text, name));
    return parts.reduce((sum, part) => (sum === null || part === null ? null : sum + part), 0);
  }

  async #metrics(): Promise<string> {
    const response = await fetch(new URL("/metrics", this.#options.url), { headers: this.#headers() });
    return response.text();
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
