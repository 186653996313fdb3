/** Families: a task that runs a handler has remembered steps, sets of children, and things that it waits for. */

import type { AttemptError } from "./attemptError.ts";
import type { OnNodeFailure } from "./graphs/conditions.ts";
import { finishHash, hashNumber, hashSeed, hashText } from "./hash.ts";
import type { SessionId, TaskId } from "./ids.ts";
import type { Json } from "./json.ts";

/** What an attempt waits for when it suspends. Keys are unique in a task, over its steps, its waits and its sets of children. */
export type Wait =
  /** Until all children of the set `key` have ended, or as many have failed as the set allows. */
  | { readonly kind: "children"; readonly key: string }
  | { readonly kind: "sleep"; readonly key: string; readonly ms: number }
  | { readonly kind: "signal"; readonly key: string; readonly name: string; readonly timeoutMs?: number };

/** The same once the leader has taken it: `until` is an instant in ms since 1970 and stays when the task suspends again. */
export type OpenWait =
  | { readonly kind: "children"; readonly key: string }
  | { readonly kind: "sleep"; readonly key: string; readonly until: number }
  | { readonly kind: "signal"; readonly key: string; readonly name: string; readonly until?: number };

/** What a task remembers under a key for all later attempts; `at` is when that was committed. */
export type StepRecord = StepContent & { readonly at?: number };

type StepContent =
  /** The result of a step, or of an independent submission: `{ id }`. */
  | { readonly value: Json }
  | { readonly children: ChildrenOutcome }
  | { readonly slept: { readonly at: number } }
  /** Null if none came in time. */
  | { readonly signal: { readonly id: string; readonly payload: Json } | null };

/** The task that an independent submission has made, if the step is of one. */
export function submittedIn(step: StepRecord): TaskId | undefined {
  const value = "value" in step ? step.value : null;
  return typeof value === "object" && value !== null && "id" in value ? (value.id as TaskId) : undefined;
}

/** How a set of children ended. Their results are read by index. */
export interface ChildrenOutcome {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Nodes of a graph that never ran; left out if 0. */
  readonly skipped?: number;
  readonly firstFailed?: FailedChild;
  /** So many of those that succeeded did so with the result of a backup; left out if 0. */
  readonly byBackup?: number;
}

/** How long the children of a set with backups take. */
export interface Pace {
  /** Successes without a backup's help, and the sum of the logarithms of what they took in ms, times 1000. */
  readonly timed: number;
  readonly logSum: number;
  /** Successes with the result of a backup. */
  readonly byBackup: number;
}

export interface FailedChild {
  readonly index: number;
  readonly id: TaskId;
  readonly error?: AttemptError;
}

/** `wait`: the others run on when a child fails. `cancel`: they are cancelled. */
export type OnChildFailure = "wait" | "cancel";

/** The key under which a graph has its nodes. */
export const nodesKey = "tasks";

/** A set of children that one `run` or `all` made, as long as its parent has not taken notice of its end. */
export interface ChildSetRecord {
  readonly parent: TaskId;
  readonly key: string;
  /** Children 0 … created - 1 have been made. */
  readonly created: number;
  /** Of the items so far, in order; see `foldItem`. */
  readonly fingerprint: string;
  /** No more children follow. */
  readonly isSealed: boolean;
  readonly onFailure: OnChildFailure | OnNodeFailure;
  /** The set ends, and the rest is cancelled, when more children than this have failed; null for no bound. */
  readonly failuresMax: number | null;
  /** So many children run at a time; null for no bound. */
  readonly concurrencyMax: number | null;
  /** Children that take much longer than the others get a backup. */
  readonly backups?: true;
  readonly pace?: Pace;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Left out if 0. */
  readonly skipped?: number;
  readonly firstFailed?: FailedChild;
  /** Of a set that is over: its parent has taken notice of that, and remembers it as a step. */
  readonly isNoticed?: boolean;
}

/** What a new attempt must know besides the remembered steps. */
export interface OpenFamily {
  readonly sets: readonly OpenSet[];
  readonly sleeps: readonly { readonly key: string; readonly until: number }[];
}

export interface OpenSet {
  readonly key: string;
  readonly created: number;
  readonly fingerprint: string;
  readonly isSealed: boolean;
}

/** Signals of one unfinished task. */
export interface SignalsRecord {
  readonly task: TaskId;
  /** Those that nobody has waited for yet, in the order in which they came. */
  readonly pending: readonly PendingSignal[];
  /** Ids of those that were delivered, the latest last, so that a repeated request is not delivered twice. */
  readonly delivered: readonly string[];
}

export interface PendingSignal {
  readonly id: string;
  readonly name: string;
  readonly payload: Json;
}

/** In no id that a client chooses, so that nobody can take the place of a child. */
export const childMark = "~";
const indexDigits = 7;
const descendantPattern = /~[0-9a-f]{16}[.][0-9]{7}$/;

