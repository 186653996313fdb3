/** Every worker: load, kinds, labels, versions; and draining one. */

import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { post, segment } from "../../api/client.ts";
import { marksQuery, workersQuery } from "../../api/queries.ts";
import { useMay, useSeesAllQueues } from "../../api/rights.ts";
import type { Worker } from "../../api/schema.ts";
import { queries } from "../../api/session.ts";
import { Button, Dialog } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { Card, Empty, Loading, Meter, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago } from "../../parts/time.tsx";
import { lastDeaths, lossText, type WorkerMark, workerText } from "../overview/lately.ts";
import { useWorkerWord, type WorkerWord, workerLooks, workerWords } from "./workerState.ts";

const route = getRouteApi("/workers");
const order = ["connected", "suspect", "lost", "gone"];

export function WorkersPage() {
  const { worker: wanted } = route.useSearch();
  const { data, error } = useQuery(workersQuery);
  const seesAll = useSeesAllQueues();
  const marks = useQuery({ ...marksQuery, enabled: seesAll }).data?.marks;
  const deaths = lastDeaths(marks ?? []);
  const mayOperate = useMay("operate");
  const wordOf = useWorkerWord();
  const [draining, setDraining] = useState<Worker | null>(null);
  if (data === undefined) return error === null ? <Loading what="the workers" /> : <Problem error={error} />;
  const workers = data.workers.toSorted(
    (a, b) =>
      Number(b.id === wanted) - Number(a.id === wanted) ||
      order.indexOf(a.state) - order.indexOf(b.state) ||
      a.id.localeCompare(b.id, undefined, { numeric: true }),
  );
  const standing = standingOf(workers.map(wordOf));
  const connected = workers.filter(({ state }) => state === "connected");
  const slots = connected.reduce((sum, { capacity }) => sum + capacity, 0);
  const used = connected.reduce((sum, { running }) => sum + running, 0);
  return (
    <>
      <PageHeader
        title="Workers"
        note={slots === 0 ? standing : `${standing}, ${used} of ${counted(slots, "slot")} in use`}
      />
      <Card isFlush>
        {workers.length === 0 && !seesAll ? (
          <Empty title="No worker serves your queues" />
        ) : workers.length === 0 ? (
          <Empty title="No worker has ever attached" command="outlast worker" needs="operate" />
        ) : (
          <Table
            label="Workers"
            heads={["Worker", "State", "Load", "Queues", "Kinds and labels", "Host", "Version", "Heard", ""]}
          >
            {workers.map((worker) => (
              <WorkerRow
                key={worker.id}
                worker={worker}
                word={wordOf(worker)}
                death={deaths.get(worker.id)}
                isWanted={worker.id === wanted}
                onDrain={mayOperate ? () => setDraining(worker) : null}
              />
            ))}
          </Table>
        )}
      </Card>
      {draining === null ? null : <DrainDialog worker={draining} onClose={() => setDraining(null)} />}
    </>
  );
}

interface WorkerRowProps extends WorkerStateProps {
  /** It is the one that a link has led to. */
  readonly isWanted: boolean;
  /** Null for those who may not. */
  readonly onDrain: (() => void) | null;
}

