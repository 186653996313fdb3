/** Every schedule: its next ticks in both time zones, what it has made and skipped, and all that can be done with it. */

import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { schedulesQuery, templateQuery, ticksQuery } from "../../api/queries.ts";
import { useMay, useSeesAllQueues } from "../../api/rights.ts";
import type { ScheduleView } from "../../api/schema.ts";
import { chosenOf, NoneOfThatName } from "../../parts/chosen.tsx";
import { Button } from "../../parts/controls.tsx";
import { counted } from "../../parts/counted.ts";
import { JsonTree } from "../../parts/jsonTree.tsx";
import { Card, Empty, Fact, Facts, Loading, PageHeader, Problem } from "../../parts/surfaces.tsx";
import { Cell, Row, Table } from "../../parts/table.tsx";
import { Ago, durationText } from "../../parts/time.tsx";
import { Actions } from "./scheduleActions.tsx";
import { ScheduleDialog } from "./scheduleDialog.tsx";

const route = getRouteApi("/schedules");
const skippedShown = 20;

export function SchedulesPage() {
  const { name } = route.useSearch();
  const { data, error } = useQuery(schedulesQuery);
  const mayOperate = useMay("operate");
  const seesAll = useSeesAllQueues();
  const [isMaking, setMaking] = useState(false);
  if (data === undefined) return error === null ? <Loading what="the schedules" /> : <Problem error={error} />;
  const { schedules } = data;
  const shown = chosenOf(schedules, name);
  const names = schedules.map((schedule) => schedule.name);
  return (
    <>
      <PageHeader title="Schedules" note={counted(schedules.length, "schedule")}>
        {mayOperate ? (
          <Button look="primary" onClick={() => setMaking(true)}>
            New schedule …
          </Button>
        ) : null}
      </PageHeader>
      {isMaking ? <ScheduleDialog schedule={null} names={names} onClose={() => setMaking(false)} /> : null}
      {name !== undefined && shown === undefined ? (
        <div className="mb-4">
          <NoneOfThatName what="schedule" name={name} />
        </div>
      ) : null}
      {schedules.length === 0 ? (
        <div className="card">
          <Empty
            title={seesAll ? "No schedule yet" : "No schedule in your queues"}
            command="outlast schedule put nightly.yaml"
            needs="operate"
          >
            A schedule makes a task at each of its ticks, exactly once.
          </Empty>
        </div>
      ) : (
        <div className="grid gap-4">
          <Card isFlush>
            <Table label="Schedules" heads={["Schedule", "Next tick", "When", "Runs", "Made", "Skipped"]}>
              {schedules.map((schedule) => (
                <ScheduleRow key={schedule.name} schedule={schedule} isShown={schedule.name === shown?.name} />
              ))}
            </Table>
          </Card>
          {shown === undefined ? null : <Detail key={shown.name} schedule={shown} />}
        </div>
      )}
    </>
  );
}

/** Instants as the viewer's clock shows them. */
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const time = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** The day and the time, which stand below each other where there is little room. */
function Instant({ at }: { readonly at: number }) {
  return (
    <span className="figures">
      <span className="whitespace-nowrap">{day.format(at)}</span>{" "}
      <span className="whitespace-nowrap">{time.format(at)}</span>
    </span>
  );
}

function ScheduleRow({ schedule, isShown }: { readonly schedule: ScheduleView; readonly isShown: boolean }) {
  const { name, content, isPaused, nextAt, skipped } = schedule;
  return (
    <Row>
      <Cell className={isShown ? "font-semibold text-accent" : "font-medium"}>
        <Link to="/schedules" search={{ name }} data-row className="hover:underline">
          {name}
        </Link>
        {isPaused ? (
          <span className="ml-2 rounded bg-retrying/12 px-1.5 text-2xs font-medium text-retrying">‖ paused</span>
        ) : null}
        {content.description === undefined ? null : (
          <p className="max-w-80 truncate font-normal text-muted" title={content.description}>
            {content.description}
          </p>
        )}
      </Cell>
      <Cell>
        {nextAt === null ? (
          <span className="text-muted">none follows</span>
        ) : (
          <span className="flex flex-wrap gap-x-2">
            <Instant at={nextAt} />
            <span className="text-muted">
              <Ago at={nextAt} />
            </span>
          </span>
        )}
      </Cell>
      <Cell className="font-mono text-xs whitespace-nowrap">{whenText(content.when)}</Cell>
      <Cell className="text-soft">{content.template ?? "a task"}</Cell>
      <Cell className="figures">
        <Made schedule={schedule} />
      </Cell>
      <Cell className="figures">{skipped.length}</Cell>
    </Row>
  );
}

