/** How long `outlast doctor` waits for one answer. */
import { defaults } from "../../model/limits.ts";
import type { Context } from "../context.ts";

export function patience(context: Context): AbortSignal {
  return AbortSignal.any([context.signal, AbortSignal.timeout(defaults.doctorPatienceMs)]);
}

export function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
