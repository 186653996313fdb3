/** The names that things are known by: branded strings, and the one rule that says which strings may be ids. */
import { limits } from "./limits.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** Names a task for its whole life: 1 to `limits.idLengthMax` characters of `[A-Za-z0-9._:-]`. */
export type TaskId = Branded<"TaskId">;
/** Names a worker across its restarts. Same alphabet as a task's id. */
export type WorkerId = Branded<"WorkerId">;
/** Drawn at random by each worker process when it starts, so that a restarted worker is not mistaken for its former self. */
export type BootId = Branded<"BootId">;
/** Drawn at random by each master process when it starts: who wrote an entry, whatever the host is called. */
export type Nonce = Branded<"Nonce">;
/** Drawn at random once in the life of a store: tells a restored or exchanged store from the one a worker knew. */
export type Incarnation = Branded<"Incarnation">;
/** One connection of a worker to a leader: `<epoch>.<count>`. */
export type SessionId = Branded<"SessionId">;

const idPattern = /^[A-Za-z0-9._:-]+$/;

/** True if `text` may name a task, worker, queue or boot. */
export function isId(text: unknown): text is string {
  return typeof text === "string" && text.length > 0 && text.length <= limits.idLengthMax && idPattern.test(text);
}

/** What the ids that Outlast makes itself add to one that a client may choose; see `childId` in family.ts and `tickId` in schedules/schedule.ts. */
const ownIdPattern = /^([^~@]+)(?:@[A-Za-z0-9.:-]{1,40})?(?:~s[0-9a-f]{16})?(?:~[0-9a-f]{16}[.][0-9]{7})?$/;

/** True if `text` may name a task: an id that a client may choose, or one that was made for a child or for a tick of a schedule. */
export function isTaskId(text: unknown): text is string {
  return isId(text) || (typeof text === "string" && isId(ownIdPattern.exec(text)?.[1]));
}

/** What a label of a worker looks like: `gpu`, `zone=eu`. */
export const labelPattern = `^[A-Za-z0-9._:/=-]{1,${limits.labelLengthMax}}$`;

const workerLabelStart = "worker=";

/** The label that every worker carries by itself, and no other: a task that requires it runs there and nowhere else. */
export function workerLabel(worker: WorkerId): string {
  return `${workerLabelStart}${worker}`;
}

/** The worker that these labels name; null if they name none. */
export function workerOf(labels: readonly string[]): WorkerId | null {
  const label = labels.find((each) => each.startsWith(workerLabelStart));
  return label === undefined ? null : (label.slice(workerLabelStart.length) as WorkerId);
}

/** The name of one attempt, `<task>/<attempt>`; a slash cannot occur in an id, so two attempts never share a name. */
export function attemptKey(task: TaskId, attempt: number): string {
  return `${task}/${attempt}`;
}

interface Issue {
  readonly task: TaskId;
  readonly attempt: number;
  /** In ms since 1970. */
  readonly assignedAt: number;
}

/** The same with the instant at which it was given out, which tells it from one of an earlier task with the same id. */
export function issueKey({ task, attempt, assignedAt }: Issue): string {
  return `${attemptKey(task, attempt)}@${assignedAt}`;
}

/**
 * The nonce of a master that listens at `place`, a digest of machine and port. Two living processes never listen at one place, so
 * another nonce of the same place is that of a dead process. A null place says nothing.
 */
export function nonceAt(place: string | null, random: string): Nonce {
  return (place === null ? random : `${place}.${random}`) as Nonce;
}

/** True if one process listened where the other one listens now. */
export function areOfOnePlace(one: Nonce, other: Nonce): boolean {
  const end = one.indexOf(".");
  return end > 0 && one.slice(0, end + 1) === other.slice(0, end + 1);
}
