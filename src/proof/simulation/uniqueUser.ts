/** Somebody who submits tasks with a few unique keys, again and again, and notes what is answered. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { Submission } from "../../model/submission.ts";
import { conflictRules } from "../../model/task.ts";
import { LinkError } from "../../ports/transport.ts";
import { call } from "./call.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { drawSubmissions } from "./submissions.ts";
import type { World } from "./world.ts";

const machine = "unique-user";
const keys = ["u", "v"] as const;

export class UniqueUser {
  readonly #world: World;
  readonly #random: Random;
  readonly #process: Process;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork(machine);
    this.#process = new Process(machine, world.timeline);
  }

  /** One submission. It is not repeated: what is answered then may be another task. */
  act(): void {
    const { knobs, names, ledger, coverage } = this.#world;
    const [drawn] = drawSubmissions(this.#random, knobs, 1, names);
    if (drawn === undefined) return;
    const { id: _id, ...plain } = drawn;
    const uniqueKey = this.#random.pick(keys);
    const onConflict = this.#random.pick(conflictRules);
    const asked = ledger.events.length;
    const about = { asked, queue: plain.queue ?? "", key: uniqueKey };
    this.#submit({ ...plain, uniqueKey, onConflict }).then(
      (task) => {
        ledger.add({ kind: "unique-answer", ...about, task: task.id, answer: task });
        if (task.isExisting === true) coverage.saw("a task that has a unique key was answered instead of a new one");
        if (task.replaced !== undefined) coverage.saw("a task was replaced by one with its unique key");
      },
      (error: unknown) => {
        if (!(error instanceof LinkError)) throw error;
        if (error.code === "conflict") ledger.add({ kind: "unique-answer", ...about, task: null, answer: null });
      },
    );
  }

  #submit(submission: Submission): Promise<SubmittedTask> {
    const { wire, masters, ledger } = this.#world;
    const label = `submit with unique key ${submission.uniqueKey}`;
    return call(
      wire,
      { machine, process: this.#process },
      this.#random.pick(masters),
      label,
      async ({ face, process }) => {
        const [task] = await face.submit([submission], null);
        if (task === undefined) throw new Error("The master answered a submission with no task.");
        ledger.add({ kind: "acked-submit", life: process.name, ids: [task.id], areNew: [task.isNew] });
        return task;
      },
    );
  }
}
