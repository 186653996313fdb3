/** When the silence of a worker is worth a warning. */
import { defaults } from "./limits.ts";
import type { WorkerView } from "./worker.ts";

/**
 * A worker that has just attached has not opened its stream yet, and one that has lost its stream, or its leader, is about to come
 * back: none of them is late before it has said nothing for as long as a connected worker may. Where it is known neither when a
 * worker was heard of nor who leads, nobody has listened, so that none is late.
 * @param now by the clock of the leader, when it told of the worker
 * @param leadsSince when that leader was elected; null if it is not known
 */
export function isSilent(
  { state, heardAt }: Pick<WorkerView, "state" | "heardAt">,
  now: number,
  leadsSince: number | null,
): boolean {
  if (state !== "suspect" || (heardAt === null && leadsSince === null)) return false;
  return now - Math.max(heardAt ?? 0, leadsSince ?? 0) >= defaults.suspectMs;
}
