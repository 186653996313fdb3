/** What began and ended, and how long it took: the last minutes by second, or the last hour by minute. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { historyQuery } from "../../api/queries.ts";
import type { HistoryPoint } from "../../api/schema.ts";
import type { ChartSeries } from "../../parts/chart.tsx";
import { Segments } from "../../parts/controls.tsx";
import { LazyChart } from "../../parts/lazyChart.tsx";
import { Card, Loading, Problem } from "../../parts/surfaces.tsx";
import { countSteps, durationMarks, markText } from "../../parts/ticks.ts";
import { durationText } from "../../parts/time.tsx";

type Resolution = "second" | "minute";
const periods: readonly (readonly [Resolution, string])[] = [
  ["second", "5 min"],
  ["minute", "1 h"],
];

export function Throughput() {
  const [resolution, setResolution] = useState<Resolution>("second");
  const { data, error } = useQuery(historyQuery(resolution));
  const points = data?.points ?? [];
  const toggle = <Segments label="Period" values={periods} chosen={resolution} onChoose={setResolution} />;
  const at = points.map((point) => point.at);
  const word = `per ${resolution}`;
  return (
    <div className="grid gap-4 xl:grid-cols-2">
      <Card title="Throughput" note={`starts and ends ${word}`} actions={toggle}>
        {data === undefined ? (
          error === null ? (
            <Loading what="the history" />
          ) : (
            <Problem error={error} />
          )
        ) : (
          <Lines label={`Starts and ends ${word}`} at={at} series={throughput(points)} {...counts} />
        )}
      </Card>
      <Card title="Latency" note={`95 of 100 were quicker, by ${resolution}, logarithmic`}>
        {data === undefined ? (
          <Loading what="the history" />
        ) : (
          <Lines label="Latency" at={at} series={latency(points)} {...durations} />
        )}
      </Card>
    </div>
  );
}

interface LinesProps {
  readonly label: string;
  readonly at: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly format: (value: number) => string;
  readonly markText: (value: number) => string;
  readonly steps: readonly number[];
  readonly isLogarithmic?: boolean;
  /** True for counts: the legend then shows their sum while nothing is pointed at. */
  readonly sum?: boolean;
}

function Lines({ label, at, series, format, markText, steps, isLogarithmic = false, sum = false }: LinesProps) {
  const [index, setIndex] = useState<number | null>(null);
  const shown = ({ values }: ChartSeries): string => {
    if (index !== null) {
      const value = values[index];
      return value === null || value === undefined ? "–" : format(value);
    }
    if (sum) return countText(values.reduce<number>((total, value) => total + (value ?? 0), 0));
    const last = values.findLast((value) => value !== null);
    return last === null || last === undefined ? "–" : format(last);
  };
  return (
    <div>
      <ul className="mb-1 flex flex-wrap gap-x-4 gap-y-1">
        {series.map((each) => (
          <li key={each.name} className="flex items-center gap-1.5 text-xs">
            <span aria-hidden="true" className="h-0.5 w-3 rounded-full" style={{ background: `var(${each.colour})` }} />
            <span className="text-muted">{each.name}</span>
            <span className="font-medium">{shown(each)}</span>
          </li>
        ))}
        <li className="ml-auto text-xs text-muted">
          {index === null ? (sum ? "in all" : "latest") : new Date(at[index] ?? 0).toLocaleTimeString()}
        </li>
      </ul>
      <LazyChart
        label={label}
        at={at}
        series={series}
        markText={markText}
        steps={steps}
        isLogarithmic={isLogarithmic}
        onHover={setIndex}
      />
    </div>
  );
}

function throughput(points: readonly HistoryPoint[]): ChartSeries[] {
  return [
    { name: "started", colour: "--running", values: points.map((point) => point.started) },
    { name: "succeeded", colour: "--success", values: points.map((point) => point.succeeded), isFilled: true },
    { name: "failed", colour: "--failed", values: points.map((point) => point.failed + point.retried) },
    { name: "killed", colour: "--killed", values: points.map((point) => point.killed) },
  ];
}

function latency(points: readonly HistoryPoint[]): ChartSeries[] {
  return [
    { name: "wait", colour: "--waiting", values: points.map(({ waitMs }) => waitMs?.p95 ?? null), isFilled: true },
    { name: "run", colour: "--running", values: points.map(({ runMs }) => runMs?.p95 ?? null) },
    { name: "commit", colour: "--retrying", values: points.map(({ commitMs }) => commitMs?.p95 ?? null) },
  ];
}

const number = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

/** One long wait must not flatten all that is short. */
const durations = { format: durationText, markText, steps: durationMarks, isLogarithmic: true };
const counts = { format: countText, markText: countText, steps: countSteps, sum: true };

function countText(value: number): string {
  return number.format(value);
}
