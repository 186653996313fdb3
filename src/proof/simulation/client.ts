/** A client of the cluster: submits, repeats what it got no answer to, cancels, reads, pauses queues, and writes it all down. */

import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { BulkAnswer } from "../../master/service/bulkApi.ts";
import { descendantRange } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Submission } from "../../model/submission.ts";
import { isFinal } from "../../model/task.ts";
import type { QueueRate } from "../../model/worker.ts";
import { LinkError } from "../../ports/transport.ts";
import { call, codeOf, isAnswer, type RunningMaster } from "./call.ts";
import { linked } from "./graphs.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { leaderBehind, relayCall } from "./relay.ts";
import { drawScheduleAct } from "./schedules.ts";
import { drawSubmissions } from "./submissions.ts";
import type { KnownMaster, World } from "./world.ts";

interface SubmitCall {
  readonly call: number;
  readonly key: string | null;
  readonly submissions: readonly Submission[];
}

/** What cancels and deletes by a filter look for. */
interface BulkFilter {
  readonly queue: string;
  readonly states?: readonly ("failed" | "cancelled")[];
}

const repeatsMax = 40;

export class ClientNode {
  readonly machine: string;
  readonly #world: World;
  readonly #random: Random;
  readonly #process: Process;
  readonly #known: TaskId[] = [];
  readonly #done: SubmitCall[] = [];
  #master: KnownMaster | null = null;
  #calls = 0;
  #openCalls = 0;

  constructor(world: World, machine: string) {
    this.machine = machine;
    this.#world = world;
    this.#random = world.random.fork(machine);
    this.#process = new Process(machine, world.timeline);
  }

  /** True while a call of its has no answer yet. */
  get isBusy(): boolean {
    return this.#openCalls > 0;
  }

