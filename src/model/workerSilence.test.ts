/** Which workers are warned of. */
import { expect, test } from "vitest";
import { defaults } from "./limits.ts";
import { isSilent } from "./workerSilence.ts";

const late = defaults.suspectMs;
const at = 1_000_000;

test.each([
  ["has just attached", "suspect", at, at, at + 200, false],
  ["has lost its stream a moment ago", "suspect", at, at - 60_000, at + late - 1, false],
  ["was silent for too long", "suspect", at, at - 60_000, at + late, true],
  ["has a new leader that has not heard of it yet", "suspect", null, at, at + late - 1, false],
  ["was not heard of since the election", "suspect", null, at, at + late, true],
  ["waits for a leader, as all do", "suspect", null, null, at + late, false],
  ["is told of by one who does not know since when its leader leads", "suspect", at, null, at + late, true],
  ["is heard of", "connected", at, at, at + late, false],
  ["is known to be lost", "lost", at, at, at + late, false],
] as const)("a worker that %s", (_what, state, heardAt, leadsSince, now, isWarned) => {
  expect(isSilent({ state, heardAt }, now, leadsSince)).toBe(isWarned);
});
