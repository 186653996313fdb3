/** The timeline as it is drawn, with what a pointer does to it: move, zoom, show an attempt, open its task. */

import { useNavigate } from "@tanstack/react-router";
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import type { Mark } from "../../api/schema.ts";
import { onThemeChange } from "../../parts/colours.ts";
import { counted } from "../../parts/counted.ts";
import { durationText } from "../../parts/time.tsx";
import { besideTexts } from "./beside.ts";
import { BesideMark } from "./besideNote.tsx";
import type { PathPart } from "./criticalPath.ts";
import { draw } from "./draw.ts";
import type { Lane, PlacedAttempt } from "./lanes.ts";
import { colourOf } from "./outcome.ts";
import { attemptAt, gutter, instantAt, type Point, type Scene, type View } from "./scene.ts";

const outcomes = ["running", "success", "failed", "killed", "suspended", "cancelled"] as const;

export function Legend({ hasPath = false }: { readonly hasPath?: boolean }) {
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
      <li className="flex items-center gap-1.5">
        <span aria-hidden="true" className="h-2.5 w-4 rounded-sm border border-dashed border-killed" />
        over, its process went on
      </li>
      {hasPath ? (
        <li className="flex items-center gap-1.5">
          <span aria-hidden="true" className="h-2.5 w-4 rounded-sm border-2 border-text" />
          critical path
        </li>
      ) : null}
      <li className="ml-auto text-muted max-md:hidden">drag to move, wheel to zoom</li>
    </ul>
  );
}

interface CanvasProps {
  readonly lanes: readonly Lane[];
  readonly marks: readonly Mark[];
  /** Empty where none is shown. */
  readonly path?: readonly PathPart[];
  readonly view: View;
  readonly now: number;
  readonly onPan: (byMs: number) => void;
  /** @param at the instant that is pointed at */
  readonly onZoom: (factor: number, at: number) => void;
}

const noPath: readonly PathPart[] = [];

export function TimelineCanvas({ lanes, marks, path = noPath, view, now, onPan, onZoom }: CanvasProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  /** Where the pointer rests; null while there is none, or while it drags. */
  const [pointer, setPointer] = useState<Point | null>(null);
  const dragged = useRef<{ x: number; moved: number } | null>(null);
  const navigate = useNavigate();
  // What is under a pointer that rests changes with what is drawn there.
  const hovered = pointer === null ? null : attemptAt(pointer, { lanes, view, width });
  const scene: Scene = useMemo(
    () => ({ lanes, marks, path, view, width, now, hovered }),
    [lanes, marks, path, view, width, now, hovered],
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
      const x = event.clientX - element.getBoundingClientRect().left;
      if (event.deltaY !== 0) zoom.current(event.deltaY > 0 ? 1.25 : 0.8, instantAt(x, latest.current));
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    const stop = onThemeChange(() => draw(element, latest.current));
    return () => {
      resize.disconnect();
      element.removeEventListener("wheel", onWheel);
      stop();
    };
  }, []);

  const place = (event: PointerEvent): Point => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  return (
    <div className="relative overflow-hidden">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Attempts on ${counted(lanes.length, "worker")}; the list below says the same.`}
        className={`block w-full touch-pan-y select-none ${hovered === null ? "cursor-grab" : "cursor-pointer"}`}
        onPointerDown={(event) => {
          dragged.current = { x: event.clientX, moved: 0 };
          event.currentTarget.setPointerCapture(event.pointerId);
        }}
        onPointerMove={(event) => {
          const drag = dragged.current;
          if (drag === null) return setPointer(place(event));
          setPointer(null);
          const by = event.clientX - drag.x;
          dragged.current = { x: event.clientX, moved: drag.moved + Math.abs(by) };
          onPan((-by / Math.max(1, width - gutter)) * (view.to - view.from));
        }}
        onPointerUp={(event) => {
          const isClick = (dragged.current?.moved ?? 0) < 4;
          dragged.current = null;
          const hit = isClick ? attemptAt(place(event), scene) : null;
          if (hit === null) return;
          void navigate({
            to: "/tasks/$id",
            params: { id: hit.attempt.task },
            search: { attempt: hit.attempt.attempt },
          });
        }}
        onPointerLeave={() => setPointer(null)}
      />
      {hovered === null ? null : <Hint placed={hovered} beside={besideOf(hovered, lanes, now)} />}
    </div>
  );
}

/** What is said of other attempts of its task, also on other lanes. */
function besideOf(placed: PlacedAttempt, lanes: readonly Lane[], now: number): readonly string[] {
  const { attempt } = placed;
  if (isStillEnding(placed)) return [];
  const all = lanes.flatMap((lane) => lane.attempts.map((placed) => placed.attempt));
  return besideTexts(
    attempt,
    all.filter(({ task }) => task === attempt.task),
    now,
  );
}

/** True if it is over, and its process has not been seen to end. */
function isStillEnding({ attempt, overAt }: PlacedAttempt): boolean {
  return overAt !== null && attempt.processEndedAt === undefined;
}

interface HintProps {
  readonly placed: PlacedAttempt;
  readonly beside: readonly string[];
}

function Hint({ placed, beside }: HintProps) {
  const { attempt, from, to, overAt } = placed;
  return (
    <div
      role="status"
      className="pointer-events-none absolute right-3 bottom-3 max-w-sm rounded-lg border border-line bg-surface px-3 py-2 shadow-[0_6px_20px_var(--shadow)]"
    >
      <p className="truncate font-medium">{attempt.name}</p>
      <p className="text-muted">
        attempt {attempt.attempt} on {attempt.worker}, {attempt.outcome ?? "running"}, {durationText(to - from)}
        {overAt === null || !isStillEnding(placed)
          ? ""
          : `, of them ${durationText(to - overAt)} since it was over: its process may still be ending`}
      </p>
      {beside.map((text) => (
        <p key={text} className="text-soft">
          <BesideMark /> {text}
        </p>
      ))}
      {attempt.error === undefined ? null : <p className="truncate text-failed">{attempt.error.message}</p>}
    </div>
  );
}
