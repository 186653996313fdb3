/** A chart of values over time, drawn by uPlot; loaded only where a chart is shown. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import UPlot from "uplot";
import { onThemeChange, resolvedColour } from "./colours.ts";
import { clockText, lonelyValues, marksAround, timeSteps } from "./ticks.ts";

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
  /** Of what stands along the axis. */
  readonly markText: (value: number) => string;
  /** What values may be apart along the axis, from small to large; on a logarithmic one, what stands along it. */
  readonly steps: readonly number[];
  /** True for values of many sizes, of which the largest would flatten all others. The first of the steps stands for what is less. */
  readonly isLogarithmic?: boolean;
  readonly height?: number;
  readonly onHover?: (index: number | null) => void;
}

const font = '11px "Inter Variable", sans-serif';

function optionsOf(
  { series, markText, steps, isLogarithmic = false, height = 180, onHover }: ChartProps,
  width: number,
): UPlot.Options {
  const splits: UPlot.Axis.Splits = (_plot, _axis, min, max) => steps.filter((mark) => mark >= min && mark <= max);
  const axis = { stroke: resolvedColour("--muted"), font, ticks: { show: false }, gap: 6 };
  const grid = { stroke: resolvedColour("--line"), width: 1 };
  return {
    width,
    height,
    padding: [8, 32, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 6 } },
    scales: { y: isLogarithmic ? logarithmic(steps) : { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
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
        ...(isLogarithmic ? { splits, filter: (_plot, marks) => marks } : { incrs: [...steps] }),
        values: (_plot, values) => values.map((value) => markText(value)),
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

function logarithmic(steps: readonly number[]): UPlot.Scale {
  return {
    distr: 3,
    range: (_plot, min: number | null, max: number | null) => {
      const marks = marksAround(steps, min ?? 1, max ?? 1);
      return [marks[0] ?? 1, Math.max(marks.at(-1) ?? 1, max ?? 1)];
    },
  };
}

function dataOf({ at, series, steps, isLogarithmic = false }: ChartProps): UPlot.AlignedData {
  // A logarithm has no place for 0.
  const least = isLogarithmic ? (steps[0] ?? 1) : Number.NEGATIVE_INFINITY;
  const placed = (value: number | null) => (value === null ? null : Math.max(least, value));
  return [at.map((each) => each / 1000), ...series.map(({ values }) => values.map(placed))];
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
