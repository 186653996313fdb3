/** Checks whether tasks can run: workers, queues, and the clocks of workers. */
import { counted } from "../../model/counted.ts";
import { OutlastError } from "../../model/errors.ts";
import { limits } from "../../model/limits.ts";
import type { QueueView } from "../../model/worker.ts";
import { isSilent } from "../../model/workerSilence.ts";
import type { Outlast } from "../../sdk/client.ts";
import type { Context } from "../context.ts";
import { checkWorkerClocks } from "./clocks.ts";
import { type Finding, good } from "./finding.ts";
import { isTimeout, patience } from "./patience.ts";

export async function checkWork(context: Context): Promise<Finding[]> {
  try {
    const client = await context.client({ retryForMs: 0, onRetry: () => {} });
    const signal = patience(context);
    const [workers, queues, recent, status] = await Promise.all([
      client.workers({ signal }),
      client.queues({ signal }),
      client.list({ limit: limits.clockTasksMax, signal }),
      client.status({ signal }),
    ]);
    const present = workers.filter((worker) => worker.state === "connected" && !worker.isDraining);
    const findings: Finding[] = [];
    const slots = present.reduce((sum, worker) => sum + worker.capacity, 0);
    if (present.length > 0) findings.push(good("workers", `${present.length} attached, ${counted(slots, "slot")}`));
    else
      findings.push({
        verdict: "odd",
        what: "workers",
        message: "No worker is attached, so no task can run.",
        advice: "Start one with: outlast worker",
      });
    const leadsSince = status.role === "leader" ? status.roleSince : null;
    for (const worker of workers.filter((one) => isSilent(one, status.now ?? Number.POSITIVE_INFINITY, leadsSince))) {
      findings.push({
        verdict: "odd",
        what: "workers",
        message: `Worker ${worker.id} does not send heartbeats.`,
        advice: `Check process ${worker.pid} on ${worker.hostname}.`,
      });
    }
    for (const worker of workers.filter(({ state }) => state !== "gone")) {
      // A master of the version before does not know of it.
      const { trouble }: Partial<typeof worker> = worker;
      if (trouble === undefined || trouble === null) continue;
      findings.push({
        verdict: "odd",
        what: "workers",
        message: `${worker.id} takes no tasks at the moment: ${trouble}`,
        advice: `Look at the machine ${worker.hostname}; the worker tries again by itself.`,
      });
    }
    for (const queue of queues) {
      const waiting = (queue.tasks["created"] ?? 0) + (queue.tasks["killed"] ?? 0) + (queue.tasks["retrying"] ?? 0);
      if (waiting === 0) continue;
      const advice = queue.isPaused
        ? `outlast queues resume ${queue.name}`
        : queue.workers === 0
          ? `outlast worker --queues ${queue.name}`
          : null;
      if (advice === null) continue;
      const why = queue.isPaused ? "and it is paused" : "and no worker serves it";
      findings.push({
        verdict: "odd",
        what: "tasks",
        message: `${waiting} ${waiting === 1 ? "task waits" : "tasks wait"} in queue ${queue.name}, ${why}.`,
        advice,
      });
    }
    findings.push(...(await checkLongest(client, queues, signal)));
    return [...findings, ...checkWorkerClocks(recent.tasks)];
  } catch (error) {
    if (isTimeout(error)) {
      const message = "No master answers questions about workers and queues in time.";
      return [{ verdict: "bad", what: "workers", message, advice: "Check the masters and their store." }];
    }
    if (!(error instanceof OutlastError)) throw error;
    return [{ verdict: "bad", what: "workers", message: error.message, advice: error.details.hint ?? null }];
  }
}

/** Tasks that no worker can run although their queue has workers: of a kind with a typing error, or with a label that none carries. */
async function checkLongest(client: Outlast, queues: readonly QueueView[], signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { waitsLongest } of queues) {
    if (waitsLongest === undefined) continue;
    const { waiting } = await client.get(waitsLongest.id, { leader: true, signal });
    if (waiting?.reason !== "no-able-worker") continue;
    findings.push({
      verdict: "odd",
      what: "tasks",
      message: `Task ${waitsLongest.id} waits: ${waiting.detail}.`,
      advice: waiting.advice ?? "outlast ls --waiting no-able-worker lists all tasks that no worker can run.",
    });
  }
  return findings;
}
