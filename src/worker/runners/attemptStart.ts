/** Gathers what a handler is given when an attempt starts: its input, and page by page what its task remembers. */
import type { StepRecord } from "../../model/family.ts";
import type { Assignment } from "../../model/protocol.ts";
import type { HandlerStart } from "../../ports/runner.ts";
import { AttemptOver, type AttemptSession } from "../../ports/work.ts";

/** @returns null if the attempt is over before everything is read */
export async function readStart(
  assignment: Assignment,
  session: AttemptSession,
  now: number,
): Promise<HandlerStart | null> {
  const { task, attempt, kind, input, parent = null, timeoutMs, steps: count = 0, isFamilyOpen = false } = assignment;
  const { traceparent } = assignment;
  const deadlineAt = timeoutMs === null ? null : now + timeoutMs;
  const about = { task, attempt, kind, input, parent, deadlineAt, ...(traceparent !== undefined && { traceparent }) };
  if (count === 0 && !isFamilyOpen) return { ...about, steps: [], sets: [] };
  try {
    return { ...about, ...(await readFamily(session)) };
  } catch (error) {
    if (error instanceof AttemptOver) return null;
    throw error;
  }
}

async function readFamily(session: AttemptSession): Promise<Pick<HandlerStart, "steps" | "sets">> {
  const steps: [string, StepRecord][] = [];
  const first = await session.readSteps(null);
  for (let page = first; ; page = await session.readSteps(page.next)) {
    for (const { key, step } of page.steps) steps.push([key, step]);
    if (page.next === null) return { steps, sets: first.family?.sets ?? [] };
  }
}
