/**
 * Changes the output of a job where nothing can be renamed, as in S3. Attempts make claims. An attempt looks at the claims before each
 * change, and makes the change only if what it is about to write over is still what it saw. So an earlier attempt, however late it is,
 * changes nothing that a later one has written.
 */
import type { FileRef, Promotion } from "./store.ts";

/** An object of the output. */
export interface FoundOutput {
  /** Another content has another one. */
  readonly etag: string;
  /** The file of a job that it is a copy of, as `sourceOf` says it; null if no job has made it. */
  readonly source: string | null;
}

/** The requests that it takes. Each has its effect at one instant, or none. */
export interface OutputObjects {
  /** The files of this job have sources that begin with it. */
  readonly ownSources: string;
  sourceOf(file: FileRef): string;
  find(name: string): Promise<FoundOutput | null>;
  names(): Promise<readonly string[]>;
  /** @param etag of what it replaces; null if there must be nothing @throws OutputChanged if something else is there */
  copy(file: FileRef, as: string, etag: string | null): Promise<void>;
  /** @throws OutputChanged if something else is there */
  remove(name: string, etag: string): Promise<void>;
  claim(attempt: number): Promise<void>;
  unclaim(attempt: number): Promise<void>;
  /** The attempts that have made claims; null once the job is over. */
  claims(): Promise<readonly number[] | null>;
}

export class OutputChanged extends Error {}

/** How often a change is begun again that found something else than it saw. */
const changesMax = 5;

/** @throws Error if a later attempt promotes, or the job is over */
export async function beginPromotion(objects: OutputObjects, attempt: number): Promise<Promotion> {
  // First its own claim, then the look at the others: of two attempts at least one sees the other.
  await objects.claim(attempt);
  const promotion = new ClaimedPromotion(objects, attempt);
  try {
    await promotion.check();
  } catch (error) {
    // Nobody else would remove it.
    if ((await objects.claims()) === null) await objects.unclaim(attempt);
    throw error;
  }
  return promotion;
}

class ClaimedPromotion implements Promotion {
  readonly #objects: OutputObjects;
  readonly #attempt: number;

  constructor(objects: OutputObjects, attempt: number) {
    this.#objects = objects;
    this.#attempt = attempt;
  }

  names(): Promise<readonly string[]> {
    return this.#objects.names();
  }

  link(file: FileRef, as: string): Promise<boolean> {
    return this.#change(as, async (found) => {
      if (found !== null) return found.source === this.#objects.sourceOf(file);
      await this.#objects.copy(file, as, null);
      return true;
    });
  }

  async replace(file: FileRef, as: string): Promise<void> {
    await this.#change(as, async (found) => {
      if (found?.source !== this.#objects.sourceOf(file)) await this.#objects.copy(file, as, found?.etag ?? null);
    });
  }

  async retract(name: string): Promise<void> {
    await this.#change(name, async (found) => {
      // What an earlier attempt of this job has put there is of the same output.
      const isOwn = found?.source?.startsWith(this.#objects.ownSources) === true;
      if (found !== null && !isOwn) await this.#objects.remove(name, found.etag);
    });
  }

  async check(): Promise<void> {
    const claims = await this.#objects.claims();
    // Its own claim is gone if the job has failed and was begun from scratch since.
    if (claims === null || !claims.includes(this.#attempt))
      throw new Error("The files of this job are gone: it is over.");
    const later = claims.find((attempt) => attempt > this.#attempt);
    if (later !== undefined) throw new Error(`Attempt ${later} of this job promotes its output.`);
  }

  /** Looks at what is there, at the claims, and then lets `make` do what follows; again if something else was there by then. */
  async #change<Result>(name: string, make: (found: FoundOutput | null) => Promise<Result>): Promise<Result> {
    for (let tries = 1; ; tries += 1) {
      const found = await this.#objects.find(name);
      await this.check();
      try {
        return await make(found);
      } catch (error) {
        if (!(error instanceof OutputChanged) || tries >= changesMax) throw error;
      }
    }
  }
}
