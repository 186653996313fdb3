/**
 * Whether this machine is fit to run tasks. Where it could not start one, for a reason that is its own, the worker takes nothing
 * for a while, longer each time; and it takes nothing while its disk refuses to keep results.
 */
import { limits } from "../../model/limits.ts";

export interface TroubleSettings {
  readonly troubleBaseMs: number;
  readonly troubleMaxMs: number;
  readonly troubleCalmMs: number;
}

export class Trouble {
  readonly #settings: TroubleSettings;
  #attempt: string | null = null;
  #disk: string | null = null;
  /** When tasks are taken again after an attempt that could not be started. */
  #until = 0;
  #pauseMs = 0;
  /** The leader does not know yet how this has changed. */
  isUnreported = false;
  /** When it was last said; null if there has been no trouble since this process began. */
  #saidAt: number | null = null;

  constructor(settings: TroubleSettings) {
    this.#settings = settings;
  }

  /** What is wrong, for people; null if nothing is. */
  get text(): string | null {
    return this.#disk ?? this.#attempt;
  }

  get isOfDisk(): boolean {
    return this.#disk !== null;
  }

  get nextWakeAt(): number | null {
    return this.#attempt === null ? null : this.#until;
  }

  /** An attempt could not be started. @returns how long nothing is taken from now on; null if a pause was on already */
  failed(now: number, reason: string): number | null {
    if (this.#attempt !== null) return null;
    const { troubleBaseMs, troubleMaxMs, troubleCalmMs } = this.#settings;
    const isCalm = this.#pauseMs === 0 || now >= this.#until + Math.max(troubleCalmMs, this.#pauseMs);
    this.#pauseMs = isCalm ? troubleBaseMs : Math.min(troubleMaxMs, 2 * this.#pauseMs);
    this.#until = now + this.#pauseMs;
    this.#attempt = shorten(reason);
    this.isUnreported = true;
    return this.#pauseMs;
  }

  /** True if the leader is to be told: of a change, and then again from time to time, since a report from before may come late and contradict it. */
  isToBeSaid(now: number): boolean {
    if (this.isUnreported) return true;
    return this.#saidAt !== null && now >= this.#saidAt + this.#settings.troubleCalmMs;
  }

  noteSaid(now: number): void {
    this.isUnreported = false;
    this.#saidAt = now;
  }

  /** The disk refuses to keep results, or takes them again. */
  setDisk(reason: string | null): void {
    this.#disk = reason === null ? null : shorten(reason);
    this.isUnreported = true;
  }

  /** True once: the pause is over, and the next task shows whether the machine is well again. */
  isPauseOver(now: number): boolean {
    if (this.#attempt === null || now < this.#until) return false;
    this.#attempt = null;
    this.isUnreported = true;
    return true;
  }

  shift(byMs: number): void {
    if (this.#attempt !== null) this.#until += byMs;
    if (this.#saidAt !== null) this.#saidAt += byMs;
  }
}

function shorten(text: string): string {
  return text.slice(0, limits.nameLengthMax).toWellFormed();
}
