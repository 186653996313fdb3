/** What a run knows of the lives of its processes: when each began, when and how it ended. */
import type { LedgerFact } from "./attemptLines.ts";

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

/** A time in which no master answered: from the death of one to the ready line of the next. */
export interface Outage {
  readonly from: number;
  /** Null if no master came back. */
  readonly to: number | null;
}

/** When no master was there. */
export function outages(lives: readonly Life[]): Outage[] {
  const masters = lives.filter((life) => life.role === "master").sort((a, b) => a.startedAt - b.startedAt);
  return masters.flatMap((life) => {
    if (life.endedAt === null || life.cause === "stopped") return [];
    const { endedAt } = life;
    const next = masters.find((other) => other.startedAt >= endedAt && other.readyAt !== null);
    return [{ from: endedAt, to: next?.readyAt ?? null }];
  });
}

/** The life that wrote a fact. */
export function lifeOf(lives: readonly Life[], fact: LedgerFact): Life | undefined {
  return lives.find((life) => life.process === fact.process && life.number === fact.life);
}
