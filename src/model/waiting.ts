/** Why a task does not run: one reason, for people and for programs. */
import type { TaskId } from "./ids.ts";

/** What a task waits for by itself; the other reasons keep all tasks like it from starting. */
const ownReasons = [
  "due-later",
  "back-off",
  "isolation",
  "siblings",
  "children",
  "sleep",
  "signal",
  "descendants",
  "blocked",
] as const;

/**
 * due-later       it has a start time
 * back-off        an attempt failed; the next one waits
 * isolation       it took its workers down again and again: it waits for one that runs nothing else
 * siblings        as many children of its set run as may run at a time
 * children, sleep, signal   what its handler waits for
 * descendants     its outcome is decided; its descendants have to end first
 * blocked         it waits for other tasks
 * queue-paused    its queue starts nothing
 * no-worker       no worker serves its queue
 * no-able-worker  none of them can run its kind, or none that can carries its labels
 * workers-away    those that can take no new tasks at the moment
 * workers-busy    those that can have no free slot
 * queue-full      as many tasks of its queue run as may run at a time
 * queue-rate      its queue has started as many tasks as it may start in a time
 * key             as many tasks with its concurrency key run as may run at a time
 * unique-key      what ran before with its unique key is still ending
 * next-in-line    it can start any moment
 * no-leader       no master leads, so nothing starts
 */
export const waitingReasons = [
  ...ownReasons,
  "queue-paused",
  "no-worker",
  "no-able-worker",
  "workers-away",
  "workers-busy",
  "queue-full",
  "queue-rate",
  "key",
  "unique-key",
  "next-in-line",
  "no-leader",
] as const;
export type WaitingReason = (typeof waitingReasons)[number];

/** True for a reason that concerns one task alone. */
export function isOwnReason(reason: WaitingReason): boolean {
  return ownReasons.some((own) => own === reason);
}

/** What a suspended task waits for. */
export type Awaited = Extract<WaitingReason, "children" | "sleep" | "signal" | "descendants">;

export interface Waiting {
  readonly reason: WaitingReason;
  /** From when on it has waited, for this as far as that is known; in ms since 1970. */
  readonly since: number;
  /** The reason in words, as the end of a sentence that begins with the task. */
  readonly detail: string;
  /** A command that would end the wait, for those who may call it; left out where there is none. */
  readonly advice?: string;
  /** The tasks that hold the key which it waits for, as far as `detail` names them; left out for other reasons. */
  readonly holders?: readonly TaskId[];
  /** Where the wait ends by itself: not before this instant. */
  readonly until?: number;
}

/** The reason and what to do about it, for a reader who has a command line. */
export function withAdvice({ detail, advice }: Pick<Waiting, "detail" | "advice">): string {
  return advice === undefined ? detail : `${detail}; ${advice}`;
}
