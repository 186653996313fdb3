/**
 * Keeps a large heap tight. V8 collects garbage anew only when there is about as much of it as of what lives: cheap while little
 * lives, but a master with a million tasks in line would weigh twice what it must. Above a size it may grow by less.
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { defaults, limits } from "../model/limits.ts";

/** In percent of what lives. 0 leaves it to V8. */
const tightGrowthPercent = 30;

/** From here on, for as long as the process lives; it does not keep the process alive. */
export function keepLargeHeapTight(): void {
  let isTight = false;
  const look = (): void => {
    const { used_heap_size: usedBytes } = getHeapStatistics();
    // What is tight already must shrink well below the bound, or a heap at the bound would go to and fro.
    const isLarge = usedBytes > (isTight ? limits.heapLooseBytesMax / 2 : limits.heapLooseBytesMax);
    if (isLarge === isTight) return;
    isTight = isLarge;
    setFlagsFromString(`--heap-growing-percent=${isTight ? tightGrowthPercent : 0}`);
  };
  setInterval(look, defaults.heapLookMs).unref();
}
