/** Attempts that only take virtual time. Each one writes into the ledger when it starts and how it ends. */
import type { BootId, TaskId, WorkerId } from "../../model/ids.ts";
import { attemptKey } from "../../model/ids.ts";
import { remoteKind, remoteStopKindName } from "../../model/kinds/remote.ts";
import {
  type AbortCause,
  type Assignment,
  type AttemptEnd,
  type AttemptRef,
  machineFault,
} from "../../model/protocol.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { AttemptSession, Executor } from "../../ports/work.ts";
import type { RunningAttempt } from "../../worker/executors/kindRunner.ts";
import { type RemoteKindRunner, remoteRunner, remoteStopRunner } from "../../worker/executors/remote.ts";
import { hashText } from "../checkers/hashText.ts";
import type { ExecutionEnd, Ledger } from "../checkers/ledger.ts";
import { type Operation, programKind } from "../checkers/scripts.ts";
import type { JobDisk } from "./jobDisk.ts";
import { jobKinds, runJobTask } from "./jobRuns.ts";
import type { Process } from "./process.ts";
import { runProgram } from "./programs.ts";
import type { Random } from "./random.ts";
import { type RemoteService, serviceName } from "./remoteService.ts";
import type { SimulatedSpool } from "./spool.ts";
import type { Timeline } from "./timeline.ts";

export const remoteKinds: readonly string[] = [remoteKind.name, remoteStopKindName];

interface Execution {
  readonly assignment: Assignment;
  readonly token: string;
  readonly startedAt: number;
  readonly session: AttemptSession;
  readonly natural: { cancel(): void };
  isEnding: boolean;
  /** What ends by itself once it is told to. */
  remote?: RunningAttempt;
}

/** What a simulated command asks for: `["simulate", duration in ms, chance of failure in percent]`. */
export function simulatedCommand(durationMs: number, failPercent: number): string[] {
  return ["simulate", String(durationMs), String(failPercent)];
}

export class SimulatedExecutor implements Executor {
  readonly kinds: readonly string[];
  /** What it can really run, which may be less than it says. */
  readonly #able: ReadonlySet<string>;
  readonly #worker: WorkerId;
  readonly #boot: BootId;
  readonly #process: Process;
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #random: Random;
  /** Draws what is printed when, from a stream of its own: it must not move what else a seed draws. */
  readonly #printing: Random;
  readonly #ledger: Ledger;
  readonly #jobDisk: JobDisk;
  readonly #remotes: readonly RemoteKindRunner[];
  readonly #log: Log;
  readonly #spool: SimulatedSpool;
  /** Chance that an attempt ignores SIGTERM, and so takes as long to end as it may. */
  readonly #lingerChance: number;
  readonly #running = new Map<string, Execution>();
  #isSick = false;

