/** Somebody who submits tasks with a few unique keys, again and again, and notes what is answered. */
import type { SubmittedTask } from "../../core/scheduler/effects.ts";
import type { Submission } from "../../model/submission.ts";
import { conflictRules } from "../../model/task.ts";
import { codeOf } from "./call.ts";
import { drawSubmissions } from "./submissions.ts";
import { Visitor } from "./visitor.ts";
import type { World } from "./world.ts";

const keys = ["u", "v"] as const;

export class UniqueUser {
  readonly #visitor: Visitor;

  constructor(world: World) {
    this.#visitor = new Visitor(world, "unique-user");
  }

  /** One submission. It is not repeated: what is answered then may be another task. */
  act(): void {
    const { random, world } = this.#visitor;
    const { knobs, names, ledger, coverage } = world;
    const [drawn] = drawSubmissions(random, knobs, 1, names);
    if (drawn === undefined) return;
    const { id: _id, ...plain } = drawn;
    const uniqueKey = random.pick(keys);
    const onConflict = random.pick(conflictRules);
    const asked = ledger.events.length;
    const about = { asked, queue: plain.queue ?? "", key: uniqueKey };
    this.#submit({ ...plain, uniqueKey, onConflict }).then(
      (task) => {
        ledger.add({ kind: "unique-answer", ...about, task: task.id, answer: task });
        if (task.isExisting === true) coverage.saw("a task that has a unique key was answered instead of a new one");
        if (task.replaced !== undefined) coverage.saw("a task was replaced by one with its unique key");
      },
      (error: unknown) => {
        if (codeOf(error) === "conflict") ledger.add({ kind: "unique-answer", ...about, task: null, answer: null });
      },
    );
  }

  #submit(submission: Submission): Promise<SubmittedTask> {
    return this.#visitor.ask(`submit with unique key ${submission.uniqueKey}`, async ({ face, process }) => {
      const [task] = await face.submit([submission], null);
      if (task === undefined) throw new Error("The master answered a submission with no task.");
      this.#visitor.world.ledger.add({
        kind: "acked-submit",
        life: process.name,
        ids: [task.id],
        areNew: [task.isNew],
      });
      return task;
    });
  }
}