  /** One thing a client might do now. */
  act(tasksLeft: number): number {
    const share = this.#random.next();
    if (tasksLeft > 0 && share < 0.55) return this.#submitNew(tasksLeft);
    if (share < 0.6 && this.#done.length > 0) this.#submitOld();
    else if (share < 0.65 && this.#done.length > 0) this.#submitOther();
    else if (share < 0.75) this.#cancel();
    else if (share < 0.78) this.#pauseQueue();
    else if (share < 0.84) this.#look();
    else if (share < 0.9 && this.#known.length > 0) void this.#retry();
    else this.#read();
    return 0;
  }

  /** Something that a client might do with schedules. */
  actOnSchedules(schedule?: string): void {
    const { label, perform } = drawScheduleAct(this.#random, this.#world.knobs, schedule);
    this.#ask(label, perform).catch(() => {});
  }

  /** Ends every schedule, for as long as it takes: the world is to come to rest. */
  async endSchedules(): Promise<void> {
    for (const { name, isRemoved } of this.#world.disk.view.records("schedules").values()) {
      if (isRemoved === true) continue;
      await this.#insist(async () => {
        try {
          await this.#ask(`removal of ${name}`, ({ face }) => face.schedules.remove(name));
        } catch (error) {
          if (codeOf(error) !== "not-found") throw error;
        }
      });
    }
  }

  /** Cancels, deletes or retries what matches a filter, part by part, as long as it is answered. */
  async actOnMany(): Promise<void> {
    const { knobs, coverage, ledger } = this.#world;
    const draws = this.#random.fork(`many ${ledger.events.length}`);
    if (draws.chance(0.4)) return this.#retryMany(draws);
    // Where nothing is ever forgotten, ids and keys are never free again.
    const action = knobs.isForgetful && this.#random.chance(0.6) ? "delete" : "cancel";
    const state = action === "delete" ? this.#random.pick(["failed", "cancelled"] as const) : null;
    const filter = { queue: this.#random.pick(knobs.queues), ...(state !== null && { states: [state] }) };
    const acts = [this.#inParts(action, filter, this.#random)];
    // Others want the same gone, and again what is to go, in the same moment.
    if (action === "delete" && draws.chance(0.4)) {
      coverage.saw("tasks were deleted and retried by filters at once");
      acts.push(this.#inParts(action, filter, draws.fork("again")), this.#retryMany(draws.fork("beside")));
    }
    await Promise.all(acts);
  }

  async #inParts(action: "cancel" | "delete", filter: BulkFilter, draws: Random): Promise<void> {
    const { ledger, coverage } = this.#world;
    const [state] = filter.states ?? [];
    if (state !== undefined) ledger.add({ kind: "delete-asked", queue: filter.queue, state });
    const limit = draws.pick([1, 3, 100]);
    let cursor: string | null = null;
    for (let part = 0; part < 5 && (part === 0 || cursor !== null); part += 1) {
      const request = { filter, cursor, limit, isDryRun: draws.chance(0.1) };
      const asked = ledger.events.length;
      const answer: BulkAnswer = await this.#ask(`bulk ${action}`, async ({ face, process }) => {
        const given = await face.bulk.run(action, request);
        if (request.isDryRun) return given;
        for (const task of given.tasks) {
          if (action === "cancel") ledger.add({ kind: "acked-cancel", life: process.name, asked, task });
          else ledger.add({ kind: "acked-delete", life: process.name, task });
        }
        return given;
      });
      if (!request.isDryRun && answer.tasks.length > 0)
        coverage.saw(`tasks were ${action === "cancel" ? "cancelled" : "deleted"} by a filter`);
      ({ cursor } = answer);
    }
  }

  async #retryMany(draws: Random): Promise<void> {
    const { knobs, ledger, coverage } = this.#world;
    const states = draws.pick([["failed"], ["failed", "cancelled", "skipped"]] as const);
    const filter = { states, ...(draws.chance(0.5) && { queue: draws.pick(knobs.queues) }) };
    const limit = draws.pick([1, 3, 100]);
    let cursor: string | null = null;
    for (let part = 0; part < 5 && (part === 0 || cursor !== null); part += 1) {
      const request = { filter, cursor, limit, isDryRun: draws.chance(0.1) };
      const asked = ledger.events.length;
      const answer: BulkAnswer = await this.#ask("bulk retry", async ({ face, process }) => {
        const given = await face.bulk.run("retry", request);
        if (!request.isDryRun)
          for (const task of given.tasks) ledger.add({ kind: "acked-retry", life: process.name, asked, task });
        return given;
      });
      if (!request.isDryRun && answer.tasks.length > 0) coverage.saw("tasks were retried by a filter");
      if (answer.refused.some(({ message }) => message.includes("has succeeded without it")))
        coverage.saw("a retry by a filter left a parent that had succeeded");
      ({ cursor } = answer);
    }
  }

  drainWorker(): void {
    const worker = this.#random.pick(this.#world.workers);
    this.#ask(`drain of ${worker.id}`, async ({ face, process }) => {
      await face.drainWorker(worker.id);
      this.#world.ledger.add({ kind: "acked-drain", life: process.name, worker: worker.id });
    }).catch(() => {});
  }

  /** Opens every queue again, for as long as it takes: the world is to come to rest. */
  async openQueues(): Promise<void> {
    for (const name of this.#world.knobs.queues) {
      await this.#insist(() => this.#setQueue(name, false));
      if (this.#world.knobs.isLimited) await this.#insist(() => this.#limitQueue(name, null, null));
    }
  }

  #submitNew(tasksLeft: number): number {
    const count = Math.min(tasksLeft, this.#random.pick([1, 1, 1, 3, 8]));
    const drawn = drawSubmissions(this.#random, this.#world.knobs, count, this.#world.names);
    const links = this.#random.fork(`links ${this.#calls}`);
    const submissions = drawn.map((submission) => linked(submission, links, this.#known));
    // What was submitted under ids of its own needs no key.
    const isKeyed = this.#random.chance(0.6) && (submissions[0]?.id === undefined || !this.#world.knobs.isForgetful);
    this.#calls += 1;
    const key = isKeyed ? `${this.machine}-key-${this.#calls}` : null;
    void this.#submit({ call: this.#newCall(), key, submissions });
    return submissions.length;
  }

  /** The same again, long after: it must find the same tasks. */
  #submitOld(): void {
    const old = this.#random.pick(this.#done);
    if (old.key !== null) void this.#submit({ ...old, call: this.#newCall() });
  }

  /** The same key for something else: that must be refused. */
  #submitOther(): void {
    const old = this.#random.pick(this.#done);
    if (old.key === null) return;
    this.#world.coverage.saw("a key was used again with other content");
    const submissions = old.submissions.map((submission) => ({
      ...submission,
      priority: (submission.priority ?? 0) + 7,
    }));
    void this.#submit({ call: this.#newCall(), key: old.key, submissions });
  }

  async #submit(submit: SubmitCall): Promise<void> {
    const { ledger, coverage } = this.#world;
    const { call: number, key, submissions } = submit;
    const tasks = submissions.map((submission) => ({ id: submission.id ?? null, body: JSON.stringify(submission) }));
    ledger.add({ kind: "submit-invoke", call: number, key, tasks });
    // Without a key and without ids of our own, repeating would create the tasks again.
    const isRepeatable = key !== null || submissions.every((submission) => submission.id !== undefined);
    this.#openCalls += 1;
    let wasUnknown = false;
    for (let tries = 0; tries < repeatsMax; tries++) {
      try {
        const created = await this.#submitOnce(submissions, key);
        if (wasUnknown && created.some((task) => !task.isNew)) {
          coverage.saw("a submit was repeated after an unknown outcome, and was one task");
        }
        this.#known.push(...created.map((task) => task.id));
        this.#done.push(submit);
        ledger.add({ kind: "submit-ok", call: number, ids: created.map((task) => task.id) });
        this.#openCalls -= 1;
        return;
      } catch (error) {
        const code = codeOf(error);
        if (isAnswer(code)) {
          ledger.add({ kind: "submit-fail", call: number, code });
          this.#openCalls -= 1;
          return;
        }
        wasUnknown = true;
        if (!isRepeatable && code !== "not-leader") break;
      }
      await this.#process.sleep(this.#random.integer(50, 2000));
    }
    this.#openCalls -= 1;
    ledger.add({ kind: "submit-info", call: number });
  }

  #submitOnce(submissions: readonly Submission[], key: string | null): Promise<readonly SubmittedTask[]> {
    return this.#ask(`submit ${key ?? ""} of ${submissions.length}`, async ({ face, process }) => {
      const created = await face.submit(submissions, key);
      const ids = created.map((task) => task.id);
      const areNew = created.map((task) => task.isNew);
      this.#world.ledger.add({ kind: "acked-submit", life: process.name, ids, areNew });
      return created;
    });
  }

  #cancel(): void {
    if (this.#known.length === 0) return;
    // Mostly a recent one: most of the others have ended.
    const known = this.#random.pick(this.#random.chance(0.7) ? this.#known.slice(-4) : this.#known);
    const task = this.#oneBelow(known) ?? known;
    const { ledger } = this.#world;
    const asked = ledger.events.length;
    this.#ask(`cancel of ${task}`, async ({ face, process }) => {
      await face.cancel(task);
      ledger.add({ kind: "acked-cancel", life: process.name, asked, task });
    }).then(
      () => ledger.add({ kind: "cancel-ok", task }),
      (error: unknown) => {
        const code = codeOf(error);
        ledger.add(isAnswer(code) ? { kind: "cancel-fail", task, code } : { kind: "cancel-info", task });
      },
    );
  }

  /** Now and then, one of its nodes or children that has not ended. */
  #oneBelow(known: TaskId): TaskId | undefined {
    const draws = this.#random.fork(`below ${known}`);
    if (!draws.chance(0.5)) return undefined;
    const { from, until } = descendantRange(known);
    const below = [...this.#world.disk.view.statuses].filter(
      ([id, { status }]) => id >= from && id < until && !isFinal(status.state),
    );
    return below.length === 0 ? undefined : draws.pick(below)[0];
  }

  /** Of one of a few tasks: most of them run, or have succeeded. */
  async #retry(): Promise<void> {
    const { coverage } = this.#world;
    for (const task of Array.from({ length: 4 }, () => this.#random.pick(this.#known))) {
      this.#world.ledger.add({ kind: "retry-asked", task });
      const reopened = await this.#ask(`retry of ${task}`, ({ face }) =>
        face.retry(task, { attempt: null, isFromScratch: false }),
      ).catch(() => 0);
      if (reopened > 0) coverage.saw("a finished task was retried");
      if (reopened > 1) coverage.saw("a retry opened more than one task of a family");
      if (reopened > 0) return;
    }
  }

  #read(): void {
    if (this.#known.length === 0) return;
    const task = this.#random.pick(this.#known);
    const asked = this.#world.ledger.events.length;
    let life = "";
    const read = this.#ask(`read of ${task}`, ({ face, process }) => {
      life = process.name;
      return face.readTask(task);
    });
    read.then(
      (document) => {
        if (document === null) return;
        const { state, attempt, createdAt } = document;
        this.#world.ledger.add({ kind: "read", asked, session: this.machine, life, task, state, attempt, createdAt });
      },
      () => {},
    );
  }

  /** Asks what a dashboard asks. */
  #look(): void {
    const looks: ((master: RunningMaster) => Promise<unknown>)[] = [
      ({ face }) => face.workers(),
      ({ face }) => face.queues(),
      ({ face }) => face.listTasks({ order: "newest", cursor: null, limit: 20 }),
      ({ face }) => face.barrier(),
      async ({ face }) => face.members(),
      async ({ face }) => [face.status(), face.stats()],
    ];
    this.#ask("a look around", this.#random.pick(looks)).catch(() => {});
  }

  #pauseQueue(): void {
    const name = this.#random.pick(this.#world.knobs.queues);
    if (this.#world.knobs.isLimited) return this.#limitForAWhile(name);
    this.#world.coverage.saw("a queue was paused with tasks in it");
    this.#setQueue(name, true).catch(() => {});
    const forMs = this.#random.spread(100, 20_000);
    this.#process.after(forMs, () => void this.#insist(() => this.#setQueue(name, false)));
  }

  /** The queue is limited, and after a while it is not, or otherwise. */
  #limitForAWhile(name: string): void {
    const draws = this.#random.fork(`limits ${this.#calls} ${name}`);
    const concurrencyMax = draws.chance(0.7) ? draws.integer(1, 4) : null;
    const rate = draws.chance(0.5) ? { count: draws.integer(1, 5), perMs: draws.spread(500, 20_000) } : null;
    this.#world.coverage.saw("a queue was limited with tasks in it");
    this.#limitQueue(name, concurrencyMax, rate).catch(() => {});
    const forMs = draws.spread(1_000, 60_000);
    this.#process.after(forMs, () => void this.#limitQueue(name, null, null).catch(() => {}));
  }

  async #limitQueue(name: string, concurrencyMax: number | null, rate: QueueRate | null): Promise<void> {
    await this.#ask(`limits of queue ${name}`, ({ face }) => face.setQueue(name, { concurrencyMax, rate }));
  }

  async #setQueue(name: string, isPaused: boolean): Promise<void> {
    await this.#ask(`${isPaused ? "pause" : "resume"} of queue ${name}`, async ({ face, process }) => {
      await face.setQueue(name, { isPaused });
      this.#world.ledger.add({ kind: "acked-queue", life: process.name, queue: name, isPaused });
    });
  }

  /** Repeats something harmless until it has worked. */
  async #insist(action: () => Promise<void>): Promise<void> {
    this.#openCalls += 1;
    for (;;) {
      try {
        await action();
        break;
      } catch {
        await this.#process.sleep(this.#random.integer(100, 1000));
      }
    }
    this.#openCalls -= 1;
  }

  #newCall(): number {
    return this.#world.ledger.events.length;
  }

  /** Asks the master it believes in; an answer of `not-leader`, or none, sends it to another one next time. */
  async #ask<Answer>(label: string, invoke: (master: RunningMaster) => Promise<Answer>): Promise<Answer> {
    const master = this.#master ?? this.#random.pick(this.#world.masters);
    try {
      const { wire, knobs } = this.#world;
      const mayRelay = this.#random.chance(knobs.relayChance);
      const answer = await call(wire, { machine: this.machine, process: this.#process }, master, label, (running) => {
        const leader = mayRelay ? leaderBehind(running, (address) => this.#world.masterAt(address)) : null;
        if (leader === null) return invoke(running);
        wire.coverage.saw("a standby relayed a client");
        return relayCall(wire, master.machine, running, leader, label, invoke);
      });
      this.#master = master;
      return answer;
    } catch (error) {
      const leader = error instanceof LinkError && error.leader !== null ? this.#world.masterAt(error.leader) : null;
      if (!isAnswer(codeOf(error))) this.#master = leader;
      throw error;
    }
  }
}
