/** I1 and I40, as far as retention goes: only what has ended and outlived its retention is forgotten, and that is forgotten. */

import { isDescendant, rootOf } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import { isFinal } from "../../model/task.ts";
import { checker } from "./checker.ts";
import { idOf } from "./lives.ts";
import { eventsOf } from "./reading.ts";

/** A round of housekeeping, and what a commit may take; masters' clocks may be this far apart. */
const slackMs = 2_000;

export const onlyExpiredForgotten = checker(
  "I40",
  "retention forgets what is due, and nothing else",
  (history, report) => {
    const { retention, clockSpreadMs } = history.conditions;
    const ended = new Map<TaskId, { readonly at: number; readonly state: string }>();
    /** Queues of roots, and of backups: these have the id of a child and no parent, so they can be deleted by themselves. */
    const queues = new Map<TaskId, string>();
    const known = new Set<TaskId>();
    /** What the task of an id is called now: ids may be used again. */
    const names = new Map<TaskId, TaskId>();
    const families = new Set<TaskId>();
    const fewer: { seq: number; at: number; count: number }[] = [];
    const asked = eventsOf(history, "delete-asked");
    for (const { seq, at, order, writes } of history.entries) {
      const countBefore = ended.size;
      /**
       * Deleted or retried a moment ago, or in one of the two entries before: where the store is slow, housekeeping may have looked while
       * the first of them was on its way, and heard what it saw while the second was. What was too many then may be fewer by now.
       */
      let fewerCount = fewer
        .filter((each) => each.seq >= seq - 2 || Math.abs(at - each.at) <= slackMs)
        .reduce((sum, { count }) => sum + count, 0);
      const countedBefore = fewerCount;
      for (const write of writes) {
        if (write.kind === "spec") {
          const id = idOf(write.spec.id);
          known.add(write.spec.id);
          names.set(id, write.spec.id);
          if (isDescendant(id)) families.add(rootOf(id));
          if (write.spec.parent === undefined) queues.set(write.spec.id, write.spec.queue);
        }
        if (write.kind === "status") {
          if (isFinal(write.status.state))
            ended.set(write.status.id, { at: write.status.changedAt, state: write.status.state });
          else if (ended.delete(write.status.id)) fewerCount += 1;
        }
        if (write.kind !== "forget-task") continue;
        // A family goes as a whole: when its root has been over for long enough, and though that be more than is too much.
        const root = rootOf(idOf(write.id));
        const rootName = names.get(root) ?? root;
        const ownEnd = ended.get(write.id);
        const rootEnd = ownEnd === undefined ? undefined : ended.get(rootName);
        const asksFor = (queue: string, state: string): boolean =>
          (queues.get(rootName) === queue && rootEnd?.state === state) ||
          (queues.get(write.id) === queue && ownEnd?.state === state);
        const endedAt = rootEnd?.at;
        const finishedCount = families.has(root) ? countBefore + countedBefore : ended.size + fewerCount;
        ended.delete(write.id);
        if (!known.delete(write.id))
          report(`entry ${seq} forgets task ${write.id}, of which there is nothing`, write.id);
        else if (endedAt !== undefined && asked.some((each) => each.order < order && asksFor(each.queue, each.state)))
          fewerCount += 1;
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
      if (fewerCount > countedBefore) fewer.push({ seq, at, count: fewerCount - countedBefore });
    }
  },
);