/** Children of one set share a prefix (see `childPrefix`), and their ids sort by their index. */
export function childId(prefix: string, index: number): TaskId {
  return `${prefix}${String(index).padStart(indexDigits, "0")}` as TaskId;
}

/** The id of the backup of a task: no set of children has this generation. */
export function backupId(task: TaskId): TaskId {
  return childId(childPrefix(task, -1, "backup"), 0);
}

/** The prefix of the set that a child belongs to. */
export function prefixOf(child: TaskId): string {
  return child.slice(0, -indexDigits);
}

export function indexOf(child: TaskId): number {
  return Number(child.slice(-indexDigits));
}

/** Of bounded length, however deep the family is: the root's id and a hash of the parent's id, its generation and the key. */
export function childPrefix(parent: TaskId, epoch: number, key: string): string {
  return `${rootOf(parent)}${childMark}${hashName(parent, epoch, key)}.`;
}

/** The id of an independent task that an attempt submits; nobody else can choose it. */
export function submittedId(
  kind: string,
  by: { readonly task: TaskId; readonly assignedAt: number },
  key: string,
): TaskId {
  // The instant tells the handler's task from an earlier one of the same id, and only one attempt ever submits under a key.
  return `${kind}${childMark}s${hashName(by.task, by.assignedAt, key)}` as TaskId;
}

/**
 * The id of the task that stops a job of a task which is over, made in this entry of the journal. It is no child: the task may be
 * forgotten before its job is stopped.
 */
export function stopId(kind: string, task: TaskId, seq: number): TaskId {
  return `${kind}${childMark}s${hashName(task, seq, "stop")}` as TaskId;
}

/** The id of the record of a step: the generation is part of it, so that a retry from scratch begins without any. */
export function stepId(task: TaskId, epoch: number, key: string): string {
  return `${task}/${epoch}.${key}`;
}

function hashName(parent: TaskId, epoch: number, key: string): string {
  const name = `${parent} ${epoch} ${key}`;
  const low = finishHash(hashText(hashSeed, name));
  const high = finishHash(hashText(hashNumber(hashSeed, low), name));
  return hex(high) + hex(low);
}

/** True for the id of a child, whoever its parent is. */
export function isDescendant(id: string): boolean {
  return descendantPattern.test(id);
}

/** All descendants of a root have ids from `from` on and before `until`, and no other task has. */
export function descendantRange(root: TaskId): { readonly from: string; readonly until: string } {
  return { from: `${root}${childMark}0`, until: `${root}${childMark}g` };
}

/** The task at the top of the family that this one belongs to: itself if it has no parent. */
export function rootOf(id: TaskId): TaskId {
  return id.replace(descendantPattern, "") as TaskId;
}

/** True if there may be tasks below one of this status: it has children, or may have had some before a retry from scratch. */
export function mayHaveChildren(family: { readonly children: number; readonly epoch: number } | undefined): boolean {
  return family !== undefined && (family.children > 0 || family.epoch > 0);
}

export const noItems = "";

/** The fingerprint of a set with one more item. The same items in the same order give the same fingerprint. */
export function foldItem(fingerprint: string, item: object): string {
  const text = `${fingerprint} ${JSON.stringify(item)}`;
  const low = finishHash(hashText(hashSeed, text));
  return hex(finishHash(hashText(hashNumber(hashSeed, low), text))) + hex(low);
}

function hex(hash: number): string {
  return hash.toString(16).padStart(8, "0");
}

/** A worker asks for what the task of one of its running attempts remembers, page by page. */
export interface StepsRequest {
  readonly session: SessionId;
  readonly task: TaskId;
  readonly attempt: number;
  /** The last key of the page before; null for the first page. */
  readonly after: string | null;
}

export interface StepsPage {
  readonly steps: readonly { readonly key: string; readonly step: StepRecord }[];
  /** Give it back as `after` to get the next page; null at the end. */
  readonly next: string | null;
  /** What is under way besides; with the first page only. */
  readonly family?: OpenFamily;
}

/** A worker asks how the children of one set have ended, in the order of their indices. */
export interface ChildrenRequest {
  readonly session: SessionId;
  readonly task: TaskId;
  readonly attempt: number;
  readonly key: string;
  /** The index to begin with. */
  readonly from: number;
}

export interface ChildrenPage {
  readonly children: readonly ChildResult[];
  /** Give it back as `from` to get the next page; null at the end. */
  readonly next: number | null;
}

export interface ChildResult {
  readonly index: number;
  readonly id: TaskId;
  readonly name: string;
  readonly state: "success" | "failed" | "cancelled";
  readonly output?: Json;
  readonly error?: AttemptError;
}

/** A second task that does the same as one that takes much longer than its siblings. It counts nowhere. */
export interface Backup {
  readonly id: TaskId;
  /** The task has ended with the result of its backup. */
  readonly isWinner?: true;
}
