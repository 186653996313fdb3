/** Somebody who runs MapReduce jobs, cancels a few, and replaces the output of jobs that have ended. Now and then a file of a map is spoilt. */
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { type MapReduceInput, mapReduceKindName } from "../../model/kinds/mapReduce.ts";
import type { Submission } from "../../model/submission.ts";
import { isFinal } from "../../model/task.ts";
import { hashText } from "../checkers/hashText.ts";
import { deadlyWord } from "../checkers/jobs.ts";
import { codeOf, isAnswer } from "./call.ts";
import type { JobDisk } from "./jobDisk.ts";
import { Visitor } from "./visitor.ts";
import type { World } from "./world.ts";

/** So many files are spoilt at most: a job fails when it has lost output too often. */
const spoilsMax = 3;

export class JobUser {
  readonly #visitor: Visitor;
  readonly #disk: JobDisk;
  readonly #jobs: { readonly id: TaskId; readonly folder: string }[] = [];
  #spoils = 0;

  constructor(world: World) {
    this.#visitor = new Visitor(world, "job-user");
    this.#disk = world.jobDisk;
  }

  get isBusy(): boolean {
    return this.#visitor.isBusy;
  }

  /** One thing that such a user might do now. */
  act(): void {
    const { random } = this.#visitor;
    const share = random.next();
    if (this.#jobs.length === 0 || share < 0.4) return void this.#submit();
    if (share < 0.9) {
      if (this.#spoils < spoilsMax && this.#disk.spoil(random)) this.#spoils += 1;
      return;
    }
    const { id } = random.pick(this.#jobs);
    this.#visitor.ask(`cancel of ${id}`, ({ face }) => face.cancel(id)).catch(codeOf);
  }

  #draw(id: TaskId): Submission {
    const { random, world } = this.#visitor;
    const stateOf = (job: { readonly id: TaskId }) => world.disk.view.document(job.id)?.state;
    // Of two jobs that replace the same output at once, neither could be told to be right.
    const isFree = (folder: string) =>
      this.#jobs.every((job) => job.folder !== folder || isFinal(stateOf(job) ?? "created"));
    const ended = this.#jobs.filter((job) => stateOf(job) === "success" && isFree(job.folder));
    const isOver = ended.length > 0 && random.chance(0.5);
    const folder = isOver ? random.pick(ended).folder : `out-${id}`;
    const isDeadly = random.chance(0.2);
    const input: MapReduceInput = {
      code: { sha256: "0".repeat(64), text: "" },
      job: "wordcount",
      input: { format: "lines", paths: [`${id}-a`, `${id}-${isDeadly ? deadlyWord : "b"}`] },
      maps: random.integer(1, 8),
      reduces: random.integer(1, 5),
      output: { format: "tsv", folder, ...(isOver && { overwrite: true }) },
      partition: "hash",
      compression: "none",
      ...(isDeadly && { maxSkipped: random.chance(0.8) ? 1 : 0 }),
      ...(!isDeadly && hashText(`lenient ${id}`) % 2 === 0 && { maxSkipped: 1 }),
      params: { taskMsMax: random.pick([10, 500, 5_000]), failPercent: random.pick([0, 0, 10]) },
    };
    this.#jobs.push({ id, folder });
    const { queues } = world.knobs;
    // Not drawn: what is drawn after this stays what it was.
    const place = { queue: queues[hashText(`queue ${id}`) % queues.length] ?? "default", priority: hashText(id) % 3 };
    const more = { ...place, attemptsMax: 5, backoffBaseMs: 50, backoffMaxMs: 1_000 };
    return { id, kind: mapReduceKindName, input: input as unknown as Json, ...more };
  }

  /** Until somebody answers. */
  async #submit(): Promise<void> {
    const { ledger } = this.#visitor.world;
    const number = ledger.events.length;
    const id = `job-${this.#jobs.length + 1}` as TaskId;
    const submission = this.#draw(id);
    ledger.add({ kind: "submit-invoke", call: number, key: null, tasks: [{ id, body: JSON.stringify(submission) }] });
    const code = await this.#visitor.untilAnswered(async () => {
      const tasks = await this.#visitor.ask(`submit of ${id}`, async ({ face, process }) => {
        const submitted = await face.submit([submission], null);
        const areNew = submitted.map(({ isNew }) => isNew);
        ledger.add({ kind: "acked-submit", life: process.name, ids: submitted.map((task) => task.id), areNew });
        return submitted;
      });
      ledger.add({ kind: "submit-ok", call: number, ids: tasks.map((task) => task.id) });
    });
    if (code === null) return;
    ledger.add(isAnswer(code) ? { kind: "submit-fail", call: number, code } : { kind: "submit-info", call: number });
  }
}
