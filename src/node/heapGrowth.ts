/**
 * Keeps a large heap small. V8 collects garbage when there is about as much garbage as live data. A master with a million tasks
 * would need twice the memory. Above a certain size the heap may grow by less.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { defaults, limits } from "../model/limits.ts";

/** In percent of the live data. 0 is V8's default. */
const tightGrowthPercent = 30;

/** Applies as long as the process lives, and does not keep it alive. */
export function keepLargeHeapTight(): void {
  let isTight = false;
  const look = (): void => {
    const { used_heap_size: usedBytes } = getHeapStatistics();
    // Hysteresis: a heap near the limit must not switch back and forth.
    const isLarge = usedBytes > (isTight ? limits.heapLooseBytesMax / 2 : limits.heapLooseBytesMax);
    if (isLarge === isTight) return;
    isTight = isLarge;
    setFlagsFromString(`--heap-growing-percent=${isTight ? tightGrowthPercent : 0}`);
  };
  setInterval(look, defaults.heapLookMs).unref();
}
