/**
 * A process that runs handlers: a child of the worker, which runs no user code itself. Takes the task files (JSON) as its argument,
 * loads them, and then runs one attempt after another. What goes wrong in it costs the attempt and this process, nothing else.
 */
import { readFileSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { format } from "node:util";
import { getHeapStatistics } from "node:v8";
import type { ItemAnswer } from "../model/protocol.ts";
import type { FromRunner, HandlerEnding, HandlerStart, Reuse, RunnerMessage, ToRunner } from "../ports/runner.ts";
import type { AnyTaskDefinition } from "../sdk/handler/definition.ts";
import { HandlerRun } from "../sdk/handler/handlerRun.ts";
import type { HandlerPort } from "../sdk/handler/port.ts";
import { useOwnSdkIfNoneIsInstalled } from "./sdkResolution.ts";
import { loadTasks, type TaskFile } from "./taskFiles.ts";

// Kept here: a handler may replace what it finds on `process`.
const sendRaw = process.send?.bind(process);
const { stdout, stderr } = process;

/** Long after a start that somebody waits for. */
const cacheAfterMs = 500;

let definitions: ReadonlyMap<string, AnyTaskDefinition> = new Map();
let current: HandlerRun | null = null;
/** An error came up that no handler caught: nobody knows what state this process is in. */
let hasStrayed = false;
/** What keeps the event loop alive while no attempt runs. */
let idleResources: readonly string[] = [];
let lastTicket = 0;
const waiting = new Map<number, (answer: never) => void>();

function send(message: FromRunner): void {
  sendRaw?.({ outlast: message } satisfies RunnerMessage);
}

function request<Answer>(message: (ticket: number) => FromRunner): Promise<Answer> {
  lastTicket += 1;
  const ticket = lastTicket;
  return new Promise<Answer>((resolve) => {
    waiting.set(ticket, resolve);
    send(message(ticket));
  });
}

const port: HandlerPort = {
  send: (content) => request<ItemAnswer>((ticket) => ({ kind: "send", ticket, content })),
  tell: (content) => send({ kind: "tell", content }),
  files: (asked) => request((ticket) => ({ kind: "files", ticket, asked })),
  readChildren: (key, from) => request((ticket) => ({ kind: "read", ticket, key, from })),
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
  log: (text) => void stderr.write(`${text}\n`),
  // The channel keeps the event loop alive only while an answer is due. When nothing else does, `beforeExit` says so.
  onBusy: (isBusy) => (isBusy ? process.channel?.ref() : process.channel?.unref()),
};

async function start(attempt: HandlerStart): Promise<void> {
  const definition = definitions.get(attempt.kind);
  if (definition === undefined) {
    const error = { code: "unsupported", message: `This worker has no handler "${attempt.kind}".` };
    return finish({ outcome: "aborted", error }, null);
  }
  const run = new HandlerRun(definition, attempt, port);
  current = run;
  process.channel?.unref();
  run.run();
  const end = await run.ended;
  current = null;
  process.channel?.ref();
  waiting.clear();
  await flushed();
  finish(end, run);
}

function finish(end: HandlerEnding, run: HandlerRun | null): void {
  const obstacle = hasStrayed
    ? "an error that nobody caught"
    : run?.isLeftRunning === true
      ? "a step that still runs"
      : whatIsLeft();
  const reuse: Reuse = { obstacle, heapBytes: getHeapStatistics().used_heap_size };
  send({ kind: "end", end, reuse });
}

/** What the attempt left open; null if nothing. */
function whatIsLeft(): string | null {
  const before = [...idleResources];
  for (const resource of process.getActiveResourcesInfo()) {
    const index = before.indexOf(resource);
    if (index === -1) return `an open ${resource}`;
    before.splice(index, 1);
  }
  return hasChildren() ? "a child process" : null;
}

/** Also those that do not keep the event loop alive. False where the kernel does not tell. */
function hasChildren(): boolean {
  try {
    return readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim() !== "";
  } catch {
    return false;
  }
}

/** Resolves when all that was written is in the pipes: the worker reads them to the end before it reports the attempt's end. */
async function flushed(): Promise<void> {
  for (const stream of [stdout, stderr]) {
    if (stream.writableLength > 0) await new Promise<void>((resolve) => void stream.write("", () => resolve()));
  }
}

function take(message: ToRunner): void {
  switch (message.kind) {
    case "start":
      void start(message.attempt);
      return;
    case "answer":
      return answer(message.ticket, message.answer);
    case "page":
      return answer(message.ticket, message.page);
    case "files":
      return answer(message.ticket, message.files);
    case "abort":
      current?.abort(message.reason);
      return;
    default:
      message satisfies never;
  }
}

function answer(ticket: number, value: unknown): void {
  waiting.get(ticket)?.(value as never);
  waiting.delete(ticket);
}

/** What no `await` of the handler sees still belongs to its attempt; without one, this process is of no use. */
function onStray(code: string, what: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : format(error);
  stderr.write(`${what}: ${text}\n`);
  hasStrayed = true;
  if (current === null) process.exit(1);
  const reason = error instanceof Error ? error.message : format(error);
  current.fail(code, `${what}: ${reason}`);
}

async function main(): Promise<void> {
  const files = JSON.parse(process.argv[2] ?? "[]") as TaskFile[];
  useOwnSdkIfNoneIsInstalled();
  process.on("uncaughtException", (error, origin) => {
    if (origin === "unhandledRejection")
      onStray("unhandled-rejection", "A promise was rejected and nobody handled it", error);
    else onStray("uncaught-exception", "An error was thrown outside of the handler's promises", error);
  });
  // Without its worker it has nobody to run for.
  process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
  process.on("beforeExit", () => {
    process.channel?.ref();
    current?.settle();
    if (current !== null) process.channel?.unref();
  });
  const loaded = await loadTasks(files);
  if (loaded.problems.length > 0) return send({ kind: "unloadable", problems: loaded.problems });
  ({ definitions } = loaded);
  process.on("message", take);
  idleResources = process.getActiveResourcesInfo();
  const handlers = [...definitions.values()].map(({ name, runner }) => ({ name, runner }));
  send({ kind: "loaded", handlers });
  // Compiled code is kept for the next process now, since this one will be killed.
  setTimeout(flushCompileCache, cacheAfterMs).unref();
}

await main();
