/** Finds a process that shows this worker's token to its tasks, because the worker was started from it. */
import { readFileSync } from "node:fs";
import type { Log } from "../ports/log.ts";

/**
 * Outlast hides what stands in the environment of its own processes (`bin/environment.js`), but the token may also stand in that
 * of a shell, a script or npm above it, which tasks of the same user can read.
 */
export function warnOfExposedToken(token: string | null, log: Log): void {
  if (token === null) return;
  let pid = process.ppid;
  while (pid > 0) {
    const environment = read(`/proc/${pid}/environ`);
    if (environment.includes(token)) {
      const name = read(`/proc/${pid}/comm`).trim();
      const message =
        "tasks can read the token in the environment of a process that started this worker: give it with --token-file instead of OUTLAST_TOKEN, or run tasks as another user with --run-as";
      log.warn(message, { exposedBy: name, exposedByPid: pid });
      return;
    }
    const stat = read(`/proc/${pid}/stat`);
    pid = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? 0);
  }
}

/** Empty where it is another user's, or there is no `/proc`. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
