/** What `/metrics` shows of the process itself, under the names that programs on Node use. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, Gauge, type Registry } from "prom-client";
import { day } from "../../model/units.ts";

/** Metrics of Node whose names break the conventions: gauges that end in `_total`. */
const misnamed = ["nodejs_active_handles_total", "nodejs_active_requests_total", "nodejs_active_resources_total"];

type Turns = ReturnType<typeof monitorEventLoopDelay>;

interface TurnFigure {
  readonly help: string;
  /** In ns. */
  readonly of: (turns: Turns) => number;
}

const turnFigures: { readonly [name: string]: TurnFigure } = {
  min: { help: "The shortest turn of the event loop since the last scrape.", of: ({ min }) => min },
  max: { help: "The longest turn of the event loop since the last scrape.", of: ({ max }) => max },
  mean: { help: "The mean of the turns of the event loop since the last scrape.", of: ({ mean }) => mean },
  stddev: { help: "The standard deviation of these turns.", of: ({ stddev }) => stddev },
  p50: { help: "The 50th percentile of these turns.", of: (turns) => turns.percentile(50) },
  p90: { help: "The 90th percentile of these turns.", of: (turns) => turns.percentile(90) },
  p99: { help: "The 99th percentile of these turns.", of: (turns) => turns.percentile(99) },
};

export function addProcessMetrics(registry: Registry): void {
  // The library looks at the event loop by a timer that wakes a process at rest a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: day });
  for (const name of misnamed) registry.removeSingleMetric(name);
  // Node before 26.5 does not know this option, and uses such a timer.
  const turns = monitorEventLoopDelay({ samplePerIteration: true });
  turns.enable();
  const last = Object.keys(turnFigures).at(-1);
  for (const [figure, { help, of }] of Object.entries(turnFigures)) {
    const name = `nodejs_eventloop_lag_${figure}_seconds`;
    registry.removeSingleMetric(name);
    new Gauge({
      name,
      help,
      registers: [registry],
      // They are collected in this order.
      collect() {
        this.set(of(turns) / 1e9);
        if (figure === last) turns.reset();
      },
    });
  }
}
