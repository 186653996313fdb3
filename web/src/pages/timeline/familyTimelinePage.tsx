/** The timeline of one task with its family, and the critical path: what decided when it ended. */

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { taskQuery } from "../../api/queries.ts";
import type { Task } from "../../api/schema.ts";
import { Button } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { useSiblings } from "../../parts/siblings.ts";
import { finalStates, StateBadge } from "../../parts/states.tsx";
import { Card, Empty, Loading, Note, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { TaskPath } from "../../parts/taskPath.tsx";
import { TaskProblem } from "../../parts/taskProblem.tsx";
import { titleOf } from "../../parts/taskTitle.ts";
import { durationText, useNow } from "../../parts/time.tsx";
import { AttemptList } from "./attemptList.tsx";
import { criticalPath } from "./criticalPath.ts";
import { useDying } from "./dying.ts";
import { type Family, familyTimelineQuery } from "./family.ts";
import { lanesOf } from "./lanes.ts";
import { PathTable } from "./pathTable.tsx";
import { zoomed } from "./period.ts";
import type { View } from "./scene.ts";
import { Legend, TimelineCanvas } from "./timelineCanvas.tsx";

const route = getRouteApi("/tasks/$id/timeline");
/** Of the whole, on both sides. */
const margin = 0.02;

export function FamilyTimelinePage() {
  const { id } = route.useParams();
  const { data: task, error } = useQuery(taskQuery(id));
  const beside = useSiblings(task);
  if (task === undefined) return error === null ? <Loading what="the task" /> : <TaskProblem error={error} />;
  return (
    <>
      <TaskPath id={id} name={titleOf(task, beside)}>
        {task.parent === undefined ? null : (
          <Link to="/tasks/$id/timeline" params={{ id: task.parent }} className="ml-auto text-accent hover:underline">
            Parent
          </Link>
        )}
      </TaskPath>
      <FamilyOf key={id} task={task} title={titleOf(task, beside)} />
    </>
  );
}

function FamilyOf({ task, title }: { readonly task: Task; readonly title: string }) {
  const { data: family, error } = useQuery(familyTimelineQuery(task));
  const [view, setView] = useState<View | null>(null);
  return (
    <>
      <PageHeader title={`Timeline of ${title}`} note={<StateBadge state={task.state} />}>
        <Button disabled={view === null} onClick={() => setView(null)}>
          Show all
        </Button>
      </PageHeader>
      {family === undefined ? (
        error === null ? (
          <Loading what="the family" />
        ) : (
          <Problem error={error} />
        )
      ) : (
        <Shown family={family} view={view} onView={setView} />
      )}
    </>
  );
}

interface ShownProps {
  readonly family: Family;
  /** Null for all of it. */
  readonly view: View | null;
  readonly onView: (change: (before: View | null) => View) => void;
}

function Shown({ family, view, onView }: ShownProps) {
  const { root, others, isCut, withoutHistory } = family;
  const isOver = finalStates.has(root.state);
  const clock = useNow();
  const now = isOver ? root.changedAt : clock;
  const path = useMemo(() => criticalPath(root, others), [root, others]);
  const attempts = useMemo(() => [root, ...others].flatMap((task) => task.attempts), [root, others]);
  const isDying = useDying();
  const lanes = useMemo(() => lanesOf(attempts, [], now, isDying), [attempts, now, isDying]);
  const edge = Math.max(1, now - root.createdAt) * margin;
  const whole: View = { from: root.createdAt - edge, to: now + edge };
  const shown = view ?? whole;
  if (attempts.length === 0)
    return (
      <div className="card">
        <Empty title="Nothing of it has run yet" />
      </div>
    );
  return (
    <div className="grid gap-4">
      {isCut ? <Note tone="warn">Of its family, {others.length} tasks are shown. There are more.</Note> : null}
      {withoutHistory === 0 ? null : (
        <Note tone="info">Of {counted(withoutHistory, "task")} only the latest attempts are shown.</Note>
      )}
      <Card isFlush>
        <Legend hasPath={path.length > 0} />
        <TimelineCanvas
          {...{ lanes, path, now, view: shown, marks: noMarks }}
          onPan={(byMs) => onView((before) => moved(before ?? whole, byMs))}
          onZoom={(factor, at) => onView((before) => zoomed(before ?? whole, factor, at))}
        />
      </Card>
      {isOver ? (
        <PathTable root={root} path={path} />
      ) : (
        <p className="text-muted">
          It has lasted {durationText(now - root.createdAt)}. What decides when it ends is told once it has ended.
        </p>
      )}
      <AttemptList
        attempts={attempts.filter((each) => each.assignedAt <= shown.to && (each.endedAt ?? now) >= shown.from)}
      />
    </div>
  );
}

const noMarks = [] as const;

function moved({ from, to }: View, byMs: number): View {
  return { from: from + byMs, to: to + byMs };
}
