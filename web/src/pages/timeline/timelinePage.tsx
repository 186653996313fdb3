/** What ran where and when: a lane for each worker, attempts as bars by outcome, elections and workers as marks. */
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { attemptsQuery, marksQuery, workersQuery } from "../../api/queries.ts";
import { useSeesAllQueues } from "../../api/rights.ts";
import { Button, Segments } from "../../parts/controls.tsx";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { titledAttempts } from "../../parts/taskTitle.ts";
import { durationText, useNow } from "../../parts/time.tsx";
import { AttemptList } from "./attemptList.tsx";
import { useDying } from "./dying.ts";
import { lanesOf } from "./lanes.ts";
import { askedFor, movedPeriod, type Period, viewOf, zoomedPeriod } from "./period.ts";
import { Legend, TimelineCanvas } from "./timelineCanvas.tsx";

const minute = 60_000;
const spans = [1, 5, 15, 60, 360, 1440].map((minutes) => minutes * minute);

export function TimelinePage() {
  const now = useNow();
  const [period, setPeriod] = useState<Period>({ spanMs: 5 * minute, end: null });
  const { spanMs, end } = period;
  const view = viewOf(period, now);
  const range = askedFor(view);
  const { data, error } = useQuery(attemptsQuery(range.from, range.to));
  const workers = useQuery(workersQuery).data?.workers;
  const marks = useQuery({ ...marksQuery, enabled: useSeesAllQueues() }).data?.marks ?? [];
  const attempts = useMemo(() => titledAttempts(data?.attempts ?? []), [data]);
  const present = (workers ?? [])
    .filter(({ state }) => state === "connected" || state === "suspect")
    .map(({ id }) => id);
  const isDying = useDying();
  const move = (byMs: number) => setPeriod((before) => movedPeriod(before, byMs, now));
  const lanes = lanesOf(attempts, present, now, isDying);
  return (
    <>
      <PageHeader title="Timeline" note={data?.isCut === true ? `the first ${attempts.length} attempts` : undefined}>
        <Segments
          label="Period"
          values={spans.map((each) => [each, durationText(each)] as const)}
          chosen={spanMs}
          onChoose={(each) => setPeriod({ spanMs: each, end })}
        />
        <span className="flex gap-2">
          <Button aria-label="Earlier" onClick={() => move(-spanMs / 2)}>
            ←
          </Button>
          <Button aria-label="Later" onClick={() => move(spanMs / 2)}>
            →
          </Button>
          <Button
            aria-pressed={end === null}
            look={end === null ? "primary" : "plain"}
            onClick={() => setPeriod({ spanMs, end: null })}
          >
            Now
          </Button>
        </span>
      </PageHeader>
      <div className="grid gap-4">
        {error === null ? null : <Problem error={error} />}
        <Card isFlush>
          <Legend />
          {data === undefined && error === null ? (
            <Loading what="the attempts" />
          ) : lanes.length === 0 ? (
            <Empty title="Nothing ran in this period" command="outlast worker" needs="operate" />
          ) : (
            <TimelineCanvas
              {...{ lanes, marks, view, now }}
              onPan={move}
              onZoom={(factor, at) => setPeriod((before) => zoomedPeriod(before, factor, at, now))}
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