  constructor(parts: {
    kinds: readonly string[];
    able: readonly string[];
    worker: WorkerId;
    boot: BootId;
    process: Process;
    timeline: Timeline;
    clock: Clock;
    random: Random;
    ledger: Ledger;
    jobDisk: JobDisk;
    service: RemoteService;
    log: Log;
    spool: SimulatedSpool;
    lingerChance: number;
  }) {
    this.kinds = parts.kinds;
    this.#able = new Set(parts.able);
    this.#worker = parts.worker;
    this.#boot = parts.boot;
    this.#process = parts.process;
    this.#timeline = parts.timeline;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#printing = parts.random.fork("printing");
    this.#planSickness(parts.random.fork("sickness"));
    this.#ledger = parts.ledger;
    this.#jobDisk = parts.jobDisk;
    const services = new Map([[serviceName, { backend: parts.service.backendFor(parts.process), pollMs: 500 }]]);
    this.#remotes = [remoteRunner(services), remoteStopRunner(services)];
    this.#log = parts.log;
    this.#spool = parts.spool;
    this.#lingerChance = parts.lingerChance;
    // A runner dies with its supervisor.
    this.#process.onDeath(() => {
      for (const execution of this.#running.values()) this.#note(execution, "died");
      this.#running.clear();
    });
  }

  /** Some machines cannot start anything for a while, once in a boot. */
  #planSickness(random: Random): void {
    if (!random.chance(0.1)) return;
    this.#timeline.after(random.integer(0, 30_000), () => {
      this.#isSick = true;
      this.#timeline.after(random.integer(100, 4_000), () => {
        this.#isSick = false;
      });
    });
  }

  /** True while a master has yet to store what its attempts have printed. */
  get hasOutput(): boolean {
    return !this.#spool.isEmpty;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  start(assignment: Assignment, session: AttemptSession): void {
    const { task, attempt, assignedAt, kind } = assignment;
    if (!this.#able.has(kind)) {
      const now = this.#clock.now();
      const error = { code: "unsupported", message: `This worker cannot run tasks of kind ${kind}.` };
      return session.end({ outcome: "aborted", startedAt: now, endedAt: now, error });
    }
    if (this.#isSick) {
      const now = this.#clock.now();
      const error = { code: machineFault, message: "This machine is short of everything." };
      this.#ledger.add({ kind: "handed-back", worker: this.#worker, task });
      return session.end({ outcome: "aborted", startedAt: now, endedAt: now, error });
    }
    const token = `${attemptKey(task, attempt)} ${this.#boot} ${this.#random.name(6)}`;
    const who = { worker: this.#worker, boot: this.#boot, task, attempt, assignedAt };
    const given = kind === "exec" ? (assignment.input as { command: string[] }).command[3] : undefined;
    this.#ledger.add({ kind: "exec-start", ...who, token, ...(given !== undefined && { given }) });
    this.#timeline.trace(`${this.#process.name} starts ${task}/${attempt}`);
    if (kind === programKind) return this.#runProgram(assignment, session, token);
    if (jobKinds.includes(kind)) return this.#runJob(assignment, session, token);
    const remote = this.#remotes.find(({ name }) => name === kind);
    if (remote !== undefined) return this.#runRemote(remote, assignment, session, token);
    const { durationMs, willFail } = planOf(assignment);
    // Runners are processes of their own: they go on while their supervisor is paused, and it hears of their end later.
    const natural = this.#timeline.after(durationMs, () => this.#end(execution, willFail ? "failed" : "success"));
    const execution = { assignment, token, startedAt: this.#clock.now(), session, natural, isEnding: false };
    this.#running.set(attemptKey(task, attempt), execution);
    this.#print(execution, "begins");
    this.#planLines(execution, durationMs);
    if (durationMs > 0 && this.#random.chance(0.3)) this.#planItems(execution, durationMs);
  }

  /** A script goes by its own pace; what it sends and reads goes through its supervisor. */
  #runProgram(assignment: Assignment, session: AttemptSession, token: string): void {
    const { task, attempt, input } = assignment;
    const natural = { cancel: () => {} };
    const execution = { assignment, token, startedAt: this.#clock.now(), session, natural, isEnding: false };
    this.#running.set(attemptKey(task, attempt), execution);
    this.#print(execution, "begins");
    const operations = input as unknown as Operation[];
    const witness = {
      token,
      ran: (key: string) => this.#ledger.add({ kind: "step-ran", task, key, token }),
      kept: (key: string) => this.#ledger.add({ kind: "step-kept", task, key, token }),
      made: (key: string, made: TaskId | undefined) =>
        this.#ledger.add({ kind: "told-made", task, key, made: made ?? null }),
    };
    void runProgram(operations, session, (ms) => this.#process.sleep(ms), witness).then((end) => {
      if (end === null) return this.abort({ task, attempt }, 0, "killed");
      if (end.outcome === "suspended") return this.#end(execution, "suspended", end);
      return this.#end(execution, end.outcome === "success" ? "success" : "failed", end);
    });
  }

  /** A MapReduce job, a map or a reduce: the product's own code. Nothing of it moves once its execution is over. */
  #runJob(assignment: Assignment, session: AttemptSession, token: string): void {
    const key = attemptKey(assignment.task, assignment.attempt);
    const natural = { cancel: () => {} };
    const execution = { assignment, token, startedAt: this.#clock.now(), session, natural, isEnding: false };
    this.#running.set(key, execution);
    this.#print(execution, "begins");
    const after = (ms: number, callback: () => void) =>
      this.#process.after(ms, () => {
        if (this.#running.get(key) === execution) callback();
      });
    const random = this.#random.fork(`job ${token}`);
    const now = () => this.#clock.now();
    void runJobTask({ assignment, session, token, disk: this.#jobDisk, random, now, after }).then((end) => {
      switch (end.outcome) {
        case "success":
          return this.#end(execution, "success", { output: end.output });
        case "failed":
          return this.#end(execution, "failed", { error: end.error });
        case "suspended":
          return this.#end(execution, "suspended", { waits: end.waits });
        case "aborted":
          return this.abort(assignment, 0, "killed");
        default:
          return end satisfies never;
      }
    });
  }

  /** A job of a service, or the stop of one: the product's own code. The job outlives the process. */
  #runRemote(runner: RemoteKindRunner, assignment: Assignment, session: AttemptSession, token: string): void {
    const natural = { cancel: () => {} };
    const execution: Execution = { assignment, token, startedAt: this.#clock.now(), session, natural, isEnding: false };
    this.#running.set(attemptKey(assignment.task, assignment.attempt), execution);
    const machine = { clock: this.#clock, log: this.#log, boot: this.#boot, onOutput: () => {} };
    const end = ({ outcome, error }: AttemptEnd): void => {
      if (outcome === "suspended")
        throw new Error("An attempt with a job of a service does not wait for anything else.");
      this.#end(execution, outcome, error === undefined ? {} : { error });
    };
    const running = runner.start(assignment, machine, end, session);
    if (running === "invalid")
      throw new Error(`The input of ${assignment.task} is not one of kind ${assignment.kind}.`);
    if (running !== null) execution.remote = running;
  }

  /** Some attempts say how far they are while they run, and want to know that the leader has heard it. */
  #planItems(execution: Execution, durationMs: number): void {
    const { session, token, assignment } = execution;
    const { task } = assignment;
    let number = 0;
    const send = (): void => {
      number += 1;
      const item = { task, token, number };
      this.#ledger.add({ kind: "item-sent", ...item });
      const content = { kind: "progress", done: number, text: token, at: this.#clock.now() } as const;
      if (this.#random.chance(0.3)) session.tell(content);
      void session.send(content).then(({ verdict }) => {
        this.#ledger.add({ kind: "item-answered", ...item, verdict });
      });
    };
    for (let left = this.#random.integer(1, 4); left > 0; left--) {
      this.#timeline.after(this.#random.integer(0, durationMs), () => {
        if (this.#running.get(attemptKey(task, assignment.attempt)) === execution) this.#process.deliver(send);
      });
    }
  }

  #planLines(execution: Execution, durationMs: number): void {
    const { task, attempt } = execution.assignment;
    const lines = this.#printing.integer(0, 2);
    for (let line = 1; line <= lines; line++) {
      this.#timeline.after(durationMs * this.#printing.next(), () => {
        if (this.#running.get(attemptKey(task, attempt)) === execution) this.#print(execution, `line ${line}`);
      });
    }
  }

  /** A runner prints into a pipe: its supervisor takes it from there when it can. */
  #print({ assignment, token }: Execution, words: string): void {
    const { task, attempt, assignedAt } = assignment;
    const text = `${token} ${words}\n`;
    this.#process.deliver(() => {
      this.#ledger.add({ kind: "exec-wrote", token, text });
      this.#spool.write({ task, attempt, assignedAt }, this.#clock.now(), new TextEncoder().encode(text));
    });
  }

  abort({ task, attempt }: AttemptRef, graceMs: number, cause: AbortCause): void {
    const execution = this.#running.get(attemptKey(task, attempt));
    if (execution?.remote !== undefined) return execution.remote.abort(graceMs, cause);
    if (execution === undefined || execution.isEnding) return;
    execution.isEnding = true;
    // Most end at once; some ignore SIGTERM until SIGKILL comes; some end by themselves before it does.
    const afterMs = this.#random.chance(1 - this.#lingerChance) ? this.#random.integer(0, 20) : graceMs;
    this.#timeline.after(afterMs, () => this.#end(execution, "aborted"));
  }

  async stop(): Promise<void> {
    for (const execution of [...this.#running.values()]) {
      if (execution.remote === undefined) this.#end(execution, "aborted");
      else execution.remote.abort(0, "drain");
    }
    await this.#process.sleep(1);
  }

  #end(
    execution: Execution,
    how: "success" | "failed" | "aborted" | "suspended",
    more: Pick<AttemptEnd, "waits" | "error" | "output"> = {},
  ): void {
    const { task, attempt } = execution.assignment;
    if (this.#running.get(attemptKey(task, attempt)) !== execution) return;
    this.#print(execution, how);
    this.#running.delete(attemptKey(task, attempt));
    execution.natural.cancel();
    this.#note(execution, how);
    this.#process.deliver(() => {
      const { startedAt, token, session } = execution;
      const onEnd = (end: AttemptEnd): void => session.end(end);
      const endedAt = this.#clock.now();
      switch (how) {
        case "success":
          return onEnd({ outcome: "success", startedAt, endedAt, output: more.output ?? { token } });
        case "failed":
          return onEnd({
            outcome: "failed",
            startedAt,
            endedAt,
            error: more.error ?? { code: "exit", message: "simulated failure" },
            exit: { code: 1, signal: null },
          });
        case "suspended":
          return onEnd({ outcome: "suspended", startedAt, endedAt, waits: more.waits ?? [] });
        case "aborted":
          if (more.error !== undefined) return onEnd({ outcome: "aborted", startedAt, endedAt, error: more.error });
          return onEnd({ outcome: "aborted", startedAt, endedAt, exit: { code: null, signal: "SIGKILL" } });
        default:
          how satisfies never;
      }
    });
  }

  #note(execution: Execution, end: ExecutionEnd): void {
    const { assignment, token } = execution;
    const { task, attempt, assignedAt } = assignment;
    const who = { worker: this.#worker, boot: this.#boot, task, attempt, assignedAt };
    this.#ledger.add({ kind: "exec-end", ...who, token, end });
    this.#timeline.trace(`${this.#process.name} has ${task}/${attempt} end: ${end}`);
  }
}

/** Which attempts fail hangs on the attempt's name alone, so that a seed's faults do not change it. */
function planOf({ kind, input, task, attempt }: Assignment): { durationMs: number; willFail: boolean } {
  if (kind === "sleep") return { durationMs: Number((input as { seconds: number }).seconds) * 1000, willFail: false };
  const [, durationMs, failPercent] = kind === "exec" ? (input as { command: string[] }).command : (input as string[]);
  return { durationMs: Number(durationMs), willFail: hashText(attemptKey(task, attempt)) % 100 < Number(failPercent) };
}
