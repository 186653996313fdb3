/** What leaves for a worker: assignments with large inputs, a part of them at a time. */
import { expect, test } from "vitest";
import type { AssignedAttempt } from "../../core/scheduler/effects.ts";
import type { SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { StreamMessage } from "../../model/protocol.ts";
import type { TaskPayload } from "../../model/task.ts";
import { FakeClock } from "../../proof/fakes/fakeClock.ts";
import { Streams } from "../streams/streams.ts";
import { Outbox, type OutboxParts } from "./outbox.ts";

const worker = "w" as WorkerId;
const session = "1.1" as SessionId;

/** An outbox with one open stream, whose reader takes what is sent when the test says so. */
function stage(inputs: readonly string[]) {
  const clock = new FakeClock();
  const streams = new Streams(clock);
  const sent: string[] = [];
  let taken = Promise.withResolvers<void>();
  const note = (message: StreamMessage) =>
    sent.push(message.kind === "assign" ? message.assignments.map(({ task }) => task).join() : message.kind);
  streams.expect(worker, session);
  streams.open(worker, session, { send: note, drained: () => taken.promise, close: () => {} });
  const attempts = inputs.map((_input, index): AssignedAttempt => {
    return { task: `t${index}` as TaskId, attempt: 1, assignedAt: 1, timeoutMs: null };
  });
  const payloads = new Map(
    attempts.map(({ task }, index): [TaskId, TaskPayload] => [
      task,
      { name: "n", kind: "k", input: inputs[index] ?? "" },
    ]),
  );
  const outbox = new Outbox({ clock, streams, payloads: { get: () => payloads } } as unknown as OutboxParts);
  const take = async () => {
    const before = taken;
    taken = Promise.withResolvers();
    before.resolve();
    await clock.advance(1);
  };
  return { sent, take, streams, assign: () => outbox.release(1, [{ kind: "assign", worker, session, attempts }]) };
}

const half = "x".repeat(limits.assignTextMax / 2);

test("assignments that are small leave together", () => {
  const { sent, assign } = stage(["", "a", "b"]);
  assign();
  expect(sent).toEqual(["t0,t1,t2"]);
});

test("of large ones as many leave at a time as a worker takes, each time that it has taken those before", async () => {
  const { sent, take, assign } = stage(["", half, half, half, "", half + half + half, ""]);
  assign();
  expect(sent).toEqual(["t0,t1"]);
  await take();
  expect(sent).toEqual(["t0,t1", "t2"]);
  for (let times = 0; times < 5; times += 1) await take();
  expect(sent).toEqual(["t0,t1", "t2", "t3,t4", "t5", "t6"]);
});

test("what has not left when the session is over is left to the next one", async () => {
  const { sent, take, assign, streams } = stage([half, half, half]);
  assign();
  const next = "1.2" as SessionId;
  streams.expect(worker, next);
  streams.open(worker, next, { send: () => {}, close: () => {} });
  await take();
  expect(sent).toEqual(["t0"]);
});
