/** Why masters refuse a worker that was attached: the token with which it has opened its session is worth nothing any more. */
import type { WorkerView } from "../../model/worker.ts";
import type { Batch } from "./effects.ts";
import type { LiveWorker } from "./liveWorker.ts";
import type { SchedulerState } from "./state.ts";
import { wallNow } from "./ticks.ts";

/** Null unless it is cut off, and its token was removed, replaced by another of that name, or has expired, or it has none. */
export function tokenProblem(state: SchedulerState, batch: Batch, worker: LiveWorker): string | null {
  const { opened, isOpen } = worker;
  if (isOpen || worker.state === "gone" || opened === null) return null;
  if (opened.by === "anybody")
    return state.principals.isEmpty ? null : "it has no token, and masters ask for one since there are users or tokens";
  const [, name] = /^token:(.*)$/.exec(opened.by) ?? [];
  if (name === undefined) return null;
  const token = state.principals.tokens.get(name);
  if (token === undefined) return `its token ${name} was removed`;
  if (token.createdAt > opened.at) return `its token ${name} was replaced by another`;
  return token.expiresAt !== undefined && token.expiresAt <= wallNow(state, batch)
    ? `its token ${name} has expired`
    : null;
}

/** A worker as people see it. */
export function viewOf(state: SchedulerState, batch: Batch, worker: LiveWorker): WorkerView {
  const problem = tokenProblem(state, batch, worker);
  const view = worker.toView();
  if (problem === null) return view;
  return {
    ...view,
    trouble: `${problem}, so it is refused until it has one that is right (--token-file is read again)`,
  };
}
