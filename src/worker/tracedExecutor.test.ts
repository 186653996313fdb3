/** What an attempt, its steps and what it makes are told of their trace, with and without anybody who collects spans. */
import { expect, test } from "vitest";
import type { TaskId } from "../model/ids.ts";
import type { Assignment, AttemptContent, AttemptEnd } from "../model/protocol.ts";
import type { SpanAbout, Tracing } from "../ports/tracing.ts";
import type { AttemptSession, Executor } from "../ports/work.ts";
import { TracedExecutor } from "./tracedExecutor.ts";

const given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const submission = { kind: "sleep", input: { seconds: 1 } } as const;

class FakeTracing implements Tracing {
  readonly begun: { name: string; parent: string | null; about: SpanAbout }[] = [];
  readonly ended: [name: string, problem: string | undefined][] = [];
  isStopped = false;

  begin(name: string, parent: string | null, about: SpanAbout) {
    this.begun.push({ name, parent, about });
    return {
      traceparent: `span ${this.begun.length}`,
      end: (problem?: string) => void this.ended.push([name, problem]),
    };
  }

  async stop(): Promise<void> {
    this.isStopped = true;
  }
}

/** Starts an attempt, which sends `contents` and ends. */
function run(
  tracing: Tracing | null,
  traceparent: string | undefined,
  contents: AttemptContent[],
  end: Partial<AttemptEnd>,
) {
  const sent: AttemptContent[] = [];
  const started: (string | undefined)[] = [];
  const executor = {
    kinds: ["traced"],
    start(assignment: Assignment, session: AttemptSession) {
      started.push(assignment.traceparent);
      for (const content of contents) void session.send(content);
      session.end({ outcome: "success", startedAt: 1, endedAt: 2, ...end });
    },
    abort: () => undefined,
    stop: async () => undefined,
  } satisfies Executor;
  const session = {
    end: () => undefined,
    send: async (content: AttemptContent) => {
      sent.push(content);
      return { verdict: "committed" };
    },
  } as unknown as AttemptSession;
  const assignment = {
    task: "t" as TaskId,
    attempt: 2,
    assignedAt: 1,
    timeoutMs: null,
    name: "n",
    kind: "traced",
    input: null,
  };
  const traced = new TracedExecutor(executor, tracing);
  traced.start({ ...assignment, ...(traceparent !== undefined && { traceparent }) }, session);
  return { started, sent, traced };
}

const children: AttemptContent = {
  ...{ kind: "children", key: "c", first: 0, submissions: [submission], before: "", isLast: true, onFailure: "wait" },
};

test("an attempt is a span of its task's trace, and what it does and makes belongs to it", async () => {
  const tracing = new FakeTracing();
  const contents: AttemptContent[] = [
    { kind: "step", key: "s", value: 1, startedAt: 500 },
    children,
    { kind: "submit", key: "k", submission },
    { kind: "progress", done: 1, at: 1 },
  ];
  const { started, sent, traced } = run(tracing, given, contents, {});
  expect(tracing.begun).toMatchObject([
    { name: "attempt traced", parent: given, about: { attributes: { "outlast.task.id": "t", "outlast.attempt": 2 } } },
    { name: "step s", parent: "span 1", about: { startAt: 500 } },
  ]);
  expect(started).toEqual(["span 1"]);
  expect(sent).toEqual([
    { kind: "step", key: "s", value: 1 },
    { ...children, traceparent: "span 1" },
    { kind: "submit", key: "k", submission, traceparent: "span 1" },
    { kind: "progress", done: 1, at: 1 },
  ]);
  expect(tracing.ended).toEqual([
    ["step s", undefined],
    ["attempt traced", undefined],
  ]);
  await traced.stop();
  expect(tracing.isStopped).toBe(true);
});

test("without a collector, children belong to the trace of their parent", () => {
  const { started, sent } = run(null, given, [children], {});
  expect(started).toEqual([given]);
  expect(sent).toEqual([{ ...children, traceparent: given }]);
});

test("a task without a trace begins one, or has none", () => {
  const tracing = new FakeTracing();
  expect(run(tracing, undefined, [], {}).started).toEqual(["span 1"]);
  expect(tracing.begun[0]?.parent).toBeNull();
  expect(run(null, undefined, [children], {})).toMatchObject({ started: [undefined], sent: [children] });
});

test.each([
  [{ outcome: "failed", error: { code: "x", message: "It broke." } }, "It broke."],
  [{ outcome: "failed", exit: { code: 3, signal: null } }, "exit code 3"],
  [{ outcome: "aborted" }, "aborted"],
  [{ outcome: "suspended" }, undefined],
] as const)("the end %o is the end of its span", (end, problem) => {
  const tracing = new FakeTracing();
  run(tracing, given, [], end);
  expect(tracing.ended).toEqual([["attempt traced", problem]]);
});
