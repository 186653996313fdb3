/**
 * The attempts in a worker's hands: each is started at most once, never more of them at a time than there are slots,
 * and the result of each is kept until a master has settled it.
 */
import { attemptKey, type BootId } from "../../model/ids.ts";
import type {
  AbortReason,
  Assignment,
  AttemptEnd,
  AttemptRef,
  IssuedAttempt,
  ResultItem,
  RunningAttempt,
} from "../../model/protocol.ts";
import { Fifo } from "../fifo.ts";
import { Heap } from "../heap.ts";
import { HeldAttempt, outputBytes, toResult } from "./attempt.ts";
import type { AgentOutput } from "./effects.ts";
import type { AgentReports } from "./reports.ts";
import { Tombstones } from "./tombstones.ts";

export interface AttemptSettings {
  readonly killGraceMs: number;
}

export class AgentAttempts {
  readonly #boot: BootId;
  readonly #capacity: number;
  readonly #settings: AttemptSettings;
  readonly #reports: AgentReports;
  readonly #held = new Map<string, HeldAttempt>();
  readonly #seen = new Tombstones();
  readonly #deadlines = new Heap<HeldAttempt>((a, b) => a.deadlineAt < b.deadlineAt);
  /** Those that wait for a slot, and some that were told to end while they waited. */
  readonly #line = new Fifo<HeldAttempt>();
  #waiting = 0;
  #running = 0;
  #writing = 0;
  #unsettled = 0;

  constructor(boot: BootId, capacity: number, settings: AttemptSettings, reports: AgentReports) {
    this.#boot = boot;
    this.#capacity = capacity;
    this.#settings = settings;
    this.#reports = reports;
  }

