/** Attempts that are over for the leader while their processes may still run beside the next attempt. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { workersQuery } from "../../api/queries.ts";
import type { Attempt, Worker } from "../../api/schema.ts";

export type IsDying = (attempt: Pick<Attempt, "attempt" | "worker"> & { readonly task: string }) => boolean;

export function useDying(): IsDying {
  const { data } = useQuery(workersQuery);
  return useMemo(() => dyingOn(data?.workers ?? []), [data]);
}

export function dyingOn(workers: readonly Worker[]): IsDying {
  const known = new Set(
    workers.flatMap(({ id, dying = [] }) => dying.map(({ task, attempt }) => `${id} ${task} ${attempt}`)),
  );
  return ({ worker, task, attempt }) => known.has(`${worker} ${task} ${attempt}`);
}
