/**
 * The attempts of a worker: each is started at most once, never more of them run at a time than there are slots, and the
 * result of each is kept until a master has settled it.
 */
import { attemptKey, type BootId } from "../../model/ids.ts";
import { jsonBytes } from "../../model/jsonBytes.ts";
import {
  type AbortCause,
  type AbortedAttempt,
  type Assignment,
  type AttemptEnd,
  type AttemptRef,
  type IssuedAttempt,
  machineFault,
  type ResultItem,
  type RunningAttempt,
  type WaitingResult,
} from "../../model/protocol.ts";
import type { AttemptError } from "../../model/task.ts";
import { Fifo } from "../fifo.ts";
import { Heap } from "../heap.ts";
import { HeldAttempt, toResult } from "./attempt.ts";
import type { ItemBudget } from "./attemptItems.ts";
import type { AgentOutput } from "./effects.ts";
import { soundEnd } from "./endChecks.ts";
import type { AgentReports } from "./reports.ts";
import { Tombstones } from "./tombstones.ts";
import type { Trouble } from "./trouble.ts";

export interface AttemptSettings {
  readonly killGraceMs: number;
}

/** Why an attempt cannot be begun while the same attempt of an earlier task with its id is still ending. */
const namesake: AttemptError = { code: machineFault, message: "An earlier task of this id has not ended here yet." };

/**
 * Why an attempt cannot be begun that has ended here already, by its name and time: it came twice, or the clock of the leader that
 * gave it out is behind that of the leader before. Neither is its task's fault.
 */
const overHere: AttemptError = { code: machineFault, message: "An attempt of this name has ended here already." };

/**
 * Why an attempt is handed back that this worker never began: it was on its way while the worker began to leave, say because no
 * leader was there to be told; it waited for a slot until the worker left; or there was no room for it.
 */
const notBegun: AttemptError = { code: machineFault, message: "Its worker handed it back before it had begun." };

export class AgentAttempts {
  readonly #boot: BootId;
  readonly #capacity: number;
  readonly #settings: AttemptSettings;
  readonly #reports: AgentReports;
  readonly #trouble: Trouble;
  readonly #held = new Map<string, HeldAttempt>();
  readonly #budget: ItemBudget = { bytes: 0 };
  readonly #seen = new Tombstones();
  readonly #deadlines = new Heap<HeldAttempt>((a, b) => a.deadlineAt < b.deadlineAt);
  /** Those that wait for a slot, and some that were told to end while they waited. */
  readonly #line = new Fifo<HeldAttempt>();
  #waiting = 0;
  #running = 0;
  #closing = 0;
  #writing = 0;
  #unsettled = 0;

  constructor(boot: BootId, capacity: number, settings: AttemptSettings, reports: AgentReports, trouble: Trouble) {
    this.#boot = boot;
    this.#capacity = capacity;
    this.#settings = settings;
    this.#reports = reports;
    this.#trouble = trouble;
  }

