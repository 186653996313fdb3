/** Why a task waits, and since when. */
import type { Task } from "../../api/schema.ts";
import { Note } from "../../parts/surfaces.tsx";
import { Ago, Lasted } from "../../parts/time.tsx";
import { needsSomebody } from "../../parts/waiting.ts";

export function WaitingNote({ task: { waiting } }: { readonly task: Task }) {
  if (waiting === undefined) return null;
  const { reason, since, detail, until } = waiting;
  return (
    <Note tone={needsSomebody.has(reason) ? "warn" : "info"}>
      <p>
        <span className="font-medium">Why it waits: </span>
        {detail}
      </p>
      <p className="text-xs text-muted">
        for <Lasted from={since} />
        {until === undefined ? null : (
          <>
            , not before <Ago at={until} />
          </>
        )}
      </p>
    </Note>
  );
}
