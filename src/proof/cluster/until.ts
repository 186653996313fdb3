/** Waiting for a condition, with a name and an end: whoever waits in vain says what for. */

/** How often a condition is looked at. */
const lookMs = 20;

/** A run could not be carried out as planned; for a person, with what to do about it. */
export class RunFailed extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = "RunFailed";
    this.hint = hint;
  }
}

/**
 * Resolves with the first value of `look` that is neither false nor null nor undefined.
 * @param what completes the sentence "waited for …"
 * @throws RunFailed after `msMax`; the signal's reason once it is aborted; what `look` throws
 */
export async function until<Value>(
  what: string,
  msMax: number,
  look: () => Value | false | null | undefined | Promise<Value | false | null | undefined>,
  signal?: AbortSignal,
): Promise<Value> {
  const startedAt = performance.now();
  for (;;) {
    signal?.throwIfAborted();
    const value = await look();
    if (value !== false && value !== null && value !== undefined) return value;
    if (performance.now() - startedAt > msMax) {
      throw new RunFailed(
        `Waited ${msMax / 1000} s in vain for ${what}.`,
        "The logs of all processes are in the run's folder.",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
