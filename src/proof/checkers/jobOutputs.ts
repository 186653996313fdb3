/**
 * I28: a reduce reads, of each map, the file of one committed attempt, and no other file; lost or damaged input is not its failure. The
 * output of a job is made of the committed parts, each under one name, the manifest after them and `_SUCCESS` last; it is what a plain
 * count gives, with the records that were skipped beside it; and once the job has succeeded, nothing of that job changes it any more. Maps and reduces wait in the queue of their job.
 */
import type { TaskId } from "../../model/ids.ts";
import { reduceKindName } from "../../model/kinds/mapReduce.ts";
import { isFinal, type TaskStatus } from "../../model/task.ts";
import { checker, type Report } from "./checker.ts";
import type { JobHappening } from "./jobHappening.ts";
import { type Job, jobs } from "./jobReading.ts";
import { countWords, deadlyWord, partitionOf } from "./jobs.ts";
import type { History } from "./ledger.ts";
import { eventsOf, executions, isReopening, once, specs, stepsByTask } from "./reading.ts";

export const jobOutputs = checker("I28", "output of jobs is made of committed attempts", (history, report) => {
  if (jobs(history).size === 0) return;
  checkReads(history, report);
  checkPlaces(history, report);
  for (const folder of new Set(eventsOf(history, "job-output").map((event) => event.folder)))
    if (!hadTwoAtOnce(history, folder)) new Folder(folder, history, report).check();
  for (const job of jobs(history).values()) {
    if (job.succeededOrder !== null && !eventsOf(history, "job-output").some((event) => event.job === job.id))
      report(`job ${job.id} succeeded without any output`, job.id);
    const { state, error } = endOf(history, job.id) ?? {};
    const hasLostChildren = childrenOf(history, job.id).some((child) =>
      lost.includes(endOf(history, child)?.state ?? ""),
    );
    // A submit that arrives once more when the job is forgotten makes it again, and it finds the output that is there.
    const isAgain = remade(history).has(job.id) || foundItsOwn(history, job.id);
    if (state === "failed" && error?.code !== "kills-used-up" && !hasLostChildren && !isAgain)
      report(`job ${job.id} failed by itself: ${error?.message}`, job.id);
  }
});

/** Tasks whose ids were used again. */
const remade = once((history): ReadonlySet<TaskId> => {
  const made = new Set<TaskId>();
  const again = new Set<TaskId>();
  for (const { writes } of history.entries) {
    for (const write of writes) {
      if (write.kind !== "spec") continue;
      if (made.has(write.spec.id)) again.add(write.spec.id);
      made.add(write.spec.id);
    }
  }
  return again;
});

/** True for a job that was retried after it had written a part of its output: it refuses a folder that is not empty. */
function foundItsOwn(history: History, id: TaskId): boolean {
  const steps = stepsByTask(history).get(id) ?? [];
  const reopened = steps.findLast((step, index) => isReopening(step, steps[index - 1]?.status ?? null));
  if (reopened === undefined) return false;
  return eventsOf(history, "job-output").some(({ job, order }) => job === id && order < reopened.entry.order);
}

/** A retry may open a job whose output another one is replacing: of the two, neither can be told to be right. */
function hadTwoAtOnce(history: History, folder: string): boolean {
  const changes = [...jobs(history).values()]
    .filter(({ input }) => input.output.folder === folder)
    .flatMap(({ id }) => stepsByTask(history).get(id) ?? [])
    .sort((one, other) => one.entry.order - other.entry.order);
  const open = new Set<TaskId>();
  return changes.some(({ status: { id, state } }) => {
    if (isFinal(state)) open.delete(id);
    else open.add(id);
    return open.size > 1;
  });
}

const lost: readonly string[] = ["failed", "cancelled"];

function endOf(history: History, id: TaskId): TaskStatus | undefined {
  return stepsByTask(history).get(id)?.at(-1)?.status;
}

function childrenOf(history: History, id: TaskId): TaskId[] {
  return [...specs(history)].flatMap(([child, { spec }]) => (spec.parent === id ? [child] : []));
}

function checkPlaces(history: History, report: Report): void {
  for (const [id, { spec }] of specs(history)) {
    const { parent, queue, priority } = spec;
    if (parent === undefined || !jobs(history).has(parent)) continue;
    const job = specs(history).get(parent)?.spec;
    if (queue !== job?.queue || priority !== job.priority)
      report(`${id} waits in ${queue} with priority ${priority}, and not where its job does`, id, parent);
  }
}

function checkReads(history: History, report: Report): void {
  const tasks = new Map(executions(history).map((execution) => [execution.token, execution]));
  const spoilt = new Map(eventsOf(history, "job-file-spoilt").map(({ job, file, order }) => [`${job} ${file}`, order]));
  const written = new Set(eventsOf(history, "job-file").map(({ job, file }) => `${job} ${file}`));
  const readBy = new Map<string, Map<number, string>>();
  for (const { job: id, file, token, order } of eventsOf(history, "job-file-read")) {
    const job = jobs(history).get(id);
    const execution = tasks.get(token);
    if (job === undefined || execution === undefined || !file.startsWith("map/")) continue;
    const { task, end } = execution;
    if (!written.has(`${id} ${file}`)) report(`${task} reads ${file}, which nobody has written whole`, task);
    const committed = job.files.get(file);
    if (committed === undefined || committed.order > order) {
      report(`${task} reads ${file}, and no committed attempt of a map had left that`, task);
      continue;
    }
    const read = readBy.get(token) ?? new Map<number, string>();
    readBy.set(token, read);
    const other = read.get(committed.number);
    if (other !== undefined) report(`${task} reads ${other} and ${file}, both of map ${committed.number}`, task);
    read.set(committed.number, file);
    if (end === "failed" && (spoilt.get(`${id} ${file}`) ?? order) < order)
      report(`${task} failed because ${file} was lost or damaged`, task);
  }
  checkWhole(history, readBy, report);
}

