/** I9: an attempt is started at most once, whatever was delivered twice or restarted. */
import { checker } from "./checker.ts";
import { executions, name } from "./reading.ts";

export const oneStart = checker("I9", "one start per attempt", (history, report) => {
  const started = new Map<string, string>();
  for (const { task, attempt, boot, worker } of executions(history)) {
    const key = name(task, attempt);
    const before = started.get(key);
    if (before !== undefined) report(`${key} was started by ${before} and again by ${boot}`, task, worker);
    started.set(key, boot);
  }
});
