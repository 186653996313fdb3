/** What workers do, well and badly: whole sessions, and every kind of forgery that does not amount to being the worker. */
import type { Random } from "../simulation/random.ts";
import {
  attachBody,
  attemptOf,
  forgedSession,
  fuzzBoots,
  fuzzWorkers,
  logPiece,
  reportBody,
  resultItem,
  submission,
  workerName,
} from "./cast.ts";
import { type CaseTools, call } from "./clientCases.ts";
import { RawText } from "./jsonText.ts";
import type { RequestStep, Step } from "./steps.ts";

const keep = { session: "/session", epoch: "/epoch", incarnation: "/incarnation" };
const assignedAt = new RawText("{{assignedAt}}");
const current = { task: "{{assignedTask}}", attempt: new RawText("{{assignedAttempt}}"), assignedAt };

function attach(worker: string, body: object): RequestStep {
  return call("POST", `/v1/workers/${worker}/sessions`, body, { keep });
}

function report(worker: string, body: object): RequestStep {
  return call("POST", `/v1/workers/${worker}/reports`, body);
}

function logs(worker: string, session: string, chunks: readonly unknown[]): RequestStep {
  return call("POST", `/v1/workers/${worker}/logs`, { session, chunks });
}

/** A worker with a queue of its own takes a task from its assignment to its end, with everything told twice and out of order. */
export function session(random: Random, { number }: CaseTools): Step[] {
  const worker = random.pick([`fw-${number}`, ...fuzzWorkers]);
  const boot = random.pick(fuzzBoots);
  const queue = random.pick(["fq-0", "fq-1"]);
  const started = { kind: "started", ...current, startedAt: 1 };
  const result = resultItem(random, { ...current, boot });
  const talk: Step[] = [
    report(worker, reportBody(random, [])),
    report(worker, reportBody(random, random.chance(0.5) ? [started, result] : [result, started])),
    report(worker, reportBody(random, [result, resultItem(random), result])),
    report(worker, reportBody(random, [resultItem(random, { ...current, attempt: random.pick([2, 99_999]) })])),
    logs(worker, "{{session}}", [logPiece(random, { ...current, offset: 0 }), logPiece(random), logPiece(random)]),
    logs(worker, forgedSession(random), [logPiece(random)]),
    report(worker, reportBody(random, [{ kind: "draining" }])),
  ];
  const end: Step[] = random.pick<Step[]>([
    [report(worker, reportBody(random, [{ kind: "bye" }]))],
    [{ kind: "close", name: "stream", how: "close" }],
    [{ kind: "close", name: "stream", how: "reset" }],
    [attach(worker, attachBody(random, { boot: `${boot}x`, queues: [queue] }))],
    [],
  ]);
  return [
    call("POST", "/v1/tasks", { ...submission(random), id: `fs${number}`, queue, startAt: 0, priority: 1000 }),
    attach(
      worker,
      attachBody(random, { boot, queues: [queue], running: [], outbox: [], isDraining: false, epochMax: 0 }),
    ),
    {
      kind: "stream",
      name: "stream",
      path: `/v1/workers/${worker}/stream?session={{session}}`,
      headers: [],
      reader: "fast",
    },
    { kind: "await", name: "stream", text: '"assign"' },
    ...talk.filter(() => random.chance(0.7)),
    ...end,
  ];
}

/** Output of more than one page, in the largest pieces there may be, is followed to its end by a reader who reads. */
export function longLog(random: Random, { number }: CaseTools): Step[] {
  const [worker, task, boot] = [`fl-${number}`, `fl${number}`, "fb-0"];
  const queue = random.pick(["fq-2", "fq-3"]);
  const own = { task, attempt: 1, assignedAt };
  const piece = Buffer.alloc(65_536, random.pick(["a", "\u0000", "\n", "ü"]));
  const chunks = Array.from({ length: random.integer(15, 24) }, (_, index) => ({
    ...own,
    ...{ offset: index * piece.length, at: 1, base64: piece.toString("base64"), isTruncated: false },
  }));
  const logBytes = chunks.length * piece.length;
  const result = { ...own, boot, kind: "result", outcome: "success", startedAt: 1, endedAt: 2, logBytes };
  const posts: Step[] = [];
  for (let from = 0; from < chunks.length; from += 8) {
    posts.push(logs(worker, "{{session}}", chunks.slice(from, from + 8)));
  }
  return [
    attach(
      worker,
      attachBody(random, {
        boot,
        queues: [`fx-${number % 50}`],
        capacity: 1,
        running: [],
        outbox: [],
        isDraining: false,
        epochMax: 0,
        relay: true,
      }),
    ),
    {
      kind: "stream",
      name: "stream",
      path: `/v1/workers/${worker}/stream?session={{session}}`,
      headers: [],
      reader: "fast",
    },
    call("POST", "/v1/tasks", {
      kind: "sleep",
      input: { seconds: 1 },
      id: task,
      queue: `fx-${number % 50}`,
      name: queue,
    }),
    { kind: "await", name: "stream", text: '"assign"' },
    ...posts,
    report(worker, reportBody(random, [result])),
    { kind: "stream", name: "log", path: `/v1/tasks/${task}/logs?follow=true`, headers: [], reader: "fast" },
    { kind: "await", name: "log", text: "event: end", isNeeded: true },
    report(worker, reportBody(random, [{ kind: "bye" }])),
  ];
}