function WorkerRow({ worker, word, death, isWanted, onDrain }: WorkerRowProps) {
  return (
    <Row>
      <Cell className={`whitespace-nowrap ${isWanted ? "font-semibold text-accent" : "font-medium"}`}>
        <Link
          to="/workers/$worker"
          params={{ worker: worker.id }}
          data-row
          className="hover:underline"
          title="What ran there"
        >
          {worker.id}
        </Link>
      </Cell>
      <Cell>
        <WorkerState worker={worker} word={word} death={death} />
      </Cell>
      <Cell>
        <span className="flex min-w-24 items-center gap-2">
          <Meter share={worker.running / worker.capacity} label={`Load of ${worker.id}`} className="bg-running" />
          <span className="whitespace-nowrap text-soft">
            {worker.running}/{worker.capacity}
          </span>
        </span>
      </Cell>
      <Cell className="text-soft">{worker.queues.join(", ")}</Cell>
      <Cell className="max-w-72 min-w-56">
        <Tags names={worker.kinds ?? []} />
        <Tags names={worker.labels ?? []} isLabel />
      </Cell>
      <Cell className="whitespace-nowrap text-soft">
        {worker.hostname} <span className="text-muted">· {worker.pid}</span>
      </Cell>
      <Cell className="text-soft">{worker.version}</Cell>
      <Cell className="text-muted">{worker.heardAt === null ? "–" : <Ago at={worker.heardAt} />}</Cell>
      <Cell className="text-right">
        {onDrain === null || word !== "connected" ? null : worker.servesOthers === true ? (
          <span className="text-xs text-muted">serves queues of others, too</span>
        ) : (
          <Button aria-label={`Drain ${worker.id}`} onClick={onDrain}>
            Drain …
          </Button>
        )}
      </Cell>
    </Row>
  );
}

/** `3 connected, 1 lost`. Those that have left on purpose are no news. */
function standingOf(words: readonly WorkerWord[]): string {
  return workerWords
    .map((word) => [words.filter((each) => each === word).length, word] as const)
    .filter(([count, word]) => word === "connected" || (count > 0 && word !== "gone"))
    .map(([count, word]) => `${count} ${word}`)
    .join(", ");
}

interface WorkerStateProps {
  readonly worker: Worker;
  readonly word: WorkerWord;
  /** The last one that is known; undefined if none is. */
  readonly death: WorkerMark | undefined;
}

function WorkerState({ worker: { id, state, trouble, changedAt }, word, death }: WorkerStateProps) {
  const [colour, shape] = workerLooks[word];
  return (
    <span className="grid">
      <span className={`font-medium whitespace-nowrap ${colour}`}>
        <span aria-hidden="true">{shape} </span>
        {word}
        {state === "lost" || state === "gone" ? (
          <span className="font-normal text-muted">
            {" "}
            · <Ago at={changedAt} />
          </span>
        ) : null}
      </span>
      {death === undefined ? null : (
        <Link
          to="/workers/$worker"
          params={{ worker: id }}
          search={{ outcome: "killed" }}
          className="text-xs text-accent hover:underline"
        >
          {state === "lost" ? (
            lossText(death)
          ) : (
            <>
              {workerText(death)}, <Ago at={death.at} />
            </>
          )}
        </Link>
      )}
      {trouble === null ? null : <span className="text-xs text-retrying">{trouble}</span>}
    </span>
  );
}

function Tags({ names, isLabel = false }: { readonly names: readonly string[]; readonly isLabel?: boolean }) {
  return (
    <span className="flex flex-wrap gap-1">
      {names.map((name) => (
        <span
          key={name}
          className={`rounded px-1.5 text-2xs ${isLabel ? "border border-line-strong/60 text-soft" : "bg-raised text-soft"}`}
        >
          {name}
        </span>
      ))}
    </span>
  );
}

function DrainDialog({ worker, onClose }: { readonly worker: Worker; readonly onClose: () => void }) {
  const drain = useMutation({
    mutationFn: () => post(`/v1/workers/${segment(worker.id)}/drain`),
    onSuccess: () => {
      void queries.invalidateQueries();
      onClose();
    },
  });
  return (
    <Dialog title={`Drain ${worker.id}`} onClose={onClose}>
      <div className="grid grid-cols-1 gap-4">
        <p>
          It gets no more tasks.{" "}
          {worker.running === 0
            ? "It runs none at the moment"
            : `Its ${counted(worker.running, "running task finishes", "running tasks finish")}`}
          , then its process exits.
        </p>
        {drain.error === null ? null : <Problem error={drain.error} />}
        <div className="flex justify-end gap-2">
          <Button look="primary" disabled={drain.isPending} onClick={() => drain.mutate()}>
            Drain it
          </Button>
          <Button onClick={onClose}>Leave it</Button>
        </div>
      </div>
    </Dialog>
  );
}
