/** Why an attempt did not succeed. */
export interface AttemptError {
  /** `exit`, `signal`, `oom`, `timeout`, `spawn`, `worker-lost`, `kills-used-up`, `result-refused`, `cancelled`, or a code of the task's own. */
  readonly code: string;
  readonly message: string;
}
