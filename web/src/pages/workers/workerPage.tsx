/** One worker: the attempts that ran there, how each ended, and where its task is now. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { attemptsOnQuery, workersQuery } from "../../api/queries.ts";
import type { Worker } from "../../api/schema.ts";
import { Segments } from "../../parts/controls.tsx";
import { Empty, Loading, Note, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { durationText } from "../../parts/time.tsx";
import { AttemptList } from "../timeline/attemptList.tsx";
import { useWorkerWord, workerLooks } from "./workerState.ts";

const route = getRouteApi("/workers/$worker");
const hour = 3_600_000;
const spans = [1, 24, 7 * 24, 30 * 24].map((hours) => hours * hour);
const usualSpan = 24 * hour;

export function WorkerPage() {
  const { worker: id } = route.useParams();
  const { outcome } = route.useSearch();
  const workers = useQuery(workersQuery).data?.workers;
  const worker = workers?.find((each) => each.id === id);
  const [chosen, setSpan] = useState<number | null>(null);
  const spanMs = chosen ?? spanFor(worker, Date.now());
  const { data, error } = useQuery({ ...attemptsOnQuery(id, spanMs), enabled: workers !== undefined });
  const word = useWorkerWord();
  return (
    <>
      <nav aria-label="Breadcrumb" className="mb-1 flex items-center gap-1.5 text-muted">
        <Link to="/workers" search={{ worker: id }} className="hover:text-text hover:underline">
          Workers
        </Link>
      </nav>
      <PageHeader
        title={`What ran on ${id}`}
        note={worker === undefined ? undefined : <Standing word={word(worker)} />}
      >
        <Segments
          label="Period"
          values={spans.map((each) => [each, `last ${durationText(each)}`] as const)}
          chosen={spanMs}
          onChoose={setSpan}
        />
      </PageHeader>
      <div className="grid gap-4">
        {error === null ? null : <Problem error={error} />}
        {data?.isCut === true ? (
          <Note tone="info">More ran there than are read: choose a shorter period to see the latest.</Note>
        ) : null}
        {data === undefined ? (
          error === null ? (
            <Loading what="the attempts" />
          ) : null
        ) : data.attempts.length === 0 ? (
          <div className="card">
            <Empty title={`No attempt on ${id} is known from the last ${durationText(spanMs)}`}>
              Attempts are removed with their tasks.
            </Empty>
          </div>
        ) : (
          <AttemptList key={outcome} attempts={data.attempts} isOfOneWorker outcome={outcome} />
        )}
        <p>
          <Link to="/tasks" search={{ host: id }} className="text-accent hover:underline">
            Tasks whose last attempt was there
          </Link>
        </p>
      </div>
    </>
  );
}

/** Of a worker that has gone for longer, the last of what it ran is to be seen at once. */
function spanFor(worker: Worker | undefined, now: number): number {
  const isOver = worker?.state === "lost" || worker?.state === "gone";
  const goneMs = isOver ? now - worker.changedAt : 0;
  return spans.find((each) => each >= usualSpan && each > goneMs) ?? usualSpan;
}

function Standing({ word }: { readonly word: keyof typeof workerLooks }) {
  const [colour, shape] = workerLooks[word];
  return (
    <span className={`font-medium ${colour}`}>
      <span aria-hidden="true">{shape} </span>
      {word}
    </span>
  );
}
