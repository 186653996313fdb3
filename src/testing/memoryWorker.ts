/** A worker without a machine: it runs handlers in this process, keeps its results in memory, and can be killed at any point. */

import type { MasterService } from "../master/service/masterService.ts";
import type { TaskId, WorkerId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import type { Assignment, AttemptContent, AttemptEnd, AttemptRef, ResultItem } from "../model/protocol.ts";
import { LinkError, type MasterLink, type StreamHandlers } from "../ports/transport.ts";
import type { AttemptSession, Executor, LogSpool, Outbox } from "../ports/work.ts";
import type { AnyTaskDefinition } from "../sdk/handler/definition.ts";
import { toFailure } from "../sdk/handler/errors.ts";
import { HandlerRun } from "../sdk/handler/handlerRun.ts";
import { toJson } from "../sdk/handler/jsonValue.ts";
import type { HandlerEnd, HandlerPort } from "../sdk/handler/port.ts";
import { AttemptFiles, type FilesMachine } from "../worker/runners/attemptFiles.ts";
import { readStart } from "../worker/runners/attemptStart.ts";

/** A point of a handler's run at which its worker, or the leader, may die. */
export interface Boundary {
  readonly task: TaskId;
  /** `before step "charge"`, `after children "parts"`, `before the end`. */
  readonly what: string;
  /** The number of the worker that has reached it. */
  readonly worker: number;
  /** True where work has been done and nobody knows of it yet: a worker that dies here does it again. */
  readonly isUncommitted: boolean;
}

/** Does the work of a kind that is no handler, and gives its output. */
export type RunStub = (input: Json, task: { readonly id: TaskId; readonly attempt: number }) => unknown;

/** Called at each boundary; the handler goes on when it resolves. */
export type OnBoundary = (boundary: Omit<Boundary, "worker">) => Promise<void>;

/** A link that calls the master that leads, as long as its worker lives. */
export function linkTo(leader: () => MasterService | null, isAlive: () => boolean): MasterLink {
  const call = async <Answer>(ask: (master: MasterService) => Promise<Answer>): Promise<Answer> => {
    const master = isAlive() ? leader() : null;
    if (master === null) throw new LinkError("unreachable", "No master leads.");
    const answer = await ask(master);
    if (!isAlive() || leader() !== master) throw new LinkError("unreachable", "The connection is gone.");
    // As on the wire: nobody shares an object with anybody.
    return structuredClone(answer);
  };
  return {
    attach: (worker, request) => call((master) => master.attach(worker, structuredClone(request), "127.0.0.1")),
    report: (worker, request) => call((master) => master.report(worker, structuredClone(request))),
    sendLogs: (worker, session, chunks) => call((master) => master.storeLogs(worker, session, chunks)),
    readSteps: (worker, request) => call((master) => master.readSteps(worker, structuredClone(request))),
    readChildren: (worker, request) => call((master) => master.readChildren(worker, structuredClone(request))),
    openStream(worker, session, handlers: StreamHandlers) {
      const master = leader();
      let isOpen = true;
      const close = () => {
        if (!isOpen) return;
        isOpen = false;
        closed();
        handlers.onClose("closed");
      };
      const send = (message: Parameters<StreamHandlers["onMessage"]>[0]) => {
        if (isOpen && isAlive()) handlers.onMessage(structuredClone(message));
      };
      const closed = master?.openStream(worker, session, { send, close }) ?? (() => undefined);
      return { close };
    },
  };
}

export class HandlerExecutor implements Executor {
  readonly kinds: readonly string[];
  readonly #machine: FilesMachine;
  readonly #definitions: ReadonlyMap<string, AnyTaskDefinition>;
  readonly #stubs: { readonly [kind: string]: RunStub };
  readonly #onBoundary: OnBoundary;
  readonly #onLog: (task: TaskId, text: string) => void;
  readonly #runs = new Map<string, { run: HandlerRun | null; end(end: AttemptEnd): void }>();
  #stubsRunning = 0;
  isDead = false;

  constructor(
    machine: FilesMachine,
    definitions: ReadonlyMap<string, AnyTaskDefinition>,
    stubs: { readonly [kind: string]: RunStub },
    onBoundary: OnBoundary,
    onLog: (task: TaskId, text: string) => void,
  ) {
    this.#machine = machine;
    this.#definitions = definitions;
    this.#stubs = stubs;
    this.kinds = [...definitions.keys(), ...Object.keys(stubs), "sleep"];
    this.#onBoundary = onBoundary;
    this.#onLog = onLog;
  }

  /** True while a handler, or what stands in for a kind, does something that this process cannot see the end of. */
  get isBusy(): boolean {
    return this.#stubsRunning > 0 || [...this.#runs.values()].some(({ run }) => run !== null && !run.isWaiting);
  }

  start(assignment: Assignment, session: AttemptSession): void {
    const startedAt = this.#machine.clock.now();
    const key = `${assignment.task}/${assignment.attempt}`;
    const end = (ended: Omit<AttemptEnd, "startedAt" | "endedAt">) => {
      if (!this.#runs.delete(key) || this.isDead) return;
      session.end({ ...ended, startedAt, endedAt: this.#machine.clock.now() });
    };
    this.#runs.set(key, { run: null, end });
    void this.#run(assignment, session, key).then((ended) => {
      if (ended !== null) end(ended);
    });
  }

  abort({ task, attempt }: AttemptRef): void {
    const running = this.#runs.get(`${task}/${attempt}`);
    running?.run?.abort("The attempt is aborted.");
    running?.end({ outcome: "aborted", startedAt: 0, endedAt: 0 });
  }

  async stop(): Promise<void> {
    this.isDead = true;
    this.#runs.clear();
  }

  async #run(assignment: Assignment, session: AttemptSession, key: string) {
    const { task, kind, input } = assignment;
    if (kind === "sleep") {
      const { seconds } = input as { seconds: number };
      await new Promise<void>(
        (resolve) => void this.#machine.clock.at(this.#machine.clock.now() + seconds * 1000, resolve),
      );
      return { outcome: "success" } as const;
    }
    const stub = this.#stubs[kind];
    if (stub !== undefined) return this.#runStub(assignment, stub);
    const start = await readStart(assignment, session, this.#machine.clock.now());
    const definition = this.#definitions.get(kind);
    const running = this.#runs.get(key);
    if (start === null || definition === undefined || running === undefined) return null;
    const port = this.#portOver(task, session);
    const files = new AttemptFiles(this.#machine, port);
    const run: HandlerRun = new HandlerRun(definition, start, {
      ...port,
      files: (asked) => files.answerWhileRunning(asked),
      onWaiting: () => this.#settle(run),
    });
    running.run = run;
    run.run();
    const ended = await run.ended;
    await files.end();
    running.run = null;
    await this.#pass(task, `before the ${ended.outcome === "suspended" ? "suspension" : "end"}`);
    return ended;
  }

  async #runStub({ task, attempt, kind, input }: Assignment, stub: RunStub): Promise<HandlerEnd> {
    await this.#pass(task, `before the work of ${kind}`);
    this.#stubsRunning += 1;
    const end = await Promise.resolve()
      .then(() => stub(input, { id: task, attempt }))
      .then(
        (output) => ({ outcome: "success", output: toJson(output, `The output of ${kind}`) }) as const,
        (error: unknown) => ({ outcome: "failed", ...toFailure(error) }) as const,
      );
    this.#stubsRunning -= 1;
    await this.#pass(task, `after the work of ${kind}`, true);
    return end;
  }

  #portOver(task: TaskId, session: AttemptSession): HandlerPort {
    return {
      send: async (content) => {
        await this.#pass(task, `before ${describe(content)}`, content.kind === "step");
        const answer = await session.send(content);
        await this.#pass(task, `after ${describe(content)}`);
        return answer;
      },
      tell: () => undefined,
      readChildren: (key, from) => session.readChildren(key, from),
      now: () => this.#machine.clock.now(),
      after: (ms, callback) => {
        const timer = this.#machine.clock.at(this.#machine.clock.now() + ms, callback);
        return () => timer.cancel();
      },
      log: (text) => this.#onLog(task, text),
    };
  }

  /** A dead worker's handler comes to its next boundary and no further. */
  async #pass(task: TaskId, what: string, isUncommitted = false): Promise<void> {
    if (!this.isDead) await this.#onBoundary({ task, what, isUncommitted });
    if (this.isDead) await new Promise(() => undefined);
  }

  #settle(run: HandlerRun): void {
    setImmediate(() => setImmediate(() => setImmediate(() => run.isWaiting && run.settle())));
  }
}

