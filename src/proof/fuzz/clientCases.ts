/** What clients do, well and badly: single calls of every operation, lives of tasks, pages, queues, streams. */
import type { Random } from "../simulation/random.ts";
import { badTexts } from "./badValues.ts";
import { fuzzQueues, fuzzTasks, submission, taskName } from "./cast.ts";
import { toJsonText } from "./jsonText.ts";
import { encode, type RequestMaker } from "./requests.ts";
import type { Header, RequestStep, Step, StreamStep } from "./steps.ts";

export interface CaseTools {
  readonly requests: RequestMaker;
  /** Unique within a run, and the same whenever the case is made anew. */
  readonly number: number;
}

const json: readonly Header[] = [["content-type", "application/json"]];

export function call(method: string, path: string, body?: unknown, more: Partial<RequestStep> = {}): RequestStep {
  const text = body === undefined ? null : [typeof body === "string" ? body : toJsonText(body)];
  return { kind: "request", method, path, headers: text === null ? [] : json, body: text, ...more };
}

export function anyCall(random: Random, { requests }: CaseTools): Step[] {
  const operation = random.pick(requests.document.operations);
  return [random.chance(0.25) ? requests.good(operation, random) : requests.bad(operation, random)];
}

/** Bodies that would be taken, were it not for one thing in them. */
export function traps(random: Random, { requests }: CaseTools): Step[] {
  const names = ["attachWorker", "attachWorker", "attachWorker", "submitTask", "submitTasks", "report", "storeLogs"];
  return Array.from({ length: 3 }, () => requests.trapped(requests.document.operation(random.pick(names)), random));
}

/** Several calls on one connection, so that a refused one would show if it spoiled the next. */
export function manyCalls(random: Random, tools: CaseTools): Step[] {
  return Array.from({ length: random.integer(2, 6) }, () => anyCall(random, tools)).flat();
}

export function taskLife(random: Random, { number }: CaseTools): Step[] {
  const id = random.pick([`f${number}`, ...fuzzTasks]);
  const body = { ...submission(random), id };
  const key: Header = ["idempotency-key", random.pick([`k${number % 20}`, "~", "x".repeat(128)])];
  const keyed = { headers: [...json, key] };
  return [
    call("POST", "/v1/tasks", body, { keep: { task: "/id" } }),
    call("POST", "/v1/tasks", body),
    call("POST", "/v1/tasks", submission(random), keyed),
    call("POST", "/v1/tasks", submission(random), keyed),
    call("POST", "/v1/tasks/batch", { tasks: [body, submission(random)] }, keyed),
    call("GET", "/v1/tasks/{{task}}"),
    call("GET", "/v1/tasks/{{task}}/logs?attempt=1"),
    call("POST", "/v1/tasks/{{task}}/cancel"),
    call("POST", "/v1/tasks/{{task}}/cancel", "{}"),
    call("GET", "/v1/tasks/{{task}}"),
  ].filter(() => random.chance(0.8));
}

export function pages(random: Random): Step[] {
  const cursors = ["{{cursor}}", "{{cursor}}x", "x{{cursor}}", "e30", "AAAA", "-1", "9".repeat(30), "=", ...badTexts];
  const filters = ["", "&state=created", "&queue=fq-1", "&name=nap", "&host=fw-1", "&state=success&queue=fq-0&host=x"];
  const page = (query: string): RequestStep =>
    call("GET", `/v1/tasks?${query}`, undefined, { keep: { cursor: "/cursor" } });
  const order = random.pick(["newest", "oldest"]);
  const filter = random.pick(filters);
  return [
    page(`limit=${random.pick([1, 2, 7])}&order=${order}${filter}`),
    page(`limit=2&order=${order}${filter}&cursor={{cursor}}`),
    // The cursor of one question in another, and one that nobody was given.
    page(`limit=1000&order=${random.pick(["newest", "oldest"])}${random.pick(filters)}&cursor={{cursor}}`),
    page(`cursor=${encode(random.pick(cursors), random)}`),
    page(`state=${random.pick(["created,", "Created", "created,nothing", "%20created", "created%00"])}`),
    page(`limit=${random.pick(["0", "1001", "1e9", "-1", "1.5", "%31", "１"])}`),
  ];
}

export function queues(random: Random): Step[] {
  const name = random.pick(fuzzQueues);
  return [
    call("POST", `/v1/queues/${name}/${random.pick(["pause", "resume"])}`),
    call("POST", "/v1/tasks", { ...submission(random), queue: name }),
    call("GET", "/v1/queues"),
    call("POST", `/v1/queues/${encode(random.pick(badTexts), random)}/pause`),
    call("POST", `/v1/queues/${name}/resume`, random.pick(["{}", '{"isPaused":false}', "[]"])),
  ];
}

function streamPath(random: Random): { readonly path: string; readonly headers: readonly Header[] } {
  const after = random.pick(["", "?after=0", "?after=0", "?after=1", "?after=9007199254740991", "?after=x"]);
  const seen = random.pick(["0", "1", "5", "99999999", "9".repeat(16), "9".repeat(17), "1:1", "x"]);
  const offset = random.pick(["", "&offset=1", "&offset=9007199254740991", "&attempt=1", "&attempt=0", "&attempt=9"]);
  return random.pick([
    { path: `/v1/events${after}`, headers: random.chance(0.5) ? [["last-event-id", seen] as const] : [] },
    { path: `/v1/tasks/${taskName(random)}/logs?follow=true${offset}`, headers: [] },
    {
      path: `/v1/tasks/${taskName(random)}/logs?follow=true`,
      headers: [["last-event-id", `${seen}:${seen}`] as const],
    },
    { path: "/healthz/lifeline", headers: [] },
  ]);
}

/** Streams that are opened together, read well, slowly or not at all, and left in the middle. */
export function streams(random: Random): Step[] {
  const opened = Array.from({ length: random.integer(1, 6) }, (_, index): StreamStep => {
    const reader = random.pick(["fast", "slow", "never"] as const);
    return { kind: "stream", name: `s${index}`, reader, ...streamPath(random) };
  });
  const between: Step[] = [
    call("POST", "/v1/tasks", submission(random)),
    { kind: "pause", ms: random.pick([0, 5, 50]) },
  ];
  const closed = opened.map(({ name }): Step => ({ kind: "close", name, how: random.pick(["close", "reset"]) }));
  return [...opened, ...between, ...closed];
}

/** Whoever lacks the token gets nothing but the word that one is needed. Without a token in use these are calls like others. */
export function strangers(random: Random, { requests }: CaseTools): Step[] {
  const operation = random.pick(requests.document.operations);
  const good = requests.good(operation, random);
  const credentials = ["", "Bearer", "Bearer ", "Bearer wrong", "Basic Og==", "Bearer a, Bearer b"];
  const authorization: Header = ["authorization", random.pick(credentials)];
  const isStranger = !operation.isPublic;
  return [{ ...good, headers: [...good.headers, authorization], isStranger }];
}
