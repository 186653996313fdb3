/** A leader with schedules, a worker, and a follower that applies its entries; for tests of the scheduler alone. */
import type { Reply, SchedulerEffect } from "../../core/scheduler/effects.ts";
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import { Scheduler } from "../../core/scheduler/scheduler.ts";
import type { Write } from "../../model/entry.ts";
import type { BootId, SessionId, TaskId, WorkerId } from "../../model/ids.ts";
import type { AttemptRef, IssuedAttempt, ResultItem } from "../../model/protocol.ts";
import {
  type Calendar,
  noCalendar,
  type ScheduleContent,
  type ScheduleRecord,
  tickId,
} from "../../model/schedules/schedule.ts";
import { hour } from "../../model/units.ts";
import { attachRequest } from "./attachRequest.ts";

export const start = 1_800_000_000_000;
/** "Cron" that ticks at each full hour. */
const hourly: Calendar = { ...noCalendar, nextCron: (_cron, _zone, after) => (Math.floor(after / hour) + 1) * hour };

/** A leader whose entries a follower applies; `takeOver` makes the follower the leader. */
export class ScheduleWorld {
  now = start;
  leader = new Scheduler({ calendar: hourly });
  follower = new Scheduler();
  session: SessionId | null = null;
  /** What its worker was given and told to end. */
  readonly assigned: IssuedAttempt[] = [];
  readonly aborted: AttemptRef[] = [];
  seq = 0;
  epoch = 1;
  readonly entries: Write[][] = [];
  readonly created: string[] = [];

  constructor() {
    this.leader.activate(this.now, 1, 0);
  }

  /** One entry. */
  step(...given: SchedulerInput[]): readonly Reply[] {
    this.seq += 1;
    const out = { seq: this.seq, writes: [] as Write[], effects: [] as SchedulerEffect[] };
    for (const input of given) this.leader.step(this.now, input, out);
    this.leader.step(this.now, { kind: "tick" }, out);
    for (const write of out.writes) {
      this.follower.apply(write, this.now);
      if (write.kind === "spec") this.created.push(write.spec.id);
    }
    if (out.writes.length > 0) this.entries.push(out.writes);
    if (JSON.stringify(this.follower.digest) !== JSON.stringify(this.leader.digest))
      throw new Error("The follower drifted.");
    for (const effect of out.effects) {
      if (effect.kind === "assign") this.assigned.push(...effect.attempts);
      if (effect.kind === "abort") this.aborted.push(...effect.attempts);
    }
    return out.effects.flatMap((effect) => (effect.kind === "reply" ? [effect.reply] : []));
  }

  /** Time passes, and the leader does what is due when it is due. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = this.leader.nextWakeAt();
      if (next === null || next > until) break;
      this.now = Math.max(this.now, next);
      this.step();
    }
    this.now = until;
    this.step();
  }

  /** The leader dies; its entries are all that is left. The follower leads after `ms`. */
  takeOver(ms = 0, calendar = hourly): void {
    this.now += ms;
    this.epoch += 1;
    this.leader = new Scheduler({ calendar });
    this.follower = new Scheduler({ calendar });
    for (const writes of this.entries) {
      for (const write of writes) {
        this.leader.apply(write, this.now);
        this.follower.apply(write, this.now);
      }
    }
    this.leader.activate(this.now, this.epoch, this.seq);
  }

  put(content: Partial<ScheduleContent> & Pick<ScheduleContent, "when">, name = "s"): Reply | undefined {
    const fingerprint = JSON.stringify(content);
    const task = { kind: "sleep", input: { seconds: 1 } };
    const schedule = { name, content, fingerprint, task };
    return this.step({ kind: "put-schedule", request: 1, schedule })[0];
  }

  record(name = "s"): ScheduleRecord {
    const records = this.entries.flat().flatMap((write) => {
      return write.kind === "record" && write.collection === "schedules" && write.value?.name === name
        ? [write.value]
        : [];
    });
    const last = records.at(-1);
    if (last === undefined) throw new Error(`There is no record of ${name}.`);
    return last;
  }

  cancel(id: string): void {
    this.step({ kind: "cancel", request: 2, id: id as TaskId });
  }

  /** Ids of the tasks that were made, as distances from the start in `unit`. */
  ticks(unit: number, name = "s"): number[] {
    const byId = new Map<string, number>();
    for (let tick = 0; tick <= 2000; tick += 1) byId.set(tickId(name, start + tick * unit), tick);
    return this.created.map((id) => byId.get(id) ?? Number.NaN);
  }

  /** A worker attaches and opens its stream; `running` is what it still has. */
  connect(running: readonly IssuedAttempt[] = []): void {
    const attach = attachRequest({ capacity: 2, running: running.map((each) => ({ ...each, startedAt: start })) });
    const [reply] = this.step({ kind: "attach", request: 8, worker, host: "h", attach });
    if (reply?.kind !== "attached") throw new Error("The worker was refused.");
    this.session = reply.session;
    this.step({ kind: "opened", worker, session: reply.session });
  }

  /** The worker reports that the process of this attempt has ended. */
  end(attempt: IssuedAttempt): void {
    if (this.session === null) throw new Error("No worker is there.");
    const { task, attempt: number, assignedAt } = attempt;
    const times = { startedAt: this.now, endedAt: this.now };
    const item: ResultItem = { kind: "result", task, attempt: number, assignedAt, boot, outcome: "aborted", ...times };
    this.step({ kind: "report", request: 9, worker, session: this.session, items: [item] });
  }

  /** The wall clock was set: from here on the leader's own time is ahead of it by so much. */
  lag(lagMs: number): void {
    this.step({ kind: "clock-lag", lagMs });
  }
}

const worker = "w1" as WorkerId;
const boot = "boot-1" as BootId;

export const every = (everyMs: number) => ({ everyMs, from: start });
export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
