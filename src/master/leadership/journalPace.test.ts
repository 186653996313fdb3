/** When a standby looks at the journal next. */
import { expect, test } from "vitest";
import type { Nonce } from "../../model/ids.ts";
import { defaults, limits } from "../../model/limits.ts";
import { JournalPace } from "./journalPace.ts";

const { tailPollMs, tailPollMsMax, tailPollToldMs, leaseRenewMs, renewalsMissedMax } = defaults;
const at = { epoch: 2, seq: 5 };
const beat = { epoch: 2, nonce: "other" as Nonce, beat: 1, isResigned: false, ttlMs: 2000, seq: 5 };

/** After enough looks that found nothing, the last one at 0. */
function idle(): JournalPace {
  const pace = new JournalPace({ tailPollMs, leaseRenewMs });
  for (let looks = 0; looks < 11 * limits.idleLooksPerDoubling; looks += 1) pace.noteLook(0, at);
  return pace;
}

test("looks often at first, and seldom once nothing has come for long", () => {
  const pace = new JournalPace({ tailPollMs, leaseRenewMs });
  pace.noteLook(0, at);
  expect(pace.nextLookAt).toBe(tailPollMs);
  expect(idle().nextLookAt).toBe(tailPollMsMax);
});

test("looks only now and then while the leader tells that there is nothing new", () => {
  const pace = idle();
  for (let now = 0; now < tailPollToldMs; now += leaseRenewMs) pace.noteBeat(now, beat);
  expect(pace.nextLookAt).toBe(tailPollToldMs);
});

test("looks at once when the leader tells of something new, also if it does not find it yet", () => {
  const pace = idle();
  pace.noteBeat(tailPollMsMax, { ...beat, seq: 6 });
  expect(pace.nextLookAt).toBe(tailPollMs);
  pace.noteLook(tailPollMsMax, at);
  expect(pace.nextLookAt).toBe(tailPollMsMax + tailPollMs);
});

test("looks again by itself once the leader is silent, has closed its connection, or the journal cannot be read", () => {
  const silent = idle();
  silent.noteBeat(0, beat);
  expect(silent.nextLookAt).toBe(renewalsMissedMax * leaseRenewMs);

  const closed = idle();
  closed.noteBeat(0, beat);
  closed.noteClosed();
  expect(closed.nextLookAt).toBe(tailPollMs);

  const troubled = idle();
  troubled.noteBeat(0, beat);
  troubled.noteTrouble(0);
  expect(troubled.nextLookAt).toBe(tailPollMsMax);
});

test("is not held back by what was told long ago, and has been held up on its way", () => {
  const pace = idle();
  for (let now = 0; now < tailPollToldMs; now += leaseRenewMs) pace.noteBeat(now, { ...beat, seq: 4 });
  expect(pace.nextLookAt).toBe(tailPollMsMax);
});

test("believes nobody but the leader whose marker it has read", () => {
  const pace = idle();
  pace.noteBeat(0, { ...beat, epoch: 1 });
  pace.noteBeat(0, { ...beat, epoch: 3 });
  expect(pace.nextLookAt).toBe(tailPollMsMax);
  pace.noteBeat(0, beat);
  pace.noteLook(0, { epoch: 3, seq: 6 });
  expect(pace.nextLookAt).toBe(tailPollMs);
});