/** Sessions, epochs, attempts and names that are not one's own. */
export function forgery(random: Random): Step[] {
  const worker = random.pick(["{{honestWorker}}", ...fuzzWorkers]);
  const item = resultItem(random, { task: "{{honestTask}}", attempt: 1 });
  const epochs = ["0", "-1", "1", "2", "99999", "9007199254740991", "9007199254740992", "1e3", "1.5", "null", '"1"'];
  const withEpoch = { ...reportBody(random, [item], forgedSession(random)), epoch: new RawText(random.pick(epochs)) };
  const attempts = ["0", "-1", "1", "99999", "9007199254740991", "9007199254740992", "1.5", "null", '"1"'];
  const forged = resultItem(random, { task: "{{honestTask}}", attempt: new RawText(random.pick(attempts)) });
  return random.pick<Step[]>([
    [report(worker, withEpoch)],
    [report(worker, reportBody(random, [forged], forgedSession(random)))],
    [report(worker, reportBody(random, [{ kind: random.pick(["bye", "draining"]) }], forgedSession(random)))],
    // A session of one's own, and another's attempts.
    [
      attach("fw-0", attachBody(random, { boot: "fb-0", capacity: 5 })),
      report("fw-0", reportBody(random, [item, forged, { ...item, boot: "fb-0" }, item])),
      logs("fw-0", "{{session}}", [
        logPiece(random, { task: "{{honestTask}}", attempt: 1, offset: random.pick([0, 6, 3]) }),
      ]),
      report("fw-0", { ...reportBody(random, []), epoch: new RawText(random.pick(epochs)) }),
    ],
    [logs(worker, forgedSession(random), [logPiece(random, { task: "{{honestTask}}", attempt: 1 })])],
    // A name that somebody else has.
    [attach("{{honestWorker}}", attachBody(random, { boot: random.pick(fuzzBoots) }))],
    [
      {
        kind: "stream",
        name: "stolen",
        path: `/v1/workers/${worker}/stream?session=${encodeURIComponent(forgedSession(random))}`,
        headers: [],
        reader: random.pick(["fast", "never"]),
      },
      { kind: "pause", ms: 20 },
    ],
    [call("POST", `/v1/workers/${workerName(random)}/exits`, { boot: random.pick(fuzzBoots) })],
    [call("POST", "/v1/workers/{{honestWorker}}/exits", { boot: random.pick(fuzzBoots) })],
  ]);
}

/** More workers, more running attempts, more slots than anybody has. */
export function extremes(random: Random, { number }: CaseTools): Step[] {
  const worker = `fe-${number % 40}`;
  const running = (length: number) =>
    Array.from({ length }, (_, index) => ({ task: `r${index}`, attempt: 1, assignedAt: 1, startedAt: 1 }));
  return random.pick<() => Step[]>([
    () => [attach(worker, attachBody(random, { capacity: random.pick([10_000, 10_001, 0, -5, 1_000_000_000]) }))],
    () => [
      attach(worker, attachBody(random, { running: running(random.pick([1000, 9999, 10_000])), boot: "fb-0" })),
      report(
        worker,
        reportBody(
          random,
          running(2000).map((each) => resultItem(random, { ...each, boot: "fb-0" })),
        ),
      ),
    ],
    () => [
      attach(
        worker,
        attachBody(random, { running: Array.from({ length: 500 }, () => ({ ...attemptOf(random), startedAt: 1 })) }),
      ),
    ],
    () => [
      attach(worker, attachBody(random, { queues: Array.from({ length: random.pick([0, 100, 101]) }, () => "fq-0") })),
    ],
    () => [attach(worker, attachBody(random, { outbox: running(5000) }))],
    () => [
      attach(worker, attachBody(random)),
      report(
        worker,
        reportBody(
          random,
          Array.from({ length: random.pick([5000, 5001]) }, () => ({ kind: "draining" })),
        ),
      ),
    ],
    // Attached again and again, without a stream ever.
    () => Array.from({ length: 10 }, (_, index) => attach(worker, attachBody(random, { boot: `fb-${index % 3}` }))),
  ])();
}
