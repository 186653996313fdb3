/** What a worker and a process that runs handlers say to each other. One attempt at a time. */
import type { FilesAnswer, FilesRequest } from "../model/attemptFiles.ts";
import type { ChildrenPage, OpenSet, StepRecord } from "../model/family.ts";
import type { Json } from "../model/json.ts";
import type { AttemptContent, AttemptEnd, ItemAnswer } from "../model/protocol.ts";

/** From the worker. Messages with a ticket answer one of the same number. */
export type ToRunner =
  | { readonly kind: "start"; readonly attempt: HandlerStart }
  | { readonly kind: "answer"; readonly ticket: number; readonly answer: ItemAnswer }
  | { readonly kind: "page"; readonly ticket: number; readonly page: ChildrenPage }
  | { readonly kind: "files"; readonly ticket: number; readonly files: FilesAnswer }
  /** Fires the handler's abort signal. The process is killed a little later. */
  | { readonly kind: "abort"; readonly reason: string };

/** To the worker, as it is on the channel: handlers, and libraries in them, may send what they like through it. */
export interface RunnerMessage {
  readonly outlast: FromRunner;
}

/** To the worker. */
export type FromRunner =
  /** The first message, or `unloadable`. */
  | { readonly kind: "loaded"; readonly handlers: readonly HandlerInfo[] }
  | { readonly kind: "unloadable"; readonly problems: readonly string[] }
  | { readonly kind: "send"; readonly ticket: number; readonly content: AttemptContent }
  | { readonly kind: "tell"; readonly content: AttemptContent }
  | { readonly kind: "read"; readonly ticket: number; readonly key: string; readonly from: number }
  | { readonly kind: "files"; readonly ticket: number; readonly asked: FilesRequest }
  | { readonly kind: "end"; readonly end: HandlerEnding; readonly reuse: Reuse };

export interface HandlerInfo {
  /** The kind of its tasks. */
  readonly name: string;
  readonly runner: "process" | "inline";
}

/** What an attempt is given before its handler starts. */
export interface HandlerStart {
  readonly task: string;
  readonly attempt: number;
  readonly kind: string;
  readonly input: Json;
  readonly parent: string | null;
  readonly deadlineAt: number | null;
  readonly traceparent?: string;
  readonly steps: readonly (readonly [key: string, step: StepRecord])[];
  readonly sets: readonly OpenSet[];
}

/** How a handler ended, apart from when. */
export type HandlerEnding = Pick<AttemptEnd, "outcome" | "output" | "error" | "waits" | "retryAfterMs">;

/** Whether the process may run another attempt. */
export interface Reuse {
  /** Why not; null if nothing of the attempt is left in it. */
  readonly obstacle: string | null;
  readonly heapBytes: number;
}

/** What a handler has in the worker's own process, besides its session. */
export interface InlineOutside {
  log(text: string): void;
  /** Never resolves once the attempt is over. */
  files(asked: FilesRequest): Promise<FilesAnswer>;
}
