/** Reads tasks and their children: where the master of this page follows, as its leader knows them. */
import type { QueryClient } from "@tanstack/react-query";
import { get, type Query, segment } from "./client.ts";
import type { ChildPage, MasterStatus } from "./schema.ts";

/** The status of the master of this page. */
export const statusRead = {
  queryKey: ["status"],
  queryFn: ({ signal }: { readonly signal: AbortSignal }) => get<MasterStatus>("/v1/status", {}, signal),
};

/**
 * How far attempts are and why tasks wait, only the leader knows in full, so a standby is asked for what the leader says. Where the leader
 * cannot be reached, it says itself what it knows.
 */
export async function getTasks<Answer>(
  client: QueryClient,
  path: string,
  query: Query,
  signal: AbortSignal,
): Promise<Answer> {
  // Where it cannot be told, the read says why.
  const status = await client.query({ ...statusRead, staleTime: "static", retry: false }).catch(() => null);
  if (status?.role !== "standby" || status.leader === null) return get<Answer>(path, query, signal);
  return get<Answer>(path, { ...query, leader: true }, signal).catch(() => get<Answer>(path, query, signal));
}

/** Those made since the last retry from scratch, or those made before. */
export type Generation = "present" | "earlier";

/** One page; it may be short before the end, but is empty only where there is nothing more. */
export async function readChildren(
  client: QueryClient,
  id: string,
  query: { readonly [name: string]: string | number | null },
  signal: AbortSignal,
): Promise<ChildPage> {
  let { cursor = null } = query;
  for (;;) {
    const page = await getTasks<ChildPage>(client, `/v1/tasks/${segment(id)}/children`, { ...query, cursor }, signal);
    if (page.tasks.length > 0 || page.cursor === null) return page;
    ({ cursor } = page);
  }
}
