/** How long to wait before trying again, and a wait that can be broken off. */
import { defaults } from "../model/limits.ts";

/** Doubles with each round up to a bound; a random half is taken off, so that many clients do not come back together. */
export function backoffMs(round: number): number {
  const whole = Math.min(defaults.clientBackoffMaxMs, defaults.clientBackoffBaseMs * 2 ** Math.min(round, 20));
  return whole / 2 + (whole / 2) * Math.random();
}

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
