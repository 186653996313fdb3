/** What running a handler needs from outside: the way to the leader, the time, and somebody who knows when nothing moves any more. */
import type { FilesAnswer, FilesRequest } from "../../model/attemptFiles.ts";
import type { ChildrenPage, OpenSet, StepRecord, Wait } from "../../model/family.ts";
import type { Json } from "../../model/json.ts";
import type { AttemptContent, ItemAnswer } from "../../model/protocol.ts";
import type { AttemptError } from "../../model/task.ts";

/** What an attempt is given before its handler starts. */
export interface AttemptStart {
  readonly task: string;
  readonly attempt: number;
  readonly kind: string;
  readonly input: Json;
  readonly parent: string | null;
  /** By this machine's clock, in ms since 1970; null for no bound. */
  readonly deadlineAt: number | null;
  /** Names the attempt in its trace; left out if it belongs to none. */
  readonly traceparent?: string;
  /** What the task remembers, by key. */
  readonly steps: readonly (readonly [key: string, step: StepRecord])[];
  /** Sets of children that are not over. */
  readonly sets: readonly OpenSet[];
}

export interface HandlerPort {
  /** Resolves when the leader has answered, however long none can be reached. */
  send(content: AttemptContent): Promise<ItemAnswer>;
  tell(content: AttemptContent): void;
  /** One page of the children of a set that is over, from this index on. */
  readChildren(key: string, from: number): Promise<ChildrenPage>;
  /** Of the attempt; never resolves once the attempt is over. Left out where there are no files. */
  files?(asked: FilesRequest): Promise<FilesAnswer>;
  /** In ms since 1970. */
  now(): number;
  /** Calls back once. @returns what cancels that */
  after(ms: number, callback: () => void): () => void;
  /** Writes a line to the attempt's log. */
  log(text: string): void;
  /** Requests to the outside are under way, or none are any more. */
  onBusy?(isBusy: boolean): void;
  /** `HandlerRun.isWaiting` has become true; it may be false again at any moment. */
  onWaiting?(): void;
}

/** How a run of a handler ended. */
export type HandlerEnd =
  | { readonly outcome: "success"; readonly output: Json }
  | { readonly outcome: "failed"; readonly error: AttemptError; readonly retryAfterMs?: number }
  | { readonly outcome: "suspended"; readonly waits: readonly Wait[] }
  /** The leader has given the attempt up, so how it ends no longer matters. */
  | { readonly outcome: "aborted" };
