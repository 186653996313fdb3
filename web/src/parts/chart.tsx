/** A chart of values over time, drawn by uPlot; loaded only where a chart is shown. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import UPlot from "uplot";
import { onThemeChange, resolvedColour } from "./colours.ts";
import { clockText, lonelyValues, timeSteps } from "./ticks.ts";

export interface ChartSeries {
  readonly name: string;
  /** The name of a colour in tokens.css, such as `--success`. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
  readonly isFilled?: boolean;
}

export interface ChartProps {
  /** What the chart shows, for those who cannot see it. */
  readonly label: string;
  /** Instants in ms. */
  readonly at: readonly number[];
  readonly series: readonly ChartSeries[];
  readonly format: (value: number) => string;
  /** What values may be apart along the axis, from small to large. */
  readonly steps: readonly number[];
  readonly height?: number;
  readonly onHover?: (index: number | null) => void;
}

const font = '11px "Inter Variable", sans-serif';

function optionsOf({ series, format, steps, height = 180, onHover }: ChartProps, width: number): UPlot.Options {
  const axis = { stroke: resolvedColour("--muted"), font, ticks: { show: false }, gap: 6 };
  const grid = { stroke: resolvedColour("--line"), width: 1 };
  return {
    width,
    height,
    padding: [8, 32, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 24,
        space: 70,
        incrs: timeSteps.map((ms) => ms / 1000),
        values: (_plot, values, _axis, _space, step) => values.map((each) => clockText(each * 1000, step * 1000)),
      },
      {
        ...axis,
        grid,
        size: 60,
        space: 34,
        incrs: [...steps],
        values: (_plot, values) => values.map((value) => format(value)),
      },
    ],
    series: [
      {},
      ...series.map(
        ({ name, colour, isFilled }): UPlot.Series => ({
          label: name,
          stroke: resolvedColour(colour),
          width: 1.6,
          // A line has two ends; what has no neighbour is a dot.
          points: { show: true, size: 5, filter: (plot, index) => lonelyValues([...(plot.data[index] ?? [])]) },
          ...(isFilled === true ? { fill: resolvedColour(colour, 0.12) } : {}),
        }),
      ),
    ],
    hooks: {
      setCursor: [
        (plot) => {
          onHover?.(plot.cursor.idx ?? null);
        },
      ],
    },
  };
}

function dataOf({ at, series }: ChartProps): UPlot.AlignedData {
  return [at.map((each) => each / 1000), ...series.map(({ values }) => [...values])];
}

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const shape = props.series.map(({ name }) => name).join();

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const draw = () => {
      plot.current?.destroy();
      plot.current = new UPlot(optionsOf(latest.current, element.clientWidth), dataOf(latest.current), element);
    };
    draw();
    const resize = new ResizeObserver(() =>
      plot.current?.setSize({ width: element.clientWidth, height: latest.current.height ?? 180 }),
    );
    resize.observe(element);
    const stop = onThemeChange(draw);
    return () => {
      resize.disconnect();
      stop();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props]);

  return (
    <div ref={box} role="img" aria-label={props.label} className="w-full" style={{ height: props.height ?? 180 }} />
  );
}
