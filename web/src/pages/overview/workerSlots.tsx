/** Every worker with its slots as cells: filled ones run an attempt. */
import { Link } from "@tanstack/react-router";
import { useSeesAllQueues } from "../../api/rights.ts";
import type { Worker } from "../../api/schema.ts";
import { Empty } from "../../parts/surfaces.tsx";
import { useWorkerWord, type WorkerWord, workerLooks } from "../workers/workerState.ts";

/** More slots than this are shown as a bar. */
const cellsMax = 32;

export function WorkerSlots({ workers }: { readonly workers: readonly Worker[] }) {
  const seesAll = useSeesAllQueues();
  const wordOf = useWorkerWord();
  const present = workers.filter(({ state }) => state !== "gone");
  if (present.length === 0 && !seesAll) return <Empty title="No connected worker serves your queues" />;
  if (present.length === 0) return <Empty title="No worker is connected" command="outlast worker" needs="operate" />;
  return (
    <ul className="grid grid-cols-[repeat(auto-fill,minmax(11rem,1fr))] gap-2">
      {present
        .toSorted((a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }))
        .map((worker) => (
          <li key={worker.id}>
            <Link
              to="/workers"
              search={{ worker: worker.id }}
              className={`block rounded-md border px-3 py-2 hover:bg-hover ${worker.state === "lost" ? "border-failed/40" : "border-line"}`}
            >
              <span className="flex items-baseline justify-between gap-2">
                <span className="truncate font-medium">{worker.id}</span>
                <Standing worker={worker} word={wordOf(worker)} />
              </span>
              <Slots worker={worker} />
            </Link>
          </li>
        ))}
    </ul>
  );
}

function Standing({ worker: { running, capacity }, word }: { readonly worker: Worker; readonly word: WorkerWord }) {
  if (word === "connected") return <span className="text-xs text-muted">{`${running} / ${capacity}`}</span>;
  return <span className={`text-xs ${workerLooks[word][0]}`}>{word}</span>;
}

function Slots({ worker }: { readonly worker: Worker }) {
  const { capacity, running, state } = worker;
  if (capacity > cellsMax) {
    return (
      <span aria-hidden="true" className="mt-2 block h-2 overflow-hidden rounded-sm bg-raised">
        <span className="block h-full bg-running" style={{ width: `${(100 * running) / capacity}%` }} />
      </span>
    );
  }
  return (
    <span aria-hidden="true" className="mt-2 flex flex-wrap gap-0.5">
      {Array.from({ length: capacity }, (_, index) => (
        <span
          key={index}
          className={`h-2 min-w-2 flex-1 rounded-[2px] ${state === "lost" ? "bg-failed/20" : index < running ? "bg-running" : "bg-line"}`}
        />
      ))}
    </span>
  );
}
