/** How a worker stands, in one word, its colour and its shape. */
import { useQuery } from "@tanstack/react-query";
import { leaderStatusQuery, mastersQuery, statusQuery, workersQuery } from "../../api/queries.ts";
import type { Worker } from "../../api/schema.ts";
import { isSilentIn } from "../overview/problems.ts";

/** The order in which workers are listed and counted. */
export const workerWords = ["connected", "draining", "connecting", "suspect", "lost", "gone"] as const;
export type WorkerWord = (typeof workerWords)[number];

export const workerLooks: { readonly [Word in WorkerWord]: readonly [colour: string, shape: string] } = {
  connected: ["text-success", "●"],
  draining: ["text-retrying", "◐"],
  connecting: ["text-muted", "◌"],
  suspect: ["text-killed", "◌"],
  lost: ["text-failed", "✕"],
  gone: ["text-muted", "○"],
};

/**
 * Nobody suspects a worker that has just attached, or that is about to come back to a new leader: it is connecting until it is late.
 * @param isSilent whether it is late
 */
export function wordOf({ state, isDraining }: Pick<Worker, "state" | "isDraining">, isSilent: boolean): WorkerWord {
  if (state === "connected") return isDraining ? "draining" : "connected";
  return state === "suspect" && !isSilent ? "connecting" : state;
}

/** For the workers that were read last. */
export function useWorkerWord(): (worker: Worker) => WorkerWord {
  const { data: status, dataUpdatedAt: statusReadAt } = useQuery(statusQuery);
  const isStandby = status !== undefined && status.role !== "leader";
  const leader = useQuery({ ...leaderStatusQuery, enabled: isStandby }).data;
  const masters = useQuery(mastersQuery).data?.masters;
  const { dataUpdatedAt: workersReadAt } = useQuery(workersQuery);
  const seen = { status, statusReadAt, leader: isStandby ? leader : undefined, masters, workersReadAt };
  return (worker) => wordOf(worker, isSilentIn(seen, worker));
}
