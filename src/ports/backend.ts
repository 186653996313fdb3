/** Runs that somebody else carries out: a container engine, or the service of a cloud. The worker only starts, watches and stops them. */
import type { Json } from "../model/json.ts";
import type { AttemptRef } from "../model/protocol.ts";

export interface Backend {
  /**
   * Starts a run. Called again with the same key, also by another process and after a failure, it starts nothing and returns the
   * handle of the run that is there.
   * @throws RunRefused if there is no such run and another call with this order would not make one either
   * @throws BackendTrouble if it is not known whether the run is there: call it again with the same key
   */
  start(order: RunOrder, stop: Cancellation): Promise<RunHandle>;
  /** How a run is. That this cannot be found out is `unknown`, and says nothing about the run. Never rejects. */
  inspect(handle: RunHandle): Promise<RunState>;
  /**
   * Ends a run: it is asked to, and made to after `graceMs` where the backend can do that. Does nothing for one that has ended or
   * is gone. When it resolves, the run may take a little longer to end.
   * @throws BackendTrouble if it is not known whether this has reached the run
   */
  stop(handle: RunHandle, graceMs: number): Promise<void>;
  /**
   * Output from this byte on, as far as it is there, or further while the run goes on; the same bytes at the same offset each time.
   * After the end of an iteration ask again from where it ended, until it has come to nothing after the end of the run.
   * @throws BackendTrouble while it is read
   */
  logs(handle: RunHandle, offset: number, stop: Cancellation): AsyncIterable<Uint8Array>;
  /** Every run that was ever started here and is not forgotten; null if the backend cannot tell. @throws BackendTrouble */
  list(): Promise<readonly RunHandle[] | null>;
  /** Removes what is left of a run. Does nothing if nothing is. @throws BackendTrouble */
  forget(handle: RunHandle): Promise<void>;
}

/** Whether an answer is of any use still; an `AbortSignal` is one. */
export interface Cancellation {
  readonly aborted: boolean;
  addEventListener(kind: "abort", listener: () => void): void;
  removeEventListener(kind: "abort", listener: () => void): void;
}

/** What is to be run, and for whom. */
export interface RunOrder extends AttemptRef {
  /** Tells this run from all others, also of other clusters: 1 to 63 lower-case letters, digits and `-`. */
  readonly key: string;
  /** The input of the task. */
  readonly input: Json;
  /** What names the attempt to those that it starts. */
  readonly environment: { readonly [name: string]: string };
}

/** Plain JSON, so that it can be kept as a step. */
export interface RunHandle {
  readonly key: string;
  /** What the backend calls this run, and no other one, whatever is started under the same key later. */
  readonly id: string;
}

export type RunState =
  /** It is not over. */
  | { readonly kind: "pending" | "running" }
  /** It has ended by itself, or because it was stopped. */
  | {
      readonly kind: "ended";
      readonly outcome: "success" | "failed" | "stopped";
      readonly exitCode?: number;
      /** Of a failure, for people. */
      readonly message?: string;
      /** True if it has met its bound of memory. */
      readonly isOutOfMemory?: boolean;
      readonly output?: Json;
    }
  /** The backend does not have this run, and it will not come back. */
  | { readonly kind: "gone" }
  | { readonly kind: "unknown"; readonly message: string };

/** The backend does not take an order, and another one like it would be refused as well. */
export class RunRefused extends Error {
  /** `task`: what is ordered is wrong. `input`: it is wrong wherever and whenever it is ordered. */
  readonly code: string;
  readonly isFinal: boolean;

  constructor(code: string, message: string, isFinal: boolean) {
    super(message);
    this.name = "RunRefused";
    this.code = code;
    this.isFinal = isFinal;
  }
}

/** The backend does not answer, or not as it should: nothing is known of the run. */
export class BackendTrouble extends Error {
  override readonly name = "BackendTrouble";
}
