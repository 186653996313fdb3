/** I1 and I40, as far as retention goes: only what has ended and outlived its retention is forgotten, and that is forgotten. */
import type { TaskId } from "../../model/ids.ts";
import { checker } from "./checker.ts";

const finals: readonly string[] = ["success", "failed", "cancelled"];
/** A round of housekeeping, and what a commit may take; masters' clocks may be this far apart. */
const slackMs = 2_000;

export const onlyExpiredForgotten = checker(
  "I40",
  "retention forgets what is due, and nothing else",
  (history, report) => {
    const { retention, clockSpreadMs } = history.conditions;
    const ended = new Map<TaskId, number>();
    const known = new Set<TaskId>();
    for (const { seq, at, writes } of history.entries) {
      for (const write of writes) {
        if (write.kind === "spec") known.add(write.spec.id);
        if (write.kind === "status" && finals.includes(write.status.state))
          ended.set(write.status.id, write.status.changedAt);
        if (write.kind !== "forget-task") continue;
        const endedAt = ended.get(write.id);
        const finishedCount = ended.size;
        ended.delete(write.id);
        if (!known.delete(write.id))
          report(`entry ${seq} forgets task ${write.id}, of which there is nothing`, write.id);
        else if (endedAt === undefined) report(`entry ${seq} forgets task ${write.id}, which has not ended`, write.id);
        else if (retention === null)
          report(`entry ${seq} forgets task ${write.id}, long before it is time to`, write.id);
        else {
          const isOld = at - endedAt > retention.retentionMs - Math.min(clockSpreadMs, slackMs);
          if (!isOld && finishedCount <= retention.finishedTasksMax)
            report(
              `entry ${seq} forgets task ${write.id}, one of ${finishedCount}, ${at - endedAt} ms after its end`,
              write.id,
            );
        }
      }
    }
  },
);
