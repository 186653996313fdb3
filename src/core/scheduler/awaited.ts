/** What a suspended task waits for, in one word. */
import type { Awaited } from "../../model/waiting.ts";
import type { LiveTask } from "./liveTask.ts";

/** Null for a task that waits for nothing of its own: it runs, has ended, or stands in its lane. */
export function awaitedBy({ state, family, isGraph }: LiveTask): Awaited | null {
  if (state !== "waiting" || family === null || family.isWoken) return null;
  if (family.ending !== null) return "descendants";
  return isGraph ? "children" : (family.waits[0]?.kind ?? null);
}