/** A reduce that gave a part has read a file of each map. */
function checkWhole(history: History, readBy: ReadonlyMap<string, ReadonlyMap<number, string>>, report: Report): void {
  for (const [id, { spec }] of specs(history)) {
    const job = spec.kind === reduceKindName ? jobs(history).get(spec.parent ?? id) : undefined;
    if (job === undefined) continue;
    for (const { status } of stepsByTask(history).get(id) ?? []) {
      const { part, token } = (status.output ?? {}) as { readonly part?: object; readonly token?: string };
      if (status.state !== "success" || part === undefined) continue;
      const maps = readBy.get(token ?? "")?.size ?? 0;
      const wanted = mapsOf(history, job.id);
      if (maps !== wanted) report(`${id} gave a part from ${maps} maps of ${wanted}`, id);
    }
  }
}

function mapsOf(history: History, id: TaskId): number {
  return new Set(
    [...(jobs(history).get(id)?.files.values() ?? [])].flatMap(({ kind, number }) => (kind === "map" ? [number] : [])),
  ).size;
}

type Change = Extract<JobHappening, { kind: "job-output" }> & { readonly order: number };

/** One output folder, with all that was done to it. */
class Folder {
  readonly #name: string;
  readonly #history: History;
  readonly #report: Report;
  readonly #files = new Map<string, { readonly job: TaskId; readonly file: string; readonly text: string }>();

  constructor(name: string, history: History, report: Report) {
    this.#name = name;
    this.#history = history;
    this.#report = report;
  }

  check(): void {
    const changes = eventsOf(this.#history, "job-output").filter(({ folder }) => folder === this.#name);
    const successes = [...jobs(this.#history).values()].flatMap((job) =>
      job.succeededOrder !== null && job.input.output.folder === this.#name ? [{ job, order: job.succeededOrder }] : [],
    );
    successes.sort((one, other) => one.order - other.order);
    for (const change of changes) {
      while ((successes[0]?.order ?? change.order) < change.order) this.#succeeded(successes.shift()?.job);
      this.#take(change);
    }
    for (const { job } of successes) this.#succeeded(job);
  }

  #take({ job: id, name, file, order }: Change): void {
    const job = jobs(this.#history).get(id);
    if (job === undefined) return;
    const where = `${name} of ${this.#name}`;
    if (job.succeededOrder !== null && order > job.succeededOrder && !remade(this.#history).has(id))
      this.#report(`job ${id} had succeeded, and then ${where} was changed for it`, id);
    if (file === null) {
      this.#files.delete(name);
      return;
    }
    const partition = partitionOf(name);
    const committed = job.files.get(file.name);
    if (partition !== null && (committed?.number !== partition || committed.kind !== "part" || committed.order > order))
      this.#report(`job ${id} promoted ${file.name} as ${where}, and no committed reduce had left that`, id);
    if (name === "_SUCCESS" && this.#files.get("_manifest.json")?.job !== id)
      this.#report(`job ${id} wrote ${where} before its manifest`, id);
    if (name === "_SUCCESS" || name === "_manifest.json") this.#checkParts(job, where);
    this.#files.set(name, { job: id, file: file.name, text: file.text });
  }

  #checkParts({ id, input }: Job, where: string): void {
    for (let partition = 0; partition < input.reduces; partition += 1) {
      const name = `part-${String(partition).padStart(5, "0")}.tsv`;
      if (this.#files.get(name)?.job !== id) this.#report(`job ${id} wrote ${where} before ${name}`, id);
    }
  }

  /** Records that no map survived are kept beside the output, and nothing of another job is. */
  #checkSkipped({ id, input }: Job): void {
    const isWanted = input.input.paths.some((path) => path.includes(deadlyWord));
    const skipped = this.#files.get("_skipped.jsonl");
    const lines = skipped?.text.split("\n").slice(0, -1) ?? [];
    const isOwn = skipped?.job === id && lines.length === 1 && lines[0]?.includes(`"text":"${deadlyWord}"`) === true;
    if (isWanted ? !isOwn : skipped !== undefined)
      this.#report(`job ${id} kept other skipped records than it had: ${lines.join(", ")}`, id);
  }

  /** The success of the job is in the journal: whoever reads its output now finds all of it. */
  #succeeded(job: Job | undefined): void {
    if (job === undefined) return;
    if (this.#files.get("_SUCCESS")?.job !== job.id)
      this.#report(`job ${job.id} succeeded, and there is no _SUCCESS of it in ${this.#name}`, job.id);
    this.#checkSkipped(job);
    const parts = [...this.#files].filter(([name]) => partitionOf(name) !== null);
    if (parts.length !== job.input.reduces)
      this.#report(`job ${job.id} succeeded with ${parts.length} parts instead of ${job.input.reduces}`, job.id);
    const found = parts.flatMap(([, { text }]) => text.split("\n").slice(0, -1));
    const wanted = [...countWords(job.input)].map(([word, count]) => `${word}\t${count}`);
    if (JSON.stringify(found.sort()) !== JSON.stringify(wanted.sort()))
      this.#report(`job ${job.id} gave ${found.join(", ")} instead of ${wanted.join(", ")}`, job.id);
  }
}
