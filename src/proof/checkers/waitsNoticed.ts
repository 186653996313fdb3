/** I26: no suspended task waits on for something that has come, and the end of a wait stays where it was set. */
import { type ChildSetRecord, childPrefix, type OpenWait, type SignalsRecord } from "../../model/family.ts";
import type { TaskId } from "../../model/ids.ts";
import type { TaskSpec, TaskStatus } from "../../model/task.ts";
import { checker, type Report } from "./checker.ts";
import type { LandedEntry } from "./ledger.ts";
import { scriptOf } from "./scripts.ts";

export const waitsNoticed = checker("I26", "what a task waits for is noticed when it comes", (history, report) => {
  const waits = new WaitsByJournal(report);
  for (const entry of history.entries) waits.take(entry);
});

class WaitsByJournal {
  readonly #report: Report;
  /** Suspended tasks whose outcome is open. */
  readonly #waiting = new Map<TaskId, TaskStatus>();
  readonly #signals = new Map<string, SignalsRecord>();
  readonly #sets = new Map<string, ChildSetRecord>();
  /** When each wait of a task is over by itself, by its key, and in which epoch that was said. */
  readonly #ends = new Map<TaskId, Map<string, { readonly until: number; readonly epoch: number }>>();
  /** Tasks that run scripts. */
  readonly #scripts = new Set<TaskId>();

  constructor(report: Report) {
    this.#report = report;
  }

  take({ seq, epoch, writes }: LandedEntry): void {
    const touched = new Set<TaskId>();
    for (const write of writes) {
      if (write.kind === "spec") this.#begin(write.spec);
      // A retry remembers what was over; a wait that was not begins anew.
      if (write.kind === "reopen-task") this.#ends.delete(write.head.id);
      if (write.kind === "status") {
        const { status } = write;
        touched.add(status.id);
        if (status.state === "waiting" && status.family?.ending === undefined) this.#waiting.set(status.id, status);
        else this.#waiting.delete(status.id);
      }
      if (write.kind === "record" && write.collection === "signals") {
        touched.add(write.id as TaskId);
        put(this.#signals, write.id, write.value);
      }
      if (write.kind === "record" && write.collection === "childSets") {
        const parent = (write.value ?? this.#sets.get(write.id))?.parent;
        if (parent !== undefined) touched.add(parent);
        put(this.#sets, write.id, write.value);
      }
    }
    for (const id of touched) this.#check(id, seq, epoch);
  }

  /** Ids may be used again. */
  #begin(spec: TaskSpec): void {
    this.#ends.delete(spec.id);
    if (scriptOf(spec) === null) this.#scripts.delete(spec.id);
    else this.#scripts.add(spec.id);
  }

  #check(id: TaskId, seq: number, leaderEpoch: number): void {
    const status = this.#waiting.get(id);
    if (status === undefined) return;
    const { waits = [], isWoken = false, epoch = 0 } = status.family ?? {};
    if (waits.length === 0 && !isWoken && this.#scripts.has(id))
      this.#report(`${id} waits in entry ${seq}, and for nothing`, id);
    for (const wait of waits) {
      const come = this.#whatHasCome(id, epoch, wait);
      if (come !== null) this.#report(`${id} waits on for ${wait.key} in entry ${seq}, although ${come}`, id);
      if (wait.kind === "children" || wait.until === undefined) continue;
      this.#checkEnd(id, `${epoch}.${wait.key}`, { until: wait.until, epoch: leaderEpoch });
    }
  }

  #whatHasCome(id: TaskId, epoch: number, wait: OpenWait): string | null {
    switch (wait.kind) {
      case "children": {
        const set = this.#sets.get(childPrefix(id, epoch, wait.key));
        if (set === undefined) return "there is no such set of children";
        const ended = set.succeeded + set.failed + set.cancelled;
        return set.isSealed && ended === set.created ? "all its children have ended" : null;
      }
      case "signal": {
        const pending = this.#signals.get(id)?.pending ?? [];
        return pending.some(({ name }) => name === wait.name) ? "its signal is there" : null;
      }
      case "sleep":
        return null;
      default:
        return wait satisfies never;
    }
  }

  /** A new leader whose clock is behind that of the one before makes a wait end sooner; nobody makes it longer. */
  #checkEnd(id: TaskId, key: string, end: { readonly until: number; readonly epoch: number }): void {
    const own = this.#ends.get(id) ?? new Map<string, { readonly until: number; readonly epoch: number }>();
    this.#ends.set(id, own);
    const before = own.get(key) ?? end;
    const isKept = before.epoch === end.epoch ? before.until === end.until : before.until >= end.until;
    if (!isKept) this.#report(`${id} was to wait for ${key} until ${before.until}, and then until ${end.until}`, id);
    own.set(key, end);
  }
}

function put<Value>(map: Map<string, Value>, id: string, value: Value | null): void {
  if (value === null) map.delete(id);
  else map.set(id, value);
}
