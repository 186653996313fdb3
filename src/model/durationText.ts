/** Durations as people write and read them: `250ms`, `5s`, `1h30m`. */
import { limits } from "./limits.ts";

/** Two units at most: `850ms`, `4.2s`, `3m20s`, `5h`, `12d4h`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${Number((Math.floor(ms / 100) / 10).toFixed(1))}s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 3600) return pair(seconds, 60, "m", 1, "s");
  if (seconds < 86_400) return pair(seconds, 3600, "h", 60, "m");
  return pair(seconds, 86_400, "d", 3600, "h");
}

function pair(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)}${largeUnit}${rest === 0 ? "" : `${rest}${smallUnit}`}`;
}

const unitMs: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * `5m`, `1h30m`, `250ms`, `1.5s`, `0`: numbers with a unit each, the larger unit first.
 * @returns milliseconds, whole
 * @throws Error with a sentence for the user
 */
export function parseDuration(text: string): number {
  const trimmed = text.trim();
  if (trimmed === "0") return 0;
  if (/^\d+(\.\d+)?$/.test(trimmed)) throw new Error(`Say the unit: ${trimmed}s, ${trimmed}m or ${trimmed}ms.`);
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(trimmed)) {
    throw new Error("A duration is numbers with the units d, h, m, s or ms, such as 5m, 1h30m or 250ms.");
  }
  let total = 0;
  let unitBefore = Number.POSITIVE_INFINITY;
  for (const [, amount = "", unit = ""] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    const factor = unitMs[unit] ?? 0;
    if (factor >= unitBefore) throw new Error(`In a duration the larger unit stands first and each only once: 1h30m.`);
    unitBefore = factor;
    total += Number(amount) * factor;
  }
  const rounded = Math.round(total);
  if (rounded > limits.durationMsMax) throw new Error(`That is longer than ${formatDuration(limits.durationMsMax)}.`);
  return rounded;
}
