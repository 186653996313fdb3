/** What can go wrong for a caller: a code for programs, a sentence for people, and what to do about it. */
import type { Json } from "./json.ts";

/** Each code with the HTTP status that carries it. */
export const errorStatus = {
  "bad-request": 400,
  "bad-json": 400,
  unauthorized: 401,
  forbidden: 403,
  "not-found": 404,
  "method-not-allowed": 405,
  "too-slow": 408,
  conflict: 409,
  "already-final": 409,
  "stale-epoch": 409,
  "stale-session": 409,
  "worker-exists": 409,
  "too-large": 413,
  "unsupported-media": 415,
  "bad-range": 416,
  invalid: 422,
  "too-many": 429,
  internal: 500,
  "not-leader": 503,
  unavailable: 503,
  "storage-full": 507,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export interface ErrorDetails {
  /** Where in the request, as a JSON pointer: `/tasks/3/input/seconds`. */
  readonly path?: string;
  /** The name of the limit that was passed, as in `limits`. */
  readonly limit?: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Anything else that helps: the other task's id, the state it is in. */
  readonly [key: string]: Json | undefined;
}

/** An error that is the caller's to see. Everything else that is thrown is a bug and shows as `internal`. */
export class OutlastError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.name = "OutlastError";
    this.code = code;
    this.details = details;
  }

  /** The body that travels: `{ error: { code, message, path?, limit?, hint?, … } }`. */
  toBody(): ErrorBody {
    return { error: { ...this.details, code: this.code, message: this.message } };
  }
}

export interface ErrorBody {
  readonly error: { readonly code: ErrorCode; readonly message: string } & ErrorDetails;
}

export interface WrongScheme {
  readonly message: string;
  readonly hint: string;
}

/** What is wrong if a call failed because one side speaks TLS and the other one does not; null for any other cause. */
export function wrongScheme(address: string, error: unknown): WrongScheme | null {
  const said = wordsOf(error);
  if (address.startsWith("https:"))
    return /wrong.version.number/i.test(said)
      ? { message: `${address} does not speak TLS.`, hint: "Write http:// in its address." }
      : null;
  // A server that speaks TLS takes what is no TLS for an attack, and gives no answer.
  return /socket hang up|other side closed/.test(said)
    ? {
        message: `${address} has closed the connection without an answer.`,
        hint: "If it speaks TLS, write https:// in its address.",
      }
    : null;
}

/** `fetch failed` tells nothing; what it failed on is in the cause. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return `${error.message} ${wordsOf(error.cause)}`;
}
