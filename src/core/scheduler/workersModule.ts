/** Workers attach, report, drain and leave; operators look at them. What happens in a session stands in sessions.ts. */
import type { BootId, WorkerId } from "../../model/ids.ts";
import type { Batch, Reply } from "./effects.ts";
import { loseWorker } from "./failureDetector.ts";
import type { SchedulerModule } from "./module.ts";
import { attach, beat, closeStream, drainWorker, openStream, report } from "./sessions.ts";
import { refuse, reply, type SchedulerState } from "./state.ts";
import { viewOf } from "./workerTokens.ts";

export const workersModule = {
  inputs: {
    attach: (state, batch, { request, worker, attach: wanted, host, by }) =>
      reply(batch, request, attach(state, batch, worker, wanted, host, by)),
    opened: (state, batch, { worker, session }) => openStream(state, batch, worker, session),
    closed: (state, batch, { worker, session }) => closeStream(state, batch, worker, session),
    beat: (state, batch, { worker, session }) => beat(state, batch, worker, session),
    report: (state, batch, input) => reply(batch, input.request, report(state, batch, input)),
    "report-exit": (state, batch, { request, worker, boot }) =>
      reply(batch, request, reportExit(state, batch, worker, boot)),
    "drain-worker": (state, batch, { request, worker }) => reply(batch, request, drainWorker(state, batch, worker)),
    "inspect-workers": (state, batch, { request }) =>
      reply(batch, request, {
        kind: "workers",
        workers: [...state.workers].map((worker) => viewOf(state, batch, worker)),
      }),
  },
} satisfies SchedulerModule;

function reportExit(state: SchedulerState, batch: Batch, id: WorkerId, boot: BootId): Reply {
  const worker = state.workers.get(id);
  if (worker === undefined) return refuse("not-found", `There is no worker ${id}.`);
  if (worker.boot === boot && !worker.isGivenUp) loseWorker(state, batch, worker, "its supervisor saw it exit");
  return { kind: "done" };
}