function describe(content: AttemptContent): string {
  return "key" in content ? `${content.kind} "${content.key}"` : content.kind;
}

export class MemoryOutbox implements Outbox {
  readonly #results = new Map<string, ResultItem>();

  async open() {
    return { results: [...this.#results.values()], epochMax: 0, incarnation: null };
  }

  async put(results: readonly ResultItem[]): Promise<void> {
    for (const result of results) this.#results.set(`${result.task}/${result.attempt}`, result);
  }

  async remove(attempts: readonly AttemptRef[]): Promise<void> {
    for (const { task, attempt } of attempts) this.#results.delete(`${task}/${attempt}`);
  }

  async saveEpoch(): Promise<void> {}
  async close(): Promise<void> {}
}

/** Handlers in a test write to the test's own output. */
export const noSpool: LogSpool = {
  write: () => undefined,
  take: () => [],
  stored: () => {},
  end: () => 0,
  close: () => true,
};

export function workerName(number: number): WorkerId {
  return `worker-${number}` as WorkerId;
}

/** Where tasks of these definitions are, unless a submission says otherwise. */
export function queuesOf(definitions: Iterable<AnyTaskDefinition>): readonly string[] {
  return [...new Set(["default", ...Array.from(definitions, ({ queue }) => queue ?? "default")])];
}