  /** Results of earlier boots that were found on disk. */
  restore(results: readonly ResultItem[]): void {
    for (const result of results) {
      const held = this.#hold(result, result.startedAt);
      held.isOnDisk = true;
      this.#finish(held, soundEnd(result));
    }
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Slots in use, those of attempts that are being ended included. */
  get running(): number {
    return this.#running;
  }

  /** Results that no master has settled, those included that are not on disk yet. */
  get unsettled(): number {
    return this.#unsettled + this.#writing + this.#closing;
  }

  /** Nothing runs, waits to run, waits for acknowledgements, or is being written. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting === 0 && this.#closing === 0 && this.#writing === 0;
  }

  find(ref: AttemptRef): HeldAttempt | undefined {
    return this.#held.get(attemptKey(ref.task, ref.attempt));
  }

  /** Those of them that are here. */
  findAll(refs: readonly AttemptRef[]): HeldAttempt[] {
    return refs.flatMap((ref) => this.find(ref) ?? []);
  }

  [Symbol.iterator](): Iterator<HeldAttempt> {
    return this.#held.values();
  }

  /** @param isWelcome false if nothing new is taken */
  assignAll(now: number, assignments: readonly Assignment[], isWelcome: boolean, out: AgentOutput): void {
    for (const assignment of assignments) this.#assign(now, assignment, isWelcome, out);
  }

  #assign(now: number, assignment: Assignment, isWelcome: boolean, out: AgentOutput): void {
    const { task, attempt, assignedAt } = assignment;
    const first = this.#held.get(attemptKey(task, attempt));
    const isSeen = this.#seen.covers(assignment);
    // Running, or its result will be sent again anyway: the first delivery stands.
    if (first !== undefined && (isSeen || first.assignedAt === assignedAt)) return;
    // A task that is forgotten had this id, and what it left is still here: its successor must run elsewhere, or later, and that
    // counts against nobody. It is said once; should it get lost, the leader sends the attempt again.
    if (first !== undefined) return this.#giveBack(now, new HeldAttempt(assignment, now, this.#budget), namesake);
    if (isSeen) return this.#refuse(now, this.#hold(assignment, now), out);
    this.#seen.note(assignment, now);
    const held = this.#hold(assignment, now);
    // A leader that books right never asks for more than two rounds of slots: one dying, one waiting.
    if (!isWelcome || this.#waiting >= this.#capacity) return this.#giveBack(now, held);
    // It was sent before the leader knew.
    const { text } = this.#trouble;
    if (text !== null) return this.#giveBack(now, held, { code: machineFault, message: text });
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
  end(now: number, ref: AttemptRef, ending: AttemptEnd, out: AgentOutput): void {
    const held = this.#held.get(attemptKey(ref.task, ref.attempt));
    if (held?.phase !== "running") throw new Error(`attempt ${ref.task}/${ref.attempt} ended without running here`);
    this.#running -= 1;
    if (held.heapIndex !== -1) this.#deadlines.remove(held);
    if (ending.outcome === "aborted" && ending.error?.code === machineFault)
      this.#noteTrouble(now, ending.error.message, out);
    const result = toResult(held, this.#boot, ending);
    // An aborted attempt need not be remembered on disk: if this process dies, the leader learns the same from that.
    if (result.outcome === "aborted") return this.#finish(held, result);
    held.setResult(result, jsonBytes(result.output));
    held.isStartUnreported = false;
    // A result never overtakes what the attempt sent before it; unless the leader has given the attempt up, and all is void.
    if (!held.isVoid && (held.itemsIfAny?.pendingCount ?? 0) > 0) {
      held.phase = "closing";
      this.#closing += 1;
      return;
    }
    this.#persist(held, result, out);
  }

  #noteTrouble(now: number, reason: string, out: AgentOutput): void {
    const pauseMs = this.#trouble.failed(now, reason);
    if (pauseMs === null) return;
    const message = "this machine cannot run tasks at the moment; the worker takes none for a while";
    out.effects.push({ kind: "notice", level: "warn", message, fields: { reason, pauseMs } });
  }

  #persist(held: HeldAttempt, result: ResultItem, out: AgentOutput): void {
    held.phase = "writing";
    this.#writing += 1;
    out.effects.push({ kind: "persist", result });
  }

  /** The last item of an ended attempt has been answered, or none of them matters any more: its result may be kept. */
  closed(held: HeldAttempt, out: AgentOutput): void {
    if (held.phase !== "closing" || held.result === null) return;
    this.#closing -= 1;
    this.#persist(held, held.result, out);
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

  /** The leader, or a drain whose deadline has passed, wants an attempt ended. */
  abort(now: number, aborted: AbortedAttempt, by: AbortCause, out: AgentOutput): void {
    const held = this.find(aborted);
    const { assignedAt = held?.assignedAt } = aborted;
    if (held === undefined || held.assignedAt !== assignedAt) return this.#abortUnheld(now, aborted);
    if (held.phase === "waiting") {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#line.clear();
      return this.#giveBack(now, held);
    }
    if (held.phase === "closing") return this.#abortClosing(now, held, by, out);
    if (held.phase !== "running") return;
    const isDying = held.endedBy !== null;
    // The leader's reason replaces the worker's own: the leader has settled the attempt already.
    held.endedBy = by === "drain" ? (held.endedBy ?? by) : by;
    if (!isDying) this.#kill(held, held.endedBy, out);
  }

  /** Its assignment was lost, or comes later and is refused then; or all is over here. The leader waits for its slot. */
  #abortUnheld(now: number, { task, attempt, assignedAt }: AbortedAttempt): void {
    const issued = { task, attempt, assignedAt: assignedAt ?? 0 };
    // Without its instant it may be that of an earlier task with this id, whose end has been reported.
    if (assignedAt === undefined && this.#seen.covers(issued)) return;
    this.#seen.note({ ...issued, assignedAt: assignedAt ?? Number.POSITIVE_INFINITY }, now);
    // What is held under its name may be that of another task, which goes on.
    const isFree = this.find(issued) === undefined;
    this.#giveBack(now, isFree ? this.#hold(issued, now) : new HeldAttempt(issued, now, this.#budget));
  }

  /** It has ended by itself already, and its result waits for acknowledgements. */
  #abortClosing(now: number, held: HeldAttempt, by: AbortCause, out: AgentOutput): void {
    held.itemsIfAny?.shift(Number.POSITIVE_INFINITY);
    if (by !== "drain") return this.closed(held, out);
    // No master has acknowledged its items in time, and without them its result must not count.
    this.#closing -= 1;
    held.result = null;
    held.endedBy = by;
    this.#finish(held, toResult(held, this.#boot, { outcome: "aborted", startedAt: held.startedAt, endedAt: now }));
  }

  /** The deadline of a drain has passed. */
  abortAll(now: number, out: AgentOutput): void {
    for (const held of [...this.#held.values()]) {
      if (held.phase === "waiting" || held.phase === "running" || held.phase === "closing")
        this.abort(now, held, "drain", out);
    }
  }

  /** A verdict has come: their results need not be kept any longer. */
  settle(now: number, decided: readonly HeldAttempt[], out: AgentOutput): void {
    const settled: AttemptRef[] = [];
    for (const held of decided) {
      // It was given back beside the attempt that is held under its name.
      if (this.#held.get(held.key) !== held) continue;
      if (held.phase === "unsettled") {
        this.#unsettled -= 1;
        this.#forget(now, held, settled);
      } else if (held.phase === "writing") {
        held.phase = "settled";
      }
    }
    if (settled.length > 0) out.effects.push({ kind: "forget", attempts: settled });
  }

  /** Ends attempts whose time-out has expired. */
  passTime(now: number, out: AgentOutput): void {
    if (this.#trouble.isPauseOver(now))
      out.effects.push({ kind: "notice", level: "info", message: "the worker takes tasks again", fields: {} });
    for (
      let held = this.#deadlines.peek();
      held !== undefined && held.deadlineAt <= now;
      held = this.#deadlines.peek()
    ) {
      this.#deadlines.remove(held);
      if (held.endedBy !== null) continue;
      held.endedBy = "timeout";
      this.#kill(held, held.endedBy, out);
    }
  }

  /** When a time-out expires, or a pause ends. */
  get nextDeadlineAt(): number | null {
    const deadlineAt = this.#deadlines.peek()?.deadlineAt ?? null;
    const troubleAt = this.#trouble.nextWakeAt;
    return deadlineAt === null || troubleAt === null ? (deadlineAt ?? troubleAt) : Math.min(deadlineAt, troubleAt);
  }

  /** Time in which nothing could run does not count. Shifting all deadlines alike keeps their order. */
  shiftDeadlines(byMs: number): void {
    for (const held of this.#deadlines) held.deadlineAt += byMs;
    this.#trouble.shift(byMs);
  }

  /** What a leader must know on attaching; walks through everything, which only an attach may. */
  inventory(): { running: RunningAttempt[]; outbox: WaitingResult[]; trouble?: string } {
    const running: RunningAttempt[] = [];
    const outbox: WaitingResult[] = [];
    for (const held of this.#held.values()) {
      // To the leader, an attempt runs until its result has come.
      if (held.phase === "waiting" || held.phase === "running" || held.phase === "closing")
        running.push({ ...held.issued, startedAt: held.startedAt });
      else if (held.phase !== "settled") outbox.push({ ...held.issued, ...held.processEnd });
    }
    const { text } = this.#trouble;
    return { running, outbox, ...(text === null ? {} : { trouble: text }) };
  }

  #hold(issued: IssuedAttempt, now: number): HeldAttempt {
    const held = new HeldAttempt(issued, now, this.#budget);
    this.#held.set(held.key, held);
    return held;
  }

  /** Stale news to the leader; but should it believe in this attempt, its task must not wait for ever. */
  #refuse(now: number, held: HeldAttempt, out: AgentOutput): void {
    const message = "refused an attempt that is over here";
    out.effects.push({ kind: "notice", level: "warn", message, fields: { ...held.ref } });
    this.#giveBack(now, held, overHere);
  }

  /** It never ran here and never will: the leader may give its task to somebody else. */
  #giveBack(now: number, held: HeldAttempt, error: AttemptError = notBegun): void {
    held.assignment = null;
    const times = { startedAt: held.startedAt, endedAt: now };
    this.#finish(held, toResult(held, this.#boot, { outcome: "aborted", ...times, error }));
  }

  #finish(held: HeldAttempt, result: ResultItem): void {
    if (held.result === null) held.setResult(result, jsonBytes(result.output));
    if (held.phase === "waiting" || held.phase === "running") held.itemsIfAny?.shift(Number.POSITIVE_INFINITY);
    held.phase = "unsettled";
    if (this.#held.get(held.key) === held) this.#unsettled += 1;
    this.#reports.addResult(held);
  }

  #kill({ ref }: HeldAttempt, cause: AbortCause, out: AgentOutput): void {
    out.effects.push({ kind: "abort", ...ref, graceMs: this.#settings.killGraceMs, cause });
  }

  #forget(now: number, held: HeldAttempt, settled: AttemptRef[]): void {
    held.phase = "settled";
    this.#held.delete(held.key);
    this.#seen.note(held, now);
    if (held.isOnDisk) settled.push(held.ref);
  }
}
