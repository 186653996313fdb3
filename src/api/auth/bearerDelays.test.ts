/** Guessing of tokens is slow, and whoever guesses does not shut out others at his address. */
import { expect, test } from "vitest";
import { defaults, limits } from "../../model/limits.ts";
import { BearerDelays } from "./bearerDelays.ts";

/** Guesses as often as it can for so long; returns how many guesses were looked at. */
function guess(delays: BearerDelays, clock: { now: number }, address: string, forMs: number): number {
  let looks = 0;
  for (const until = clock.now + forMs; clock.now < until; clock.now += 10) {
    try {
      delays.noteWrong(address);
      looks += 1;
    } catch {
      // It has to wait.
    }
  }
  return looks;
}

function setUp(isLongEnough: boolean) {
  const clock = { now: 1_000_000 };
  return { clock, delays: new BearerDelays(isLongEnough, () => clock.now) };
}

test("an address that guesses for ten minutes gets some hundred guesses looked at, and others none the less", () => {
  const { clock, delays } = setUp(true);
  const looks = guess(delays, clock, "guesser", 600_000);
  expect(looks).toBeGreaterThan(defaults.bearerFailuresFree);
  expect(looks).toBeLessThan(600_000 / limits.bearerDelayMsMax + defaults.bearerFailuresFree + 10);
  expect(() => delays.checkRoot("another")).not.toThrow();
});

test("while an address has to wait, a right guess looks like a wrong one", () => {
  const { clock, delays } = setUp(true);
  guess(delays, clock, "guesser", 1_000);
  expect(() => delays.checkRoot("guesser")).toThrow("Too many wrong tokens");
  expect(() => delays.noteWrong("guesser")).toThrow("Too many wrong tokens");
  clock.now += limits.bearerDelayMsMax;
  expect(() => delays.checkRoot("guesser")).not.toThrow();
});

test("an address with a long root token that it has shown before is not shut out; with a short one it waits like all", () => {
  for (const isLongEnough of [true, false]) {
    const { clock, delays } = setUp(isLongEnough);
    delays.checkRoot("shared");
    guess(delays, clock, "shared", 60_000);
    if (isLongEnough) delays.checkRoot("shared");
    else expect(() => delays.checkRoot("shared")).toThrow("Too many wrong tokens");
  }
});
