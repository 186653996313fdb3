/** Changes of many tasks, chunk by chunk, each in one input of the scheduler: between two of them others get their turn. */
import type { Reply } from "../../core/scheduler/effects.ts";
import type { RequestId, SchedulerInput } from "../../core/scheduler/inputs.ts";
import { OutlastError } from "../../model/errors.ts";
import type { TaskId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import type { ServiceCalls } from "./templateService.ts";

/** @returns the tasks that were changed. @throws OutlastError `unavailable` if the store has to be asked again for them */
export async function changeInChunks<Item>(
  { ask }: Pick<ServiceCalls, "ask">,
  items: readonly Item[],
  toInput: (request: RequestId, chunk: readonly Item[]) => SchedulerInput,
  by: Actor | undefined,
): Promise<readonly TaskId[]> {
  const done: TaskId[] = [];
  for (let from = 0; from < items.length; ) {
    const chunk = items.slice(from, from + limits.bulkChunkMax);
    const reply: Reply = await ask((request) => toInput(request, chunk), by);
    if (reply.kind === "look-again")
      throw new OutlastError("unavailable", "Many tasks were deleted meanwhile; try again.");
    if (reply.kind !== "bulk") throw new Error(`The scheduler answered ${reply.kind} to a bulk operation.`);
    done.push(...reply.done);
    from += reply.seen;
  }
  return done;
}
