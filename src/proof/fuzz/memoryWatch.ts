/** Whether a master comes back to what it needed before: its memory in use, what it takes of the system, and its open files. */
import { readVitals } from "./vitals.ts";

export interface MemorySample {
  readonly when: string;
  readonly residentBytes: number;
  readonly usedBytes: number;
  readonly files: number;
}

/** What may stay behind: caches of the store and of the past, slack of the heap, connections that are kept for a while. */
const usedGrowthBytesMax = 100 * 1024 * 1024;
const residentGrowthBytesMax = 700 * 1024 * 1024;
const filesGrowthMax = 40;
const restMs = 4_000;
const triesMax = 8;

export interface MemorySources {
  readonly pid: () => number | null;
  readonly usedBytes: () => Promise<number | null>;
  readonly collectGarbage: () => Promise<void>;
}

export class MemoryWatch {
  readonly samples: MemorySample[] = [];
  readonly #sources: MemorySources;

  constructor(sources: MemorySources) {
    this.#sources = sources;
  }

  /** Lets some time pass, and looks. */
  async rest(when: string): Promise<MemorySample | null> {
    await new Promise((resolve) => setTimeout(resolve, restMs));
    const { collectGarbage, usedBytes } = this.#sources;
    await collectGarbage();
    const pid = this.#sources.pid();
    const vitals = pid === null ? null : readVitals(pid);
    if (vitals === null) return null;
    const { residentBytes, files } = vitals;
    const sample = { when, residentBytes, files, usedBytes: (await usedBytes()) ?? 0 };
    this.samples.push(sample);
    return sample;
  }

  /**
   * Compares with the first sample, until there is little enough, for a bounded time: connections are closed, and pages given
   * back to the system, some time later. @returns what has grown, as sentences
   */
  async grown(): Promise<readonly string[]> {
    const [before] = this.samples;
    for (let tries = 1; ; tries++) {
      const after = await this.rest("after");
      if (before === undefined || after === null) return [];
      const problems = compare(before, after);
      if (problems.length === 0 || tries === triesMax) return problems;
    }
  }
}

export function compare(before: Omit<MemorySample, "when">, after: Omit<MemorySample, "when">): string[] {
  const differences: readonly (readonly [by: number, max: number, unit: number, what: string])[] = [
    [after.usedBytes - before.usedBytes, usedGrowthBytesMax, 1e6, "MB in use"],
    [after.residentBytes - before.residentBytes, residentGrowthBytesMax, 1e6, "MB of the system"],
    [after.files - before.files, filesGrowthMax, 1, "open files"],
  ];
  return differences
    .filter(([by, max]) => by > max)
    .map(
      ([by, _max, unit, what]) =>
        `After a quiet time the master has ${(by / unit).toFixed(0)} ${what} more than before.`,
    );
}
