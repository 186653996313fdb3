/** What ran where and when: a lane for each worker, attempts as bars by outcome, elections and workers as marks. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { attemptsQuery, marksQuery, workersQuery } from "../../api/queries.ts";
import { useSeesAllQueues } from "../../api/rights.ts";
import { Button } from "../../parts/controls.tsx";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { durationText, useNow } from "../../parts/time.tsx";
import { AttemptList } from "./attemptList.tsx";
import { useDying } from "./dying.ts";
import { lanesOf } from "./lanes.ts";
import type { View } from "./scene.ts";
import { Legend, spanMsMax, spanMsMin, TimelineCanvas } from "./timelineCanvas.tsx";

const minute = 60_000;
const spans = [1, 5, 15, 60, 360, 1440].map((minutes) => minutes * minute);

export function TimelinePage() {
  const now = useNow();
  const [spanMs, setSpanMs] = useState(5 * minute);
  /** Null while the timeline follows the present. */
  const [end, setEnd] = useState<number | null>(null);
  const to = end ?? now + spanMs * 0.02;
  const view: View = { from: to - spanMs, to };
  // Asked for in steps, so that following the present does not ask anew every second.
  const stepMs = Math.max(5_000, spanMs / 4);
  const range = { from: Math.floor((view.from - stepMs) / stepMs) * stepMs, to: Math.ceil(to / stepMs) * stepMs };
  const { data, error } = useQuery(attemptsQuery(Math.max(0, range.from), range.to));
  const workers = useQuery(workersQuery).data?.workers;
  const marks = useQuery({ ...marksQuery, enabled: useSeesAllQueues() }).data?.marks ?? [];
  const attempts = data?.attempts ?? [];
  const present = (workers ?? [])
    .filter(({ state }) => state === "connected" || state === "suspect")
    .map(({ id }) => id);
  const isDying = useDying();
  const lanes = lanesOf(attempts, present, now, isDying);
  return (
    <>
      <PageHeader title="Timeline" note={data?.isCut === true ? `the first ${attempts.length} attempts` : undefined}>
        <div role="group" aria-label="Period" className="flex rounded-md border border-line p-0.5">
          {spans.map((each) => (
            <button
              key={each}
              type="button"
              aria-pressed={spanMs === each}
              onClick={() => setSpanMs(each)}
              className="h-6 rounded px-2 text-xs font-medium text-muted aria-pressed:bg-accent-wash aria-pressed:text-accent"
            >
              {durationText(each)}
            </button>
          ))}
        </div>
        <Button aria-label="Earlier" onClick={() => setEnd(to - spanMs / 2)}>
          ←
        </Button>
        <Button aria-label="Later" onClick={() => setEnd(to + spanMs / 2 >= now ? null : to + spanMs / 2)}>
          →
        </Button>
        <Button aria-pressed={end === null} look={end === null ? "primary" : "plain"} onClick={() => setEnd(null)}>
          Now
        </Button>
      </PageHeader>
      <div className="grid gap-4">
        {error === null ? null : <Problem error={error} />}
        <Card isFlush>
          <Legend />
          {data === undefined && error === null ? (
            <Loading what="the attempts" />
          ) : lanes.length === 0 ? (
            <Empty title="Nothing ran in this period" command="outlast worker" />
          ) : (
            <TimelineCanvas
              {...{ lanes, marks, view, now }}
              onPan={(byMs) => setEnd(to + byMs >= now ? null : to + byMs)}
              onZoom={(factor) => setSpanMs(Math.min(spanMsMax, Math.max(spanMsMin, spanMs * factor)))}
            />
          )}
        </Card>
        <AttemptList
          attempts={attempts.filter((each) => each.assignedAt <= view.to && (each.endedAt ?? now) >= view.from)}
        />
      </div>
    </>
  );
}
