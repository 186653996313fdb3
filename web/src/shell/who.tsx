/** Who is signed in and what he sees of the cluster, and signing out. */
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useSession } from "../api/rights.ts";
import { signOut } from "../api/session.ts";
import { QueueList, whoText } from "../parts/principals.tsx";

export function Who() {
  const session = useSession();
  const leave = useMutation({ mutationFn: signOut });
  if (session === undefined) return null;
  return (
    <div className="flex min-w-0 items-baseline gap-2">
      <Link to="/account" className="min-w-0 truncate font-medium text-soft hover:text-text hover:underline">
        <span className="sr-only">Signed in as </span>
        {whoText(session.principal)}
      </Link>
      {session.isOpen ? (
        <span
          className="ml-auto text-xs whitespace-nowrap text-muted"
          title="Whoever reaches this port may do everything."
        >
          open to all
        </span>
      ) : (
        <button
          type="button"
          disabled={leave.isPending}
          onClick={() => leave.mutate(session)}
          className="ml-auto text-xs whitespace-nowrap text-muted hover:text-text hover:underline"
        >
          Sign out
        </button>
      )}
    </div>
  );
}

/** Says on every page of somebody who is bound to queues that there may be more than what is shown. */
export function SeenQueues() {
  const queues = useSession()?.principal.queues;
  if (queues === undefined || queues === null) return null;
  return (
    <p className="mb-3 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted">
      You see {queues.length === 1 ? "one queue" : "some queues"} only: <QueueList queues={queues} />
    </p>
  );
}
