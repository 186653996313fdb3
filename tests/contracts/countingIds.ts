/** Ids for tests: different at each call, the same in each run. */
import type { Ids } from "../../src/ports/ids.ts";

export function countingIds(): Pick<Ids, "random"> {
  let count = 0;
  return {
    random: () => {
      count += 1;
      return `id-${count}`;
    },
  };
}
