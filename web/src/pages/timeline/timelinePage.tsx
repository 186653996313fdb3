/** What ran where and when: a lane for each worker, attempts as bars by outcome, elections and workers as marks. */
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { attemptsQuery, marksQuery, workersQuery } from "../../api/queries.ts";
import { useSeesAllQueues } from "../../api/rights.ts";
import type { Mark, TaskAttempt } from "../../api/schema.ts";
import { onThemeChange } from "../../parts/colours.ts";
import { Button } from "../../parts/controls.tsx";
import { Card, Empty, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago, durationText, Lasted, useNow } from "../../parts/time.tsx";
import { attemptAt, draw, gutter, type Scene, type View } from "./draw.ts";
import { type Lane, lanesOf, type PlacedAttempt } from "./lanes.ts";
import { colourOf } from "./outcome.ts";

const minute = 60_000;
const spans = [1, 5, 15, 60, 360, 1440].map((minutes) => minutes * minute);
const spanMsMin = 2_000;
const spanMsMax = 7 * 1440 * minute;
const listed = 25;
const outcomes = ["running", "success", "failed", "killed", "suspended", "cancelled"] as const;

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
  const lanes = lanesOf(attempts, present, now);
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
            <Canvas
              {...{ lanes, marks, view, now }}
              onPan={(byMs) => setEnd(to + byMs >= now ? null : to + byMs)}
              onZoom={(factor) => setSpanMs(Math.min(spanMsMax, Math.max(spanMsMin, spanMs * factor)))}
            />
          )}
        </Card>
        <List attempts={attempts.filter((each) => each.assignedAt <= view.to && (each.endedAt ?? now) >= view.from)} />
      </div>
    </>
  );
}

function Legend() {
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 border-b border-line px-4 py-2 text-xs text-soft">
      {outcomes.map((outcome) => (
        <li key={outcome} className="flex items-center gap-1.5">
          <span
            aria-hidden="true"
            className="h-2.5 w-4 rounded-sm opacity-80"
            style={{ background: `var(${colourOf(outcome === "running" ? undefined : outcome)})` }}
          />
          {outcome}
          {outcome === "killed" ? " ✕" : ""}
        </li>
      ))}
      <li className="ml-auto text-muted max-md:hidden">drag to move, wheel to zoom</li>
    </ul>
  );
}

interface CanvasProps {
  readonly lanes: readonly Lane[];
  readonly marks: readonly Mark[];
  readonly view: View;
  readonly now: number;
  readonly onPan: (byMs: number) => void;
  readonly onZoom: (factor: number) => void;
}

function Canvas({ lanes, marks, view, now, onPan, onZoom }: CanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const [hovered, setHovered] = useState<PlacedAttempt | null>(null);
  const dragged = useRef<{ x: number; moved: number } | null>(null);
  const navigate = useNavigate();
  const scene: Scene = useMemo(
    () => ({ lanes, marks, view, width, now, hovered }),
    [lanes, marks, view, width, now, hovered],
  );
  const latest = useRef(scene);
  latest.current = scene;
  const zoom = useRef(onZoom);
  zoom.current = onZoom;

  useEffect(() => {
    if (canvas.current !== null && scene.width > 0) draw(canvas.current, scene);
  }, [scene]);
  useEffect(() => {
    const element = canvas.current;
    const box = element?.parentElement;
    if (element === null || box === null || box === undefined) return;
    const resize = new ResizeObserver(() => setWidth(box.clientWidth));
    resize.observe(box);
    // React's own listener cannot keep the page from scrolling.
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      zoom.current(event.deltaY > 0 ? 1.25 : 0.8);
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    const stop = onThemeChange(() => draw(element, latest.current));
    return () => {
      resize.disconnect();
      element.removeEventListener("wheel", onWheel);
      stop();
    };
  }, []);

  const place = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  return (
    <div className="relative overflow-hidden">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Attempts on ${lanes.length} workers; the list below says the same.`}
        className={`block w-full touch-pan-y select-none ${hovered === null ? "cursor-grab" : "cursor-pointer"}`}
        onPointerDown={(event) => {
          dragged.current = { x: event.clientX, moved: 0 };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          const drag = dragged.current;
          if (drag === null) {
            const { x, y } = place(event);
            return setHovered(attemptAt(x, y, scene));
          }
          const by = event.clientX - drag.x;
          dragged.current = { x: event.clientX, moved: drag.moved + Math.abs(by) };
          onPan((-by / Math.max(1, width - gutter)) * (view.to - view.from));
        }}
        onPointerUp={(event) => {
          const isClick = (dragged.current?.moved ?? 0) < 4;
          dragged.current = null;
          const { x, y } = place(event);
          const hit = isClick ? attemptAt(x, y, scene) : null;
          if (hit === null) return;
          void navigate({
            to: "/tasks/$id",
            params: { id: hit.attempt.task },
            search: { attempt: hit.attempt.attempt },
          });
        }}
        onPointerLeave={() => setHovered(null)}
      />
      {hovered === null ? null : <Hint placed={hovered} />}
    </div>
  );
}

function Hint({ placed: { attempt, from, to } }: { readonly placed: PlacedAttempt }) {
  return (
    <div
      role="status"
      className="pointer-events-none absolute right-3 bottom-3 max-w-sm rounded-lg border border-line bg-surface px-3 py-2 shadow-[0_6px_20px_var(--shadow)]"
    >
      <p className="truncate font-medium">{attempt.name}</p>
      <p className="text-muted">
        attempt {attempt.attempt} on {attempt.worker}, {attempt.outcome ?? "running"}, {durationText(to - from)}
      </p>
      {attempt.error === undefined ? null : <p className="truncate text-failed">{attempt.error.message}</p>}
    </div>
  );
}

function List({ attempts }: { readonly attempts: readonly TaskAttempt[] }) {
  const latest = attempts.toSorted((a, b) => b.assignedAt - a.assignedAt).slice(0, listed);
  if (latest.length === 0) return null;
  return (
    <Card title="Attempts" note={`the latest ${latest.length} of ${attempts.length} in this period`} isFlush>
      <Table label="Attempts" heads={["Task", "Attempt", "Worker", "Outcome", "Began", "Took"]}>
        {latest.map((attempt) => (
          <Row key={`${attempt.task} ${attempt.attempt}`}>
            <Cell className="max-w-64 truncate font-medium">
              <Link
                to="/tasks/$id"
                params={{ id: attempt.task }}
                search={{ attempt: attempt.attempt }}
                data-row
                className="hover:underline"
              >
                {attempt.name}
              </Link>
            </Cell>
            <Cell className="figures">{attempt.attempt}</Cell>
            <Cell className="whitespace-nowrap text-soft">{attempt.worker}</Cell>
            <Cell>{attempt.outcome ?? "running"}</Cell>
            <Cell className="text-muted">
              <Ago at={attempt.assignedAt} />
            </Cell>
            <Cell className="figures">
              <Lasted from={attempt.assignedAt} to={attempt.endedAt} />
            </Cell>
          </Row>
        ))}
      </Table>
    </Card>
  );
}
