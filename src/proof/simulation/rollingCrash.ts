/** Workers die in quick turns and are soon back, as in a rolling crash. */
import type { Cluster } from "./cluster.ts";
import type { Random } from "./random.ts";

/** @param later does something after a while, unless all faults are over by then */
export function rollWorkers(
  { workers, coverage }: Cluster,
  random: Random,
  later: (afterMs: number, run: () => void) => void,
): boolean {
  if (workers.length < 3) return false;
  coverage.saw("workers died in quick turns");
  const turns = random.integer(5, 20);
  const everyMs = random.integer(50, 400);
  for (let turn = 0; turn < turns; turn++) {
    const worker = random.pick(workers);
    // Some stay away for longer than their deaths may go unnoticed.
    const backMs = random.chance(0.7) ? random.spread(5, everyMs) : random.integer(2_000, 20_000);
    later(turn * everyMs, () => {
      if (worker.process === null) return;
      worker.crash();
      later(backMs, () => worker.start());
    });
  }
  return true;
}
