/** How a server is asked to end: by signals, or by the end of its stdin where a supervisor holds the other side. */
import { defaults } from "../model/limits.ts";
import type { ExitCode } from "./exitCodes.ts";
import { exitCodes } from "./exitCodes.ts";

export type StopReason = "SIGINT" | "SIGTERM" | "SIGHUP" | "stdin ended";

const exitOf: { readonly [Reason in StopReason]: ExitCode } = {
  SIGINT: exitCodes.interrupted,
  SIGTERM: exitCodes.terminated,
  SIGHUP: exitCodes.terminated,
  "stdin ended": exitCodes.terminated,
};

/** Ctrl-C is not among them: only a person presses it twice, and means it. */
const mayRepeat: readonly StopReason[] = ["SIGTERM", "SIGHUP"];

/**
 * Calls `onFirst` with the first request to stop, and `onSecond` with the one after it, with the exit code it stands for.
 * Later ones end the process at once. SIGTERM or SIGHUP within `stopRepeatMs` of the first request belongs to it: a service
 * manager signals every process of a service, and the launcher passes the same signal on once more.
 */
export function onStopRequests(
  withStdin: boolean,
  onFirst: (reason: StopReason) => void,
  onSecond: (code: ExitCode) => void,
): void {
  let count = 0;
  let firstAt = 0;
  const onRequest = (reason: StopReason) => {
    const now = performance.now();
    if (count === 1 && mayRepeat.includes(reason) && now - firstAt < defaults.stopRepeatMs) return;
    if (count === 0) firstAt = now;
    count++;
    if (count === 1) onFirst(reason);
    else if (count === 2) onSecond(exitOf[reason]);
    else process.exit(exitOf[reason]);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => onRequest(signal));
  if (!withStdin) return;
  process.stdin.once("end", () => onRequest("stdin ended"));
  process.stdin.once("error", () => onRequest("stdin ended"));
  process.stdin.resume();
}
