/** Routes for workers and queues. */
import { OutlastError } from "../../model/errors.ts";
import type { BootId, WorkerId } from "../../model/ids.ts";
import { id } from "../../model/schema.ts";
import type { QueueSettings } from "../../model/worker.ts";
import { type Context, consistentQuery, idParameter, pathId, pathName, type Route } from "./route.ts";

export const workerRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/workers",
    name: "listWorkers",
    access: { needs: "read", of: "each" },
    summary: "List the workers.",
    tag: "workers",
    query: consistentQuery,
    needsLeader: true,
    answers: { 200: { description: "All of them.", schema: "WorkerList" } },
    handle: async (_request, _reply, { master }) => ({ workers: await master.workers() }),
  },
  {
    method: "GET",
    path: "/v1/workers/:id",
    name: "getWorker",
    access: { needs: "read", of: "worker" },
    summary: "Read one worker.",
    tag: "workers",
    parameters: idParameter,
    query: consistentQuery,
    needsLeader: true,
    answers: { 200: { description: "The worker.", schema: "Worker" } },
    handle: async (request, _reply, { master }) => {
      const wanted = pathId<WorkerId>(request);
      const worker = (await master.workers()).find((each) => each.id === wanted);
      if (worker === undefined) throw new OutlastError("not-found", `There is no worker ${wanted}.`);
      return worker;
    },
  },
  {
    method: "POST",
    path: "/v1/workers/:id/drain",
    name: "drainWorker",
    access: { needs: "operate", of: "worker" },
    summary: "Stop assigning tasks to a worker. Its running tasks may finish.",
    tag: "workers",
    parameters: idParameter,
    needsLeader: true,
    answers: { 200: { description: "The worker drains.", schema: "Draining" } },
    handle: async (request, _reply, { master }) => {
      const worker = pathId<WorkerId>(request);
      await master.drainWorker(worker);
      return { id: worker, isDraining: true };
    },
  },
  {
    method: "POST",
    path: "/v1/workers/:id/exits",
    name: "reportExit",
    access: { needs: "operate", of: "worker" },
    summary: "Report that a supervisor saw this boot of the worker exit, so that its tasks start elsewhere at once.",
    tag: "workers",
    parameters: idParameter,
    body: { schema: "Exit", limit: "bodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "Noted.", schema: "ExitNoted" } },
    handle: async (request, _reply, { master }) => {
      const worker = pathId<WorkerId>(request);
      const { boot } = request.body as { boot: BootId };
      await master.reportExit(worker, boot);
      return { id: worker, boot };
    },
  },
];

const nameParameter = { name: id };

export const queueRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/queues",
    name: "listQueues",
    access: { needs: "read", of: "each" },
    summary: "List the queues, with their tasks by state.",
    tag: "queues",
    query: consistentQuery,
    needsLeader: true,
    answers: { 200: { description: "All of them.", schema: "QueueList" } },
    handle: async (_request, _reply, { master }) => ({ queues: await master.queues() }),
  },
  setQueueRoute("pause", "Stop starting tasks of a queue. Running tasks continue.", true),
  setQueueRoute("resume", "Start tasks of a queue again.", false),
  {
    method: "POST",
    path: "/v1/queues/:name/limits",
    name: "limitQueue",
    access: { needs: "operate", of: "queue" },
    summary: "Bound how many tasks of a queue run at a time, and how many are started in a time.",
    tag: "queues",
    parameters: nameParameter,
    body: { schema: "QueueLimits", limit: "bodyBytesMax" },
    needsLeader: true,
    answers: { 200: { description: "Set. What runs already goes on.", schema: "QueueLimitsSet" } },
    handle: async (request, _reply, { master }) => {
      const name = pathName(request);
      const settings = request.body as Pick<QueueSettings, "concurrencyMax" | "rate">;
      await master.setQueue(name, settings);
      const { concurrencyMax = null, rate = null } = settings;
      return { name, ...(concurrencyMax !== null && { concurrencyMax }), ...(rate !== null && { rate }) };
    },
  },
];

function setQueueRoute(verb: "pause" | "resume", summary: string, isPaused: boolean): Route {
  return {
    method: "POST",
    path: `/v1/queues/:name/${verb}`,
    name: `${verb}Queue`,
    access: { needs: "operate", of: "queue" },
    summary,
    tag: "queues",
    parameters: nameParameter,
    needsLeader: true,
    answers: { 200: { description: "Done.", schema: "QueueSet" } },
    handle: async (request, _reply, { master }: Context) => {
      const name = pathName(request);
      await master.setQueue(name, { isPaused });
      return { name, isPaused };
    },
  };
}
