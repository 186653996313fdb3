/** What the person who is signed in may do, so that pages offer only that. The master checks every call again. */
import { useQuery } from "@tanstack/react-query";
import { sessionQuery } from "./queries.ts";
import type { Session, Task } from "./schema.ts";

export type Permission = Session["may"][number];

/** Undefined until the master has said who it is; pages are shown only after that. */
export function useSession(): Session | undefined {
  return useQuery(sessionQuery).data;
}

export function useMay(permission: Permission): boolean {
  return useSession()?.may.includes(permission) === true;
}

/** False for somebody who is bound to queues: what tells of all queues at once is not for him. */
export function useSeesAllQueues(): boolean {
  return useSession()?.principal.queues === null;
}

/** Whether a task may be cancelled and signalled: anybody's by an operator, one's own by a submitter. */
export function useMayControl(): (task: Task) => boolean {
  const session = useSession();
  if (session === undefined) return () => false;
  if (session.may.includes("control")) return () => true;
  const { kind, name } = session.principal;
  return (task) => session.may.includes("submit") && task.rights?.owner === `${kind}:${name}`;
}
