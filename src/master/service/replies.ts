/** The scheduler's answers by what was asked. */
import type { Reply } from "../../core/scheduler/effects.ts";

export type Answer<Kind extends Reply["kind"]> = Extract<Reply, { kind: Kind }>;

/** @throws Error, which is a bug, if the scheduler has answered something else */
export function expectReply<Kind extends Reply["kind"]>(reply: Reply, kind: Kind): Answer<Kind> {
  if (reply.kind !== kind) throw new Error(`The scheduler answered ${reply.kind} where ${kind} was asked for.`);
  return reply as Answer<Kind>;
}
