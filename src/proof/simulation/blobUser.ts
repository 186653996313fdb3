/**
 * Somebody who uploads files, submits tasks that name them, and ends their leases at once, so that nothing but the tasks keeps them.
 * Contents and ids of tasks are few: the same content is uploaded again, and the ids of forgotten tasks are used again.
 */
import { toBlobReference } from "../../model/blob.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Submission } from "../../model/submission.ts";
import { LinkError } from "../../ports/transport.ts";
import { call, type RunningMaster } from "./call.ts";
import { simulatedCommand } from "./executor.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

const machine = "blob-user";
const contents = 4;
const ids = 5;
const repeatsMax = 40;

export class BlobUser {
  readonly #world: World;
  readonly #random: Random;
  readonly #process: Process;
  readonly #uploaded = new Set<string>();
  #openCount = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.fork(machine);
    this.#process = new Process(machine, world.timeline);
  }

  get isBusy(): boolean {
    return this.#openCount > 0;
  }

  /** One thing that such a user might do now. */
  act(): void {
    const share = this.#random.next();
    const known = [...this.#uploaded];
    if (known.length === 0 || share < 0.2) return this.#upload();
    const sha256 = this.#random.pick(known);
    if (share < 0.65) return void this.#submit(this.#draw(sha256));
    this.#ask(`end of the lease of blob ${sha256.slice(0, 6)}`, ({ face }) => face.blobs.release(sha256)).catch(codeOf);
  }

  #upload(): void {
    const bytes = new TextEncoder().encode(`content ${this.#random.integer(1, contents)}`);
    async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
      yield bytes;
    }
    this.#ask("an upload", ({ face }) => face.blobs.put(content())).then(
      ({ sha256 }) => void this.#uploaded.add(sha256),
      codeOf,
    );
  }

  #draw(sha256: string): Submission {
    const command = simulatedCommand(this.#random.spread(5, 5_000), this.#random.pick([0, 50, 100]));
    const id = `with-file-${this.#random.integer(1, ids)}` as TaskId;
    const input = { command, files: { data: toBlobReference(sha256) } };
    return { id, kind: "exec", input, queue: this.#world.knobs.queues[0] ?? "default", attemptsMax: 2 };
  }

  /** Until somebody answers. */
  async #submit(submission: Submission): Promise<void> {
    const { ledger, coverage } = this.#world;
    const number = ledger.events.length;
    const { id = null } = submission;
    ledger.add({ kind: "submit-invoke", call: number, key: null, tasks: [{ id, body: JSON.stringify(submission) }] });
    this.#openCount += 1;
    let code: string | null = "unknown";
    for (let tries = 0; tries < repeatsMax && !isAnswer(code); tries++) {
      if (tries > 0) await this.#process.sleep(this.#random.integer(50, 2_000));
      try {
        const tasks = await this.#ask(`submit of ${id} with a file`, async ({ face, process }) => {
          const submitted = await face.submit([submission], null);
          const areNew = submitted.map(({ isNew }) => isNew);
          ledger.add({ kind: "acked-submit", life: process.name, ids: submitted.map((task) => task.id), areNew });
          return submitted;
        });
        ledger.add({ kind: "submit-ok", call: number, ids: tasks.map((task) => task.id) });
        coverage.saw("a task with a file was submitted");
        code = null;
      } catch (error) {
        code = codeOf(error);
      }
    }
    this.#openCount -= 1;
    if (code === null) return;
    if (code === "invalid") coverage.saw("a task was refused since its file had gone");
    ledger.add(isAnswer(code) ? { kind: "submit-fail", call: number, code } : { kind: "submit-info", call: number });
  }

  #ask<Answer>(label: string, invoke: (master: RunningMaster) => Promise<Answer>): Promise<Answer> {
    const { wire, masters } = this.#world;
    return call(wire, { machine, process: this.#process }, this.#random.pick(masters), label, invoke);
  }
}

function codeOf(error: unknown): string {
  if (error instanceof LinkError) return error.code;
  throw error;
}

/** True if a master has decided; false if nobody knows. */
function isAnswer(code: string | null): boolean {
  return code === null || ["not-found", "conflict", "too-many", "invalid"].includes(code);
}
