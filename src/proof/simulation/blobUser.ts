/**
 * Somebody who uploads files, submits tasks that name them, and ends their leases at once, so that nothing but the tasks keeps them.
 * Contents and ids of tasks are few: the same content is uploaded again, and the ids of forgotten tasks are used again.
 */
import { toBlobReference } from "../../model/blob.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Submission } from "../../model/submission.ts";
import { codeOf, isAnswer } from "./call.ts";
import { simulatedCommand } from "./executor.ts";
import { Visitor } from "./visitor.ts";
import type { World } from "./world.ts";

const contents = 4;
const ids = 5;

export class BlobUser {
  readonly #visitor: Visitor;
  readonly #uploaded = new Set<string>();

  constructor(world: World) {
    this.#visitor = new Visitor(world, "blob-user");
  }

  get isBusy(): boolean {
    return this.#visitor.isBusy;
  }

  /** One thing that such a user might do now. */
  act(): void {
    const share = this.#visitor.random.next();
    const known = [...this.#uploaded];
    if (known.length === 0 || share < 0.2) return this.#upload();
    const sha256 = this.#visitor.random.pick(known);
    if (share < 0.65) return void this.#submit(this.#draw(sha256));
    this.#visitor
      .ask(`end of the lease of blob ${sha256.slice(0, 6)}`, ({ face }) => face.blobs.release(sha256))
      .catch(codeOf);
  }

  #upload(): void {
    const bytes = new TextEncoder().encode(`content ${this.#visitor.random.integer(1, contents)}`);
    async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
      yield bytes;
    }
    this.#visitor
      .ask("an upload", ({ face }) => face.blobs.put(content()))
      .then(({ sha256 }) => void this.#uploaded.add(sha256), codeOf);
  }

  #draw(sha256: string): Submission {
    const command = simulatedCommand(this.#visitor.random.spread(5, 5_000), this.#visitor.random.pick([0, 50, 100]));
    const number = this.#visitor.random.integer(1, ids);
    const id = `with-file-${number}` as TaskId;
    const input = { command, files: { data: toBlobReference(sha256) } };
    const queue = this.#visitor.world.knobs.queues[0] ?? "default";
    const task = { kind: "exec", input, attemptsMax: 2 };
    // Some name the file in a graph.
    if (number === ids) return { id, kind: "graph", input: { tasks: { only: task } }, queue };
    return { id, ...task, queue };
  }

  /** Until somebody answers. */
  async #submit(submission: Submission): Promise<void> {
    const { ledger, coverage } = this.#visitor.world;
    const number = ledger.events.length;
    const { id = null } = submission;
    ledger.add({ kind: "submit-invoke", call: number, key: null, tasks: [{ id, body: JSON.stringify(submission) }] });
    const code = await this.#visitor.untilAnswered(async () => {
      const tasks = await this.#visitor.ask(`submit of ${id} with a file`, async ({ face, process }) => {
        const submitted = await face.submit([submission], null);
        const areNew = submitted.map(({ isNew }) => isNew);
        ledger.add({ kind: "acked-submit", life: process.name, ids: submitted.map((task) => task.id), areNew });
        return submitted;
      });
      ledger.add({ kind: "submit-ok", call: number, ids: tasks.map((task) => task.id) });
      coverage.saw("a task with a file was submitted");
    });
    if (code === null) return;
    if (code === "invalid") coverage.saw("a task was refused since its file had gone");
    ledger.add(isAnswer(code) ? { kind: "submit-fail", call: number, code } : { kind: "submit-info", call: number });
  }
}
