/** What a run knows of the lives of its processes: when each began, when and how it ended. */

/** One life of one process. All instants by the clock of the run, in ms since 1970. */
export interface Life {
  readonly process: string;
  readonly role: "master" | "worker";
  /** 1, 2, 3 … for each start of the same process. */
  readonly number: number;
  readonly startedAt: number;
  readonly readyAt: number | null;
  /** When SIGKILL was sent, or, if it was not, when the process was gone; null while it lives. */
  readonly endedAt: number | null;
  /** Who ended it: SIGKILL by the run, SIGTERM at the end of the run, or itself (which is never right). */
  readonly cause: "killed" | "stopped" | "itself" | null;
  /** How it ended, for people: `SIGKILL`, `exit code 1`. */
  readonly exit: string | null;
}

/** The life that wrote a fact. */
export function lifeOf(
  lives: readonly Life[],
  fact: { readonly process: string; readonly life: number },
): Life | undefined {
  return lives.find((life) => life.process === fact.process && life.number === fact.life);
}

/** Processes that ended though nobody had ended them, one sentence each. */
export function unexpectedEnds(lives: readonly Life[]): string[] {
  return lives
    .filter((life) => life.cause === "itself")
    .map((life) => `${life.process} (life ${life.number}) ended by itself: ${life.exit}.`);
}
