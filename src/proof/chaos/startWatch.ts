/** Sees, while a run goes on, when attempts begin and end: from the lines that workers write about them. */
import { endedMessage, startedMessage } from "../cluster/attemptLines.ts";
import { Tail } from "./tail.ts";

const everyMs = 50;

export class StartWatch {
  readonly #tails: readonly Tail[];
  #timer: NodeJS.Timeout | null = null;
  /** When the last attempt began, in ms since 1970; 0 before the first. */
  lastAt = 0;
  started = 0;
  ended = 0;

  constructor(logPaths: readonly string[]) {
    this.#tails = logPaths.map((path) => new Tail(path));
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), everyMs);
    this.#timer.unref();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #look(): void {
    for (const tail of this.#tails) {
      for (const line of tail.lines()) {
        if (line.includes(`"${endedMessage}"`)) this.ended += 1;
        if (!line.includes(`"${startedMessage}"`)) continue;
        this.started += 1;
        this.lastAt = Math.max(this.lastAt, Number(/"time":(\d+)/.exec(line)?.[1] ?? 0));
      }
    }
  }
}