  /** Results of earlier boots that were found on disk. */
  restore(results: readonly ResultItem[]): void {
    for (const result of results) {
      const held = this.#hold(result, result.startedAt);
      held.isOnDisk = true;
      this.#finish(held, result);
    }
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Slots in use, those of dying attempts included. */
  get running(): number {
    return this.#running;
  }

  /** Results that no master has settled, those included that are on their way to the disk. */
  get unsettled(): number {
    return this.#unsettled + this.#writing;
  }

  /** Nothing runs, waits to run, or is being written. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting === 0 && this.#writing === 0;
  }

  /** @param isWelcome false if nothing new is taken */
  assign(now: number, assignment: Assignment, isWelcome: boolean, out: AgentOutput): void {
    const { task, attempt, assignedAt } = assignment;
    const first = this.#held.get(attemptKey(task, attempt));
    const isSeen = this.#seen.covers(assignment);
    // Running, or its result will be sent again anyway: the first delivery stands.
    if (first !== undefined && (isSeen || first.assignedAt === assignedAt)) return;
    // A task that is forgotten had this id, and what it left is still here: its successor must run elsewhere, or later.
    // That is said once; should it get lost, the leader sends the attempt again.
    if (first !== undefined) return this.#refuse(now, new HeldAttempt(assignment, now), out);
    if (isSeen) return this.#refuse(now, this.#hold(assignment, now), out);
    this.#seen.note(assignment, now);
    const held = this.#hold(assignment, now);
    // A leader that books right never asks for more than two rounds of slots: one dying, one waiting.
    if (!isWelcome || this.#waiting >= this.#capacity) return this.#giveBack(now, held);
    held.assignment = assignment;
    held.timeoutMs = assignment.timeoutMs;
    this.#waiting += 1;
    this.#line.push(held);
    this.fill(now, out);
  }

  /** Starts what waits while there are slots. */
  fill(now: number, out: AgentOutput): void {
    while (this.#waiting > 0 && this.#running < this.#capacity) {
      const held = this.#line.shift();
      if (held === undefined) return;
      if (held.phase === "waiting" && held.assignment !== null) this.#start(now, held, held.assignment, out);
    }
  }

  #start(now: number, held: HeldAttempt, assignment: Assignment, out: AgentOutput): void {
    this.#waiting -= 1;
    this.#running += 1;
    held.phase = "running";
    held.startedAt = now;
    held.assignment = null;
    if (held.timeoutMs !== null) {
      held.deadlineAt = now + held.timeoutMs;
      this.#deadlines.push(held);
    }
    out.effects.push({ kind: "start", assignment });
    this.#reports.addStart(held);
  }

  /** A started attempt has ended by itself or because it was told to. */
  end(ref: AttemptRef, ending: AttemptEnd, out: AgentOutput): void {
    const held = this.#held.get(attemptKey(ref.task, ref.attempt));
    if (held?.phase !== "running") throw new Error(`attempt ${ref.task}/${ref.attempt} ended without running here`);
    this.#running -= 1;
    if (held.heapIndex !== -1) this.#deadlines.remove(held);
    const result = toResult(held, this.#boot, ending);
    // That an attempt came to nothing need not outlive this process: its end says the same.
    if (result.outcome === "aborted") return this.#finish(held, result);
    held.phase = "writing";
    held.setResult(result, outputBytes(result.output));
    held.isStartUnreported = false;
    this.#writing += 1;
    out.effects.push({ kind: "persist", result });
  }

  persisted(now: number, refs: readonly AttemptRef[], out: AgentOutput): void {
    const settled: AttemptRef[] = [];
    for (const ref of refs) {
      const held = this.#held.get(attemptKey(ref.task, ref.attempt));
      if (held === undefined || held.result === null || held.isOnDisk) continue;
      held.isOnDisk = true;
      this.#writing -= 1;
      if (held.phase === "writing") this.#finish(held, held.result);
      else this.#forget(now, held, settled);
    }
    if (settled.length > 0) out.effects.push({ kind: "forget", attempts: settled });
  }

  /** The leader, or a drain whose time is up, wants an attempt ended. */
  abort(now: number, ref: AttemptRef, by: AbortReason | "drain", out: AgentOutput): void {
    const held = this.#held.get(attemptKey(ref.task, ref.attempt));
    if (held === undefined) {
      const issued = { ...ref, assignedAt: 0 };
      if (this.#seen.covers(issued)) return;
      // Never seen here: its assignment was lost, or comes later and is refused then. The leader waits for its slot.
      this.#seen.note({ ...ref, assignedAt: Number.POSITIVE_INFINITY }, now);
      return this.#giveBack(now, this.#hold(issued, now));
    }
    if (held.phase === "waiting") {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#line.clear();
      return this.#giveBack(now, held);
    }
    if (held.phase !== "running") return;
    const isDying = held.endedBy !== null;
    // The leader's word weighs more than the worker's own reasons: with it the attempt is settled already.
    held.endedBy = by === "drain" ? (held.endedBy ?? by) : by;
    if (!isDying) this.#kill(held, out);
  }

  /** The time of a drain is up. */
  abortAll(now: number, out: AgentOutput): void {
    for (const held of [...this.#held.values()]) {
      if (held.phase === "waiting" || held.phase === "running") this.abort(now, held, "drain", out);
    }
  }

  /** A verdict has come: the result is of no more use. */
  settle(now: number, refs: readonly AttemptRef[], out: AgentOutput): void {
    const settled: AttemptRef[] = [];
    for (const ref of refs) {
      const held = this.#held.get(attemptKey(ref.task, ref.attempt));
      if (held?.phase === "unsettled") {
        this.#unsettled -= 1;
        this.#forget(now, held, settled);
      } else if (held?.phase === "writing") {
        held.phase = "settled";
      }
    }
    if (settled.length > 0) out.effects.push({ kind: "forget", attempts: settled });
  }

  /** Ends what has used up its time. */
  passTime(now: number, out: AgentOutput): void {
    for (
      let held = this.#deadlines.peek();
      held !== undefined && held.deadlineAt <= now;
      held = this.#deadlines.peek()
    ) {
      this.#deadlines.remove(held);
      if (held.endedBy !== null) continue;
      held.endedBy = "timeout";
      this.#kill(held, out);
    }
  }

  get nextDeadlineAt(): number | null {
    return this.#deadlines.peek()?.deadlineAt ?? null;
  }

  /** Time in which nothing could run does not count. Shifting all deadlines alike keeps their order. */
  shiftDeadlines(byMs: number): void {
    for (const held of this.#deadlines) held.deadlineAt += byMs;
  }

  /** What a leader must know on attaching; walks through everything, which only an attach may. */
  inventory(): { running: RunningAttempt[]; outbox: IssuedAttempt[] } {
    const running: RunningAttempt[] = [];
    const outbox: IssuedAttempt[] = [];
    for (const held of this.#held.values()) {
      if (held.phase === "waiting" || held.phase === "running")
        running.push({ ...held.issued, startedAt: held.startedAt });
      else if (held.phase !== "settled") outbox.push(held.issued);
    }
    return { running, outbox };
  }

  *unsettledResults(): Iterable<HeldAttempt> {
    for (const held of this.#held.values()) if (held.phase === "unsettled") yield held;
  }

  #hold(issued: IssuedAttempt, now: number): HeldAttempt {
    const held = new HeldAttempt(issued, now);
    this.#held.set(held.key, held);
    return held;
  }

  /** Stale news to the leader; but should it believe in this attempt, its task must not wait for ever. */
  #refuse(now: number, held: HeldAttempt, out: AgentOutput): void {
    const message = "refused an attempt that is over here";
    out.effects.push({ kind: "notice", level: "warn", message, fields: { ...held.ref } });
    this.#giveBack(now, held);
  }

  /** It never ran here and never will: the leader may give its task to somebody else. */
  #giveBack(now: number, held: HeldAttempt): void {
    held.assignment = null;
    const times = { startedAt: held.startedAt, endedAt: now };
    this.#finish(held, { kind: "result", ...held.issued, boot: this.#boot, outcome: "aborted", ...times });
  }

  #finish(held: HeldAttempt, result: ResultItem): void {
    if (held.result === null) held.setResult(result, outputBytes(result.output));
    held.phase = "unsettled";
    if (this.#held.get(held.key) === held) this.#unsettled += 1;
    this.#reports.addResult(held);
  }

  #kill(held: HeldAttempt, out: AgentOutput): void {
    out.effects.push({ kind: "abort", task: held.task, attempt: held.attempt, graceMs: this.#settings.killGraceMs });
  }

  #forget(now: number, held: HeldAttempt, settled: AttemptRef[]): void {
    held.phase = "settled";
    this.#held.delete(held.key);
    this.#seen.note(held, now);
    if (held.isOnDisk) settled.push(held.ref);
  }
}
