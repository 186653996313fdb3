/** What waits for the leader's loop, and what still finds room when there is none. */
import { expect, test } from "vitest";
import type { SessionId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { Inbox } from "./inbox.ts";

const who = { worker: "w" as WorkerId, session: "1.1" as SessionId };

test("a full inbox sends those away who can come again, and takes what this master itself has to say", async () => {
  const inbox = new Inbox(new FakeClock());
  for (let index = 0; index < limits.inboxMax; index += 1) inbox.push({ kind: "beat", ...who });
  expect(() => inbox.push({ kind: "beat", ...who })).toThrow(expect.objectContaining({ code: "too-many" }));
  expect(() => inbox.push({ kind: "inspect-queues", request: 1 })).toThrow(
    expect.objectContaining({ code: "too-many" }),
  );
  inbox.push({ kind: "closed", ...who });
  inbox.push({ kind: "forget", seq: 1_000, tasks: [] });
  inbox.push({ kind: "clock-gap", forMs: 1 });
  expect(inbox.length).toBe(limits.inboxMax + 3);
  expect((await inbox.take(null)).inputs[0]).toEqual({ kind: "clock-gap", forMs: 1 });
});

test("who waits for many records is told once they are there, also if they were given back", async () => {
  const inbox = new Inbox(new FakeClock());
  let isTold = false;
  const watch = () => {
    isTold = false;
    void inbox.untilWaiting(3).then(() => (isTold = true));
  };
  watch();
  inbox.push({ kind: "beat", ...who });
  inbox.push({ kind: "beat", ...who });
  await Promise.resolve();
  expect(isTold).toBe(false);
  inbox.push({ kind: "beat", ...who });
  await Promise.resolve();
  expect(isTold).toBe(true);
  const { inputs } = inbox.takeAtOnce();
  expect(inputs).toHaveLength(3);
  watch();
  await Promise.resolve();
  expect(isTold).toBe(false);
  inbox.giveBack(inputs);
  watch();
  await Promise.resolve();
  expect(isTold).toBe(true);
  inbox.shut();
  watch();
  await Promise.resolve();
  expect(isTold).toBe(false);
});

test("a pause that the clock notices as it is read comes first in the very batch that is decided by the new time", () => {
  const clock = new FakeClock();
  const inbox = new Inbox(clock);
  const read = clock.now.bind(clock);
  clock.now = () => {
    inbox.push({ kind: "clock-gap", forMs: 60_000 });
    return read();
  };
  inbox.push({ kind: "beat", ...who });
  expect(inbox.takeAtOnce().inputs.map(({ kind }) => kind)).toEqual(["clock-gap", "beat"]);
});

test("what comes after the end of a term is not there when the next one begins", () => {
  const inbox = new Inbox(new FakeClock());
  inbox.push({ kind: "beat", ...who });
  inbox.shut();
  inbox.push({ kind: "beat", ...who });
  inbox.open();
  inbox.push({ kind: "closed", ...who });
  expect(inbox.takeAtOnce().inputs.map(({ kind }) => kind)).toEqual(["closed"]);
});