/** Tasks of a schedule are called after it, unless what they are made from has a name. */
function Made({ schedule: { name, content, fired } }: { readonly schedule: ScheduleView }) {
  const { template = "", task } = content;
  const { data } = useQuery({ ...templateQuery(template), enabled: template !== "" && fired > 0 });
  const made = template === "" ? task : data?.task;
  const { name: own = name } = (made ?? {}) as { readonly name?: string };
  // A name with variables differs from task to task.
  if (fired === 0 || made === undefined || own.includes("${")) return fired;
  return (
    <Link to="/tasks" search={{ name: own }} title="The tasks that it has made" className="text-accent hover:underline">
      {fired}
    </Link>
  );
}

function whenText(when: ScheduleView["content"]["when"]): string {
  if (when.cron !== undefined) return `${when.cron}  ${when.timeZone ?? "UTC"}`;
  if (when.everyMs !== undefined) return `every ${durationText(when.everyMs)}`;
  return when.at === undefined ? "–" : new Date(when.at).toISOString();
}

function Detail({ schedule }: { readonly schedule: ScheduleView }) {
  const { name, content, changedAt } = schedule;
  const mayOperate = useMay("operate");
  const [done, setDone] = useState<string | null>(null);
  return (
    <div className="grid items-start gap-4 xl:grid-cols-[minmax(24rem,1fr)_auto]">
      <Card title={name} actions={mayOperate && <Actions schedule={schedule} onDone={setDone} />}>
        <div className="grid gap-4">
          {done === null ? null : <p role="status">{done}</p>}
          {content.description === undefined ? null : (
            <p className="break-words whitespace-pre-line text-soft">{content.description}</p>
          )}
          <Facts>
            <Fact name="Overlap">{content.overlap ?? "allow"}</Fact>
            <Fact name="Missed">{content.missed ?? "latest"}</Fact>
            <Fact name="Changed">
              <Ago at={changedAt} />
            </Fact>
          </Facts>
          <JsonTree value={content.task ?? { template: content.template, variables: content.variables ?? {} }} />
        </div>
      </Card>
      <div className="grid gap-4">
        <NextTicks schedule={schedule} />
        <SkippedTicks schedule={schedule} />
      </div>
    </div>
  );
}

function SkippedTicks({ schedule: { skipped } }: { readonly schedule: ScheduleView }) {
  if (skipped.length === 0) return null;
  return (
    <Card title="Skipped ticks" note="the latest first" isFlush>
      <ul className="divide-y divide-line">
        {skipped
          .toReversed()
          .slice(0, skippedShown)
          .map(({ from, to, reason }) => (
            <li key={`${from} ${to}`} className="flex justify-between gap-4 px-4 py-2">
              <span>{reason}</span>
              <span className="text-muted">
                <Ago at={from} />
                {from === to ? null : (
                  <>
                    {" "}
                    to <Ago at={to} />
                  </>
                )}
              </span>
            </li>
          ))}
      </ul>
    </Card>
  );
}

function NextTicks({ schedule: { name, content } }: { readonly schedule: ScheduleView }) {
  const { data, error } = useQuery(ticksQuery(name, content));
  const zone = content.when.timeZone ?? "UTC";
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // Only where clocks are set forward or back there is something to say of them.
  const hasClocks = data?.ticks.some(({ clocks }) => clocks !== undefined) === true;
  const heads = ["Tick", `Here (${own})`, `There (${zone})`, ...(hasClocks ? ["Clocks"] : [])];
  return (
    <Card title="Next ticks" isFlush>
      {data === undefined ? (
        error === null ? (
          <Loading what="the next ticks" />
        ) : (
          <Problem error={error} />
        )
      ) : data.ticks.length === 0 ? (
        <p className="px-4 py-3 text-muted">No tick follows.</p>
      ) : (
        <Table label="Next ticks" hasWideCells heads={heads}>
          {data.ticks.map(({ at, local: there, clocks }) => (
            <Row key={at}>
              <Cell>
                <Ago at={at} />
              </Cell>
              <Cell className="whitespace-nowrap">
                <Instant at={at} />
              </Cell>
              <Cell className="figures whitespace-nowrap text-soft">{there}</Cell>
              {hasClocks ? <Cell className="text-retrying">{clocks ?? ""}</Cell> : null}
            </Row>
          ))}
        </Table>
      )}
    </Card>
  );
}
