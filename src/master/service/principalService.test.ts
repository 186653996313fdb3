/** Tokens end when the wall clock says so, which passed time may be ahead of. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { SystemClock } from "../../node/clock.ts";
import { startSoloMaster } from "../../proof/fakes/soloMaster.ts";
import type { Master } from "../master.ts";

class LaggingClock extends SystemClock {
  lag = 0;

  override lagMs(): number {
    return this.lag;
  }
}

const minute = 60_000;
let clock = new LaggingClock();
let master: Master;

beforeEach(async () => {
  clock = new LaggingClock();
  master = await startSoloMaster({ clock });
});
afterEach(() => master.stop());

test("a token is good until its instant has come by the wall clock", async () => {
  const { principals } = master.service;
  clock.lag = 60 * minute;
  const expiresAt = clock.now() - 30 * minute;
  const { token } = await principals.addToken({ name: "t", role: "admin", expiresAt });
  const isCurrent = () => principals.isCurrent({ kind: "token", id: "t" });
  expect(principals.findToken(token)).toMatchObject({ name: "t" });
  expect(isCurrent()).toBe(true);
  clock.lag = 30 * minute - 1;
  expect(principals.findToken(token)).toBeNull();
  expect(isCurrent()).toBe(false);
  await expect(principals.addToken({ name: "u", role: "admin", expiresAt })).rejects.toMatchObject({ code: "invalid" });
});
