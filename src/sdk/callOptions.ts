/** What calls of the client take besides what they are about, and what a submission answers. */

export interface CallOptions {
  /** Breaks the call off; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface ReadOptions extends CallOptions {
  /**
   * See all that was committed before this call, whichever master answers. A leader that was deposed a moment ago, or a
   * standby, may otherwise answer from a little earlier. Costs a commit.
   */
  readonly consistent?: boolean;
}

export interface GetOptions extends ReadOptions {
  /**
   * Ask the leader, who alone knows how far a running attempt says that it is, and why a task waits; a standby passes the question
   * on. Where the leader does not answer, a standby says what it knows itself.
   */
  readonly leader?: boolean;
}

export interface SubmitOptions extends CallOptions {
  /** Calls with equal keys and equal content create their tasks once. Drawn at random for each call if left out. */
  readonly key?: string;
  /** The trace that new tasks belong to: https://www.w3.org/TR/trace-context. */
  readonly traceparent?: string;
}

export interface Submitted {
  readonly id: string;
  /** False if it was there before: by its id, or by the key of an earlier call. */
  readonly isNew: boolean;
  /** It is another task, which has the unique key of the submission and has not ended. */
  readonly isExisting?: true;
  /** The task that it has replaced, by its unique key. */
  readonly replaced?: string;
}

export interface GraphOptions extends CallOptions {
  /** `next` of the page before; 0 if left out. */
  readonly cursor?: number;
  /** Nodes of one page, 1 to 1000; 100 if left out. */
  readonly limit?: number;
}

export interface SubmitAllOptions extends SubmitOptions {
  /**
   * True to create each task once however often the same list is submitted, also by another process: the keys are made
   * from the content. A list that differs from an earlier one only behind its first thousands of tasks creates only what
   * differs. With a `key`, the same list may be submitted once per key.
   */
  readonly once?: boolean;
  /** Called after each request, with the number of tasks submitted so far. */
  readonly onProgress?: (submitted: number) => void;
}
