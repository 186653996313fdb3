/** What crosses over between a master's thread and its store's. */
import { type ErrorCode, type ErrorDetails, OutlastError } from "../../model/errors.ts";
import { StoreRefused, StoreUnavailable } from "../../ports/store.ts";
import type { SqliteStore } from "./store.ts";

/** What the store's thread is asked for. A view is not: whoever starts reads it on a connection of its own. */
export type ThreadCall = Exclude<keyof SqliteStore, "append" | "loadView" | "verify">;

export interface Question {
  readonly number: number;
  readonly call: ThreadCall;
  readonly parameters: readonly unknown[];
}

export type Answer =
  | { readonly number: number; readonly value: unknown }
  | { readonly number: number; readonly error: PackedError };

/** Classes do not cross over: what makes each of them does. */
type PackedError = { readonly message: string; readonly stack: string | undefined; readonly cause: unknown } & (
  | { readonly kind: "unavailable"; readonly reason: string }
  | { readonly kind: "refused"; readonly hint: string }
  | { readonly kind: "outlast"; readonly code: ErrorCode; readonly details: ErrorDetails }
  | { readonly kind: "bug" }
);

export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { kind: "bug", message: String(error), stack: undefined, cause: undefined };
  const { message, stack } = error;
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  const shared = { message, stack, cause };
  if (error instanceof StoreUnavailable) return { kind: "unavailable", reason: error.reason, ...shared };
  if (error instanceof StoreRefused) return { kind: "refused", hint: error.hint, ...shared };
  if (error instanceof OutlastError) return { kind: "outlast", code: error.code, details: error.details, ...shared };
  return { kind: "bug", ...shared };
}

/** The same error again, with the stack of where it arose. */
export function unpackError(packed: PackedError): Error {
  const error = toError(packed);
  if (packed.stack !== undefined) error.stack = packed.stack;
  return error;
}

function toError(packed: PackedError): Error {
  const { message, cause } = packed;
  const options = cause === undefined ? {} : { cause };
  switch (packed.kind) {
    case "unavailable":
      return new StoreUnavailable(packed.reason, message, options);
    case "refused":
      return new StoreRefused(message, packed.hint, options);
    case "outlast":
      return new OutlastError(packed.code, message, packed.details);
    case "bug":
      return new Error(message, options);
    default:
      return packed satisfies never;
  }
}
