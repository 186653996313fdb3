/** A cluster in the process of a test: real masters and workers over the memory store and a virtual clock, without ports. */
import { Readable } from "node:stream";
import { Master } from "../master/master.ts";
import type { BulkAnswer, BulkRequest } from "../master/service/bulkApi.ts";
import type { MasterService } from "../master/service/masterService.ts";
import { sha256Of, toBlobReference } from "../model/blob.ts";
import { parseDuration } from "../model/durationText.ts";
import { OutlastError } from "../model/errors.ts";
import type { PendingSignal } from "../model/family.ts";
import type { BootId, TaskId } from "../model/ids.ts";
import type { Json } from "../model/json.ts";
import { limits } from "../model/limits.ts";
import type { Submission } from "../model/submission.ts";
import { isFinal, type TaskDocument } from "../model/task.ts";
import { SystemIds } from "../node/ids.ts";
import type { Log } from "../ports/log.ts";
import { type ChildCall, toSubmission } from "../sdk/handler/call.ts";
import type { Duration } from "../sdk/handler/context.ts";
import { type AnyTaskDefinition, isDefinition } from "../sdk/handler/definition.ts";
import { MemoryStore } from "../stores/memory/store.ts";
import { Worker } from "../worker/worker.ts";
import {
  type Boundary,
  HandlerExecutor,
  linkTo,
  MemoryOutbox,
  noSpool,
  type OnBoundary,
  queuesOf,
  type RunStub,
  workerName,
} from "./memoryWorker.ts";
import { TestFiles } from "./testFiles.ts";
import { rest, VirtualClock } from "./virtualClock.ts";
import { describeWaits, isMoving, nextDueAt } from "./waiting.ts";

/**
 * Stands in for a kind that is no handler, such as `exec` or `http`: takes the input of a task and gives its output, a JSON value
 * or nothing. What it throws fails the attempt; a `NonRetryableError` fails the task.
 */
export type Stub = (
  // Each kind has an input of its own.
  // oxlint-disable-next-line typescript/no-explicit-any
  input: any,
  task: { readonly id: string; readonly attempt: number },
  cluster: TestCluster,
) => unknown;

export interface TestClusterOptions {
  /** Definitions, or a module that exports them: `import * as tasks from "./tasks.ts"`. */
  readonly tasks: Iterable<AnyTaskDefinition> | { readonly [name: string]: unknown };
  /** 1 if left out. */
  readonly workers?: number;
  /** Attempts that each worker runs at a time; 4 if left out. */
  readonly capacity?: number;
  /** The queues that the workers serve; `default` and those of the definitions if left out. */
  readonly queues?: readonly string[];
  /** What tasks may require of a worker; none if left out. */
  readonly labels?: readonly string[];
  /** What stands in for kinds that are not handlers, by kind: `{ exec: ({ command }) => … }`. A task of another kind finds no worker. */
  readonly stubs?: { readonly [kind: string]: Stub };
  /** Called at each boundary of a handler's run: before and after each of its steps, children, submissions and ends. */
  readonly onBoundary?: (boundary: Boundary, cluster: TestCluster) => void | Promise<void>;
}

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
/** Real time that a handler may spend on something that the cluster cannot see, such as a file. */
const realMsMax = 20_000;
/** So often nothing moves before a wait is said to be endless; each round lets a timer pass. */
const idleRoundsMax = 200;
/** What is due at the end of an `advance` has so much more virtual time to come to rest. */
const settleMs = 1_000;
/** Virtual time that is passed through timer by timer; a longer way is jumped over. */
const exactMs = 3_000;

interface LivingWorker {
  readonly worker: Worker;
  readonly executor: HandlerExecutor;
}

export class TestCluster {
  readonly clock = new VirtualClock();
  /** What `effect` has recorded, in order. */
  readonly effects: string[] = [];
  /** Lines that handlers wrote with `ctx.log`, with their task's id. */
  readonly lines: { readonly task: string; readonly text: string }[] = [];
  readonly #options: TestClusterOptions;
  readonly #definitions: ReadonlyMap<string, AnyTaskDefinition>;
  readonly #ids = new SystemIds();
  readonly #store = new MemoryStore({ ids: new SystemIds() });
  readonly #workers = new Map<number, LivingWorker>();
  readonly #files = new TestFiles(() => this.#leader());
  #master: Master | null = null;
  #boots = 0;
  #masters = 0;

