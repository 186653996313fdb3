/** Tells one worker's death from a network's: when many streams close at once, nobody is dead yet. */

interface Closing {
  readonly worker: string;
  readonly at: number;
}

export class MassLoss {
  #recent: Closing[] = [];

  /** Notes a closing. @returns every worker that closed within the window, if that is too many to be their own doing */
  note(
    worker: string,
    now: number,
    connected: number,
    bounds: { readonly windowMs: number; readonly share: number; readonly min: number },
  ): readonly string[] {
    this.#recent = this.#recent.filter((closing) => now - closing.at <= bounds.windowMs && closing.worker !== worker);
    this.#recent.push({ worker, at: now });
    const closed = this.#recent.length;
    const wasConnected = connected + closed;
    return closed >= bounds.min && closed > wasConnected * bounds.share
      ? this.#recent.map((closing) => closing.worker)
      : [];
  }
}
