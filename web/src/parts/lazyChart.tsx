/** The chart, with room kept for it while its code is loaded. */
import { lazy, Suspense } from "react";
import { onceReachable } from "../api/onceReachable.ts";
import type { ChartProps } from "./chart.tsx";

const Loaded = lazy(async () => ({ default: (await onceReachable(() => import("./chart.tsx"))).Chart }));

export function LazyChart(props: ChartProps) {
  return (
    <Suspense fallback={<div style={{ height: props.height ?? 180 }} />}>
      <Loaded {...props} />
    </Suspense>
  );
}
