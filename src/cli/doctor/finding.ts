/** One result of `outlast doctor`. */

export interface Finding {
  /** `good`: as it should be. `odd`: worth a look. `bad`: does not work like this. */
  readonly verdict: "good" | "odd" | "bad";
  readonly what:
    | "node"
    | "data"
    | "store"
    | "files"
    | "token"
    | "access"
    | "tls"
    | "master"
    | "clock"
    | "leader"
    | "workers"
    | "tasks";
  readonly message: string;
  /** What to do about it. */
  readonly advice: string | null;
}

export function good(what: Finding["what"], message: string): Finding {
  return { verdict: "good", what, message, advice: null };
}
