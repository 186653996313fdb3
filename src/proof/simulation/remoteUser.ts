/** Somebody who has a service run jobs, and cancels some of them. */
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { remoteKind } from "../../model/kinds/remote.ts";
import type { Submission } from "../../model/submission.ts";
import { isFinal } from "../../model/task.ts";
import { codeOf } from "./call.ts";
import { type RemoteJob, serviceName } from "./remoteService.ts";
import { Visitor } from "./visitor.ts";
import type { World } from "./world.ts";

/** After the faults, each of some twenty tasks may use up its attempts one after the other, on one worker. */
const endlessAttemptMsMax = 60_000;

export class RemoteUser {
  readonly #visitor: Visitor;
  readonly #tasks: TaskId[] = [];

  constructor(world: World) {
    this.#visitor = new Visitor(world, "remote-user");
  }

  get isBusy(): boolean {
    return this.#visitor.isBusy;
  }

  /** One thing that such a user might do now. */
  act(): void {
    const { random } = this.#visitor;
    const left = this.#tasks.filter((id) => this.#isLeft(id));
    if (left.length > 0 && random.chance(0.5)) return this.#cancel(random.pick(left));
    if (this.#tasks.length === 0 || random.chance(0.6)) return void this.#submit();
    this.#cancel(random.pick(this.#tasks));
  }

  /** Its job goes on while no worker has it. */
  #isLeft(id: TaskId): boolean {
    const task = this.#visitor.world.disk.view.document(id);
    return task?.openRun !== undefined && !isFinal(task.state) && task.state !== "running";
  }

  #cancel(id: TaskId): void {
    this.#visitor.ask(`cancel of ${id}`, ({ face }) => face.cancel(id)).catch(codeOf);
  }

  /**
   * Some jobs never end by themselves: their task has a deadline. It is an instant, and may be hours away if the leader's clock was
   * wrong when the task was made; so each attempt has an end, too, and a near one: faults may last for ten minutes.
   */
  #draw(id: TaskId): Submission {
    const { random, world } = this.#visitor;
    const { queues, unsafeMs, taskMsMax } = world.knobs;
    const isEndless = random.chance(0.6);
    const durationMs = isEndless ? null : random.spread(5, taskMsMax);
    const job: RemoteJob = { durationMs, failPercent: random.pick([0, 0, 30, 100]) };
    return {
      ...{
        id,
        kind: remoteKind.name,
        queue: random.pick(queues),
        input: { service: serviceName, job } as unknown as Json,
      },
      ...{ backoffBaseMs: random.spread(50, 3_000), backoffMaxMs: 5_000, attemptsMax: random.integer(1, 3) },
      ...((isEndless || random.chance(0.2)) && { deadlineMs: random.integer(1_000, unsafeMs) }),
      ...(isEndless && { timeoutMs: Math.min(unsafeMs, endlessAttemptMsMax) }),
      ...(random.chance(0.3) && { timeoutMs: random.integer(500, unsafeMs) }),
    };
  }

  /** Until somebody answers. */
  async #submit(): Promise<void> {
    const id = `remote-${this.#tasks.length + 1}` as TaskId;
    const submission = this.#draw(id);
    this.#tasks.push(id);
    // Perhaps while its job is started.
    const { random, world } = this.#visitor;
    if (random.chance(0.3)) world.timeline.after(random.integer(50, 3_000), () => this.#cancel(id));
    await this.#visitor.untilAnswered(() =>
      this.#visitor.ask(`submit of ${id}`, async ({ face, process }) => {
        const submitted = await face.submit([submission], null);
        const areNew = submitted.map(({ isNew }) => isNew);
        const ids = submitted.map((task) => task.id);
        this.#visitor.world.ledger.add({ kind: "acked-submit", life: process.name, ids, areNew });
      }),
    );
  }
}
