/** A scheduler that leads, and one that follows it and can take over: what is written is seen as through the journal. */
import type { SchedulerEffect } from "../../core/scheduler/effects.ts";
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import { Scheduler } from "../../core/scheduler/scheduler.ts";
import type { Write } from "../../model/entry.ts";

export class FollowedLeader {
  now = 1000;
  /** Of the last entry. */
  seq = 1;
  leader = new Scheduler();
  follower = new Scheduler();
  readonly #history: Write[] = [];
  #epoch = 1;

  constructor() {
    this.leader.activate(this.now, this.#epoch, this.seq);
  }

  /** One entry, and a tick at its end. @returns its writes as the follower has read them, and its effects */
  protected commit(inputs: readonly SchedulerInput[]): {
    writes: readonly Write[];
    effects: readonly SchedulerEffect[];
  } {
    this.seq += 1;
    const out = { seq: this.seq, writes: [] as Write[], effects: [] as SchedulerEffect[] };
    for (const input of [...inputs, { kind: "tick" } as const]) this.leader.step(this.now, input, out);
    // What is not JSON is not in the journal.
    const writes = out.writes.map((write) => JSON.parse(JSON.stringify(write)) as Write);
    for (const write of writes) this.follower.apply(write, this.now);
    this.#history.push(...writes);
    return { writes, effects: out.effects };
  }

  /** The leader is gone, and the follower leads; another one follows it. @returns what the new leader asks for */
  protected takeOver(): readonly SchedulerEffect[] {
    this.leader = this.follower;
    this.#epoch += 1;
    const effects = this.leader.activate(this.now, this.#epoch, this.seq);
    this.follower = new Scheduler();
    for (const write of this.#history) this.follower.apply(write, this.now);
    return effects;
  }
}
