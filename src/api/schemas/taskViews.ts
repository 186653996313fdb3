/** Schemas of what belongs to a task: why it waits, its children, steps and attempts. */
import { attemptOutcomes } from "../../model/attemptRecord.ts";
import {
  anything,
  attempt,
  count,
  id,
  instant,
  list,
  oneOf,
  open,
  orNull,
  ref,
  type Schema,
  taskId,
  text,
} from "../../model/schema.ts";
import { shortResults, shortStates } from "../../model/shortStatus.ts";
import { taskStates } from "../../model/task.ts";
import { waitingReasons } from "../../model/waiting.ts";

const cursor: Schema = { type: ["string", "null"], description: "Send it to get the next page; null at the end." };

const attemptProperties = {
  attempt,
  worker: id,
  boot: id,
  assignedAt: instant,
};

const endProperties = {
  startedAt: {
    ...instant,
    description: "By the worker's clock. Left out where the worker was lost before it said so.",
  },
  endedAt: { ...instant, description: "Left out while the attempt runs." },
  processEndedAt: {
    ...instant,
    description:
      "Of an attempt that was given up while its process went on: when that ended, by the worker's clock. Left out where the worker did not say it.",
  },
  outcome: oneOf(attemptOutcomes, { description: "Left out while the attempt runs." }),
  error: ref("AttemptError"),
  exit: ref("ExitRecord"),
  exits: list(ref("ExitRecord"), { description: "Of several commands: how each ended that was started, in order." }),
  logBytes: count,
};

export const taskViewSchemas = {
  ShortStatus: open({
    state: oneOf(shortStates, { description: "`running` until the task has ended, also while it waits." }),
    status: oneOf(shortResults, { description: "`good` and `error` once it has ended." }),
    node: { ...orNull(id), description: "The worker of the current or last attempt." },
    "created-at": { ...text, description: "In UTC, as in RFC 3339." },
  }),
  Waiting: open(
    {
      reason: oneOf(waitingReasons),
      since: instant,
      detail: { ...text, description: "The reason in words, as the end of a sentence that begins with the task." },
    },
    {
      advice: { ...text, description: "A command that would end the wait, for those who may call it." },
      holders: {
        ...list(id),
        description: "The tasks that hold the key which it waits for, as far as `detail` names them.",
      },
      until: { ...instant, description: "Where the wait ends by itself: not before this instant." },
    },
  ),
  ChildCounts: open({}, Object.fromEntries(taskStates.map((state) => [state, count])), {
    description: "Children by state, of the present generation. A state that none is in is left out.",
  }),
  ChildPage: open({ tasks: list(ref("Task")), cursor, counts: ref("ChildCounts") }),
  Step: open(
    {},
    {
      value: { ...anything, description: "The result of a step; of an independent submission its `{ id }`." },
      children: open({ total: count, succeeded: count, failed: count, cancelled: count }),
      slept: open({ at: instant }),
      signal: { ...anything, description: "The id and payload of the signal that came; null if none came in time." },
      at: { ...instant, description: "When it was committed." },
    },
    { description: "One of `value`, `children`, `slept` and `signal`." },
  ),
  StepPage: open({ steps: list(open({ key: text, step: ref("Step") })), cursor }),
  Attempt: open(attemptProperties, endProperties),
  AttemptsOfTask: open({ attempts: list(ref("Attempt")), cursor }),
  TaskAttempt: open({ task: taskId, name: text, ...attemptProperties }, endProperties),
  TaskAttemptPage: open({ attempts: list(ref("TaskAttempt")), cursor }),
};
