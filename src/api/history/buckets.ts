/** What happened in each second and each minute: counts, durations and states, in a ring that forgets the oldest. */

/** What is counted. */
export const counted = ["submitted", "started", "succeeded", "failed", "cancelled", "retried", "killed"] as const;
export type Counted = (typeof counted)[number];

/** What is timed, in ms. */
export const timed = ["waitMs", "runMs", "commitMs"] as const;
export type Timed = (typeof timed)[number];

export interface Sample {
  /** Tasks by state. */
  readonly tasks: { readonly [state: string]: number };
  readonly slots: { readonly total: number; readonly used: number };
}

/** Durations in classes that grow by a quarter, so that a quantile is right to a quarter and costs nothing to keep. */
class Durations {
  static readonly #growth = 1.25;
  static readonly #classes = 96;
  readonly #counts = new Uint32Array(Durations.#classes);
  #total = 0;

  add(ms: number): void {
    const index = ms < 1 ? 0 : 1 + Math.floor(Math.log(ms) / Math.log(Durations.#growth));
    const place = Math.min(index, Durations.#classes - 1);
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#total += 1;
  }

  /** The upper end of the class that holds the quantile, in ms; null if nothing was timed. */
  quantile(share: number): number | null {
    if (this.#total === 0) return null;
    let below = 0;
    for (const [index, count] of this.#counts.entries()) {
      below += count;
      if (below >= share * this.#total) return Math.round(Durations.#growth ** index);
    }
    return null;
  }
}

interface Quantiles {
  readonly p50: number;
  readonly p95: number;
}

/** One second or minute, as the API shows it. */
export type HistoryPoint = { readonly at: number } & { readonly [Name in Counted]: number } & {
  readonly [Name in Timed]: Quantiles | null;
} & { readonly sample: Sample | null };

class Bucket {
  readonly at: number;
  readonly counts: { [Name in Counted]: number };
  /** Made when something is timed: most seconds of a quiet cluster time nothing. */
  readonly durations: { [Name in Timed]?: Durations } = {};
  sample: Sample | null = null;

  constructor(at: number) {
    this.at = at;
    this.counts = { submitted: 0, started: 0, succeeded: 0, failed: 0, cancelled: 0, retried: 0, killed: 0 };
  }

  toPoint(): HistoryPoint {
    const { at, counts, sample } = this;
    return { at, ...counts, ...this.#times(), sample };
  }

  #times(): { [Name in Timed]: Quantiles | null } {
    const of = (name: Timed): Quantiles | null => {
      const p50 = this.durations[name]?.quantile(0.5) ?? null;
      const p95 = this.durations[name]?.quantile(0.95) ?? null;
      return p50 === null || p95 === null ? null : { p50, p95 };
    };
    return { waitMs: of("waitMs"), runMs: of("runMs"), commitMs: of("commitMs") };
  }
}

export class Buckets {
  readonly #stepMs: number;
  readonly #max: number;
  readonly #buckets: Bucket[] = [];

  constructor(stepMs: number, max: number) {
    this.#stepMs = stepMs;
    this.#max = max;
  }

  count(at: number, name: Counted, by = 1): void {
    this.#at(at).counts[name] += by;
  }

  time(at: number, name: Timed, ms: number): void {
    const { durations } = this.#at(at);
    durations[name] ??= new Durations();
    durations[name].add(ms);
  }

  sample(at: number, sample: Sample): void {
    this.#at(at).sample = sample;
  }

  /** Those that begin at or after this instant, in order and without gaps. The last one is not over yet. */
  since(at: number): HistoryPoint[] {
    const points: HistoryPoint[] = [];
    let next = Math.max(this.#buckets[0]?.at ?? 0, Math.ceil(at / this.#stepMs) * this.#stepMs);
    for (const bucket of this.#buckets) {
      if (bucket.at < next) continue;
      // Where nothing was read or sampled, as before an election, nothing happened.
      for (; next < bucket.at; next += this.#stepMs) points.push(new Bucket(next).toPoint());
      points.push(bucket.toPoint());
      next += this.#stepMs;
    }
    return points;
  }

  /** A clock that was set back goes on in the newest one. */
  #at(at: number): Bucket {
    const start = Math.floor(at / this.#stepMs) * this.#stepMs;
    const newest = this.#buckets.at(-1);
    if (newest !== undefined && newest.at >= start) return newest;
    const bucket = new Bucket(start);
    this.#buckets.push(bucket);
    const oldest = start - (this.#max - 1) * this.#stepMs;
    while ((this.#buckets[0]?.at ?? start) < oldest) this.#buckets.shift();
    return bucket;
  }
}