  constructor(options: TestClusterOptions) {
    this.#options = options;
    const { tasks } = options;
    const all: readonly unknown[] = Symbol.iterator in tasks ? [...tasks] : Object.values(tasks);
    const definitions = all.filter(isDefinition);
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]));
    const both = Object.keys(options.stubs ?? {}).find((kind) => kind === "sleep" || this.#definitions.has(kind));
    if (both !== undefined) throw new Error(`Nothing can stand in for "${both}": the cluster runs that kind itself.`);
  }

  /** Call it once, before anything else; `testCluster` has. */
  async start(): Promise<void> {
    await this.#startMaster();
    for (let number = 1; number <= (this.#options.workers ?? 1); number += 1) await this.startWorker(number);
  }

  /** Creates a task. @returns its id */
  async submit(task: ChildCall): Promise<string> {
    const submission: Submission = await toSubmission(task);
    const made = await this.#ask((leader) => leader.submit([structuredClone(submission)], this.#ids.random()));
    return made[0]?.id ?? "";
  }

  async get(id: string): Promise<TaskDocument> {
    const task = await this.#ask((leader) => leader.readTask(id as TaskId));
    if (task === null) throw new Error(`There is no task ${id}.`);
    return task;
  }

  /** Every task, the oldest first. */
  async tasks(): Promise<readonly TaskDocument[]> {
    const { tasks } = await this.#settled(
      this.#store.listTasks({ order: "oldest", limit: limits.pageMax, cursor: null }),
    );
    return tasks;
  }

  /** Keeps a file for tasks to read. @returns its reference, `sha256:` and 64 hex digits, as an input takes it */
  async addFile(content: string | Uint8Array): Promise<string> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    return toBlobReference((await this.#ask((leader) => leader.blobs.put(Readable.from([bytes])))).sha256);
  }

  /** What a reference stands for, such as that of an artifact. @throws OutlastError `not-found` */
  async readFile(reference: string): Promise<Buffer> {
    const sha256 = sha256Of(reference);
    if (sha256 === null) throw new OutlastError("invalid", `${JSON.stringify(reference)} is no reference to a file.`);
    const { content } = await this.#ask((leader) => leader.blobs.read(sha256));
    return Buffer.concat(await Array.fromAsync(content));
  }

  /** The artifacts of a task that has succeeded; `size` in bytes. */
  async artifacts(
    id: string,
  ): Promise<readonly { readonly path: string; readonly blob: string; readonly size: number }[]> {
    const records = await this.#ask((leader) => leader.views.artifacts(id as TaskId));
    return records.map(({ path, sha256, size }) => ({ path, blob: toBlobReference(sha256), size }));
  }

  async signal(id: string, name: string, payload: Json = null): Promise<void> {
    const signal: PendingSignal = { id: this.#ids.random(), name, payload };
    await this.#ask((leader) => leader.signal(id as TaskId, signal));
  }

  async cancel(id: string): Promise<void> {
    await this.#ask((leader) => leader.cancel(id as TaskId));
  }

  /** Opens a task again that has failed or was cancelled. @returns how many tasks of its family are open again */
  async retry(id: string, options: { readonly fromScratch?: boolean } = {}): Promise<number> {
    const { attempt } = await this.get(id);
    const how = { attempt, isFromScratch: options.fromScratch === true };
    return this.#ask((leader) => leader.retry(id as TaskId, how));
  }

  /** Retries all tasks that match, as `outlast retry --state …` does: the failed ones, unless `states` names others. */
  async retryAll(filter: BulkRequest["filter"], isDryRun = false): Promise<Pick<BulkAnswer, "tasks" | "refused">> {
    const all: BulkAnswer[] = [];
    for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
      const request = { filter, cursor, limit: limits.bulkPageMax, isDryRun };
      const part: BulkAnswer = await this.#ask((leader) => leader.bulk.run("retry", request));
      all.push(part);
      ({ cursor } = part);
    }
    return { tasks: all.flatMap(({ tasks }) => tasks), refused: all.flatMap(({ refused }) => refused) };
  }

  /** Lets this much time pass. Long sleeps end in the order in which they are due. */
  async advance(duration: Duration): Promise<void> {
    const endAt = this.clock.now() + (typeof duration === "string" ? parseDuration(duration) : duration);
    await this.#rest();
    while (this.clock.now() < endAt) await this.#pass(endAt);
    // What was due at the end needs a moment to be given to a worker and to be reported.
    const restAt = endAt + settleMs;
    while (this.clock.now() < restAt && (await this.tasks()).some(isMoving)) await this.#pass(restAt);
  }

  /**
   * Lets time pass until the task has ended, and gives it. Sleeps, back-offs and time-outs are passed through.
   * @throws Error if the task waits for a signal, for a worker that can run it, or for anything else that time does not bring
   */
  async ended(id: string): Promise<TaskDocument> {
    let idleRounds = 0;
    let before = "";
    for (;;) {
      await this.#rest();
      const tasks = await this.tasks();
      const task = tasks.find((each) => each.id === id);
      if (task === undefined) throw new Error(`There is no task ${id}.`);
      if (isFinal(task.state)) return task;
      const dueAt = nextDueAt(tasks, this.clock.now());
      // A commit may be under way, or a worker has yet to be given up.
      const states = tasks.map((each) => `${each.id} ${each.state} ${each.attempt}`).join("\n");
      const hasChanged = states !== before;
      before = states;
      const isGoingOn = tasks.some((each) => isMoving(each) && (each.state !== "created" || hasChanged));
      idleRounds = dueAt === null && !isGoingOn ? idleRounds + 1 : 0;
      if (idleRounds > idleRoundsMax) {
        const stuck = tasks.find(({ state }) => state === "created");
        const why =
          stuck === undefined ? "" : ` Task ${stuck.id}: ${(await this.get(stuck.id)).waiting?.detail ?? ""}.`;
        throw new Error(`Task ${id} waits for ${describeWaits(task)}, which time does not bring.${why}`);
      }
      await this.#pass(dueAt ?? this.clock.now() + exactMs);
    }
  }

  /** The output of a task that must succeed. @throws Error if it fails or is cancelled */
  async result(id: string): Promise<Json> {
    const task = await this.ended(id);
    if (task.state === "success") return task.output ?? null;
    throw new Error(`Task ${id} was ${task.state}: ${task.error?.message ?? "no reason is known"}`);
  }

  /** Stands for an effect on the outside world: records that it happened. */
  effect(key: string): void {
    this.effects.push(key);
  }

  /** Kills a worker with all that it runs, as SIGKILL does, and starts it again. */
  async restartWorker(number = 1): Promise<void> {
    await this.killWorker(number);
    await this.startWorker(number);
  }

  async killWorker(number = 1): Promise<void> {
    const living = this.#workers.get(number);
    if (living === undefined) return;
    this.#workers.delete(number);
    living.executor.isDead = true;
    await living.worker.stop();
  }

  async startWorker(number = 1): Promise<void> {
    this.#boots += 1;
    const boot = `boot-${this.#boots}` as BootId;
    const onBoundary: OnBoundary = async (boundary) =>
      this.#options.onBoundary?.({ ...boundary, worker: number }, this);
    const onLog = (task: string, text: string) => void this.lines.push({ task, text });
    const stubs = Object.fromEntries(
      Object.entries(this.#options.stubs ?? {}).map(([kind, stub]): [string, RunStub] => [
        kind,
        (input, task) => stub(input, task, this),
      ]),
    );
    const machine = { ...this.#files.machine, clock: this.clock };
    const executor = new HandlerExecutor(machine, this.#definitions, stubs, onBoundary, onLog);
    const link = linkTo(
      () => this.#leader(),
      () => !executor.isDead,
    );
    const worker = new Worker({
      ...{
        id: workerName(number),
        boot,
        capacity: this.#options.capacity ?? 4,
        queues: this.#options.queues ?? queuesOf(this.#definitions.values()),
        labels: this.#options.labels ?? [],
        masters: ["http://master"],
      },
      ...{ dial: () => link, clock: this.clock, log: silent, outbox: new MemoryOutbox(), spool: noSpool, executor },
      ...{ hostname: "test", pid: 1, version: "test", probePort: null },
    });
    this.#workers.set(number, { worker, executor });
    await worker.start();
  }

  /** Kills the leader, and starts another master on the same store. */
  async changeMaster(): Promise<void> {
    const old = this.#master;
    this.#master = null;
    await this.#settled(old?.stop() ?? Promise.resolve());
    await this.#startMaster();
  }

  async stop(): Promise<void> {
    for (const number of [...this.#workers.keys()]) await this.killWorker(number);
    const old = this.#master;
    this.#master = null;
    await this.#settled(old?.stop() ?? Promise.resolve());
    this.#files.remove();
  }

  /** For `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #startMaster(): Promise<void> {
    this.#masters += 1;
    const name = `master-${this.#masters}`;
    const master = new Master({
      ...{ name, address: `http://${name}`, store: this.#store, clock: this.clock, ids: this.#ids, log: silent },
      probe: async () => "unknown",
      blobs: this.#files.blobs,
      peers: { watch: () => ({ close: () => undefined }), probe: async () => "refused" },
    });
    await master.start();
    this.#master = master;
    const deadlineAt = this.clock.now() + 60_000;
    while (master.service.status().role !== "leader") {
      if (this.clock.now() > deadlineAt) throw new Error("The master does not come to lead.");
      await this.#tick(this.clock.now() + 100);
    }
  }

  /** Null while no master leads. */
  #leader(): MasterService | null {
    return this.#master?.service.status().role === "leader" ? this.#master.service : null;
  }

  /** Asks the leader, and the next one if it dies meanwhile. */
  async #ask<Answer>(ask: (leader: MasterService) => Promise<Answer>): Promise<Answer> {
    const deadlineAt = performance.now() + realMsMax;
    for (;;) {
      const master = this.#master;
      try {
        if (master !== null) return await this.#settled(ask(master.service));
      } catch (error) {
        const isAway = error instanceof OutlastError && (error.code === "unavailable" || error.code === "not-leader");
        if (!isAway || performance.now() > deadlineAt) throw error;
      }
      if (performance.now() > deadlineAt) throw new Error("No master leads.");
      await realPause();
      // What it is waiting for, such as a worker that attaches, may need a little virtual time.
      if (master !== null) await this.#tick(this.clock.now() + 10);
    }
  }

  /** Waits for something that needs no more than a little virtual time. */
  async #settled<Value>(promise: Promise<Value>): Promise<Value> {
    const progress = { isSettled: false };
    const done = promise.finally(() => {
      progress.isSettled = true;
    });
    done.catch(() => undefined);
    for (let turn = 0; !progress.isSettled; turn += 1) {
      await rest();
      if (!progress.isSettled && turn > 5) await this.#tick(this.clock.now() + 10);
    }
    return done;
  }

  /** Lets everything come to rest that needs no virtual time, also handlers that do something real. */
  async #rest(): Promise<void> {
    await rest();
    const deadlineAt = performance.now() + realMsMax;
    for (let turns = 0; [...this.#workers.values()].some(({ executor }) => executor.isBusy); turns += 1) {
      // What a handler waits for may be a report that goes out a moment later, or a step's own back-off.
      if (turns % 4 === 3)
        await this.#tick(Math.min(this.clock.nextAt ?? Number.POSITIVE_INFINITY, this.clock.now() + 1000));
      else if (turns > 8) await realPause();
      else await rest();
      if (performance.now() > deadlineAt) throw new Error(`A handler has been busy for ${realMsMax} ms.`);
    }
  }

  async #tick(at: number): Promise<void> {
    if (Number.isFinite(at)) this.clock.moveTo(at);
    await rest();
  }

  /** Goes towards `endAt`: timer by timer, or at one stroke where nothing is due for long. */
  async #pass(endAt: number): Promise<void> {
    const now = this.clock.now();
    const dueAt = Math.min(endAt, nextDueAt(await this.tasks(), now) ?? endAt);
    if (dueAt - now > exactMs) this.clock.jump(dueAt - now);
    else await this.#tick(Math.min(dueAt, Math.max(now + 1, this.clock.nextAt ?? dueAt)));
    await this.#rest();
  }
}

/** Starts a cluster. Stop it at the end of the test, or say `await using cluster = …`. */
export async function testCluster(options: TestClusterOptions): Promise<TestCluster> {
  const cluster = new TestCluster(options);
  await cluster.start();
  return cluster;
}

function realPause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 1);
  });
}
