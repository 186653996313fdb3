/** Reads for the scheduler what graphs need and its memory does not hold: inputs of graphs, and outputs of tasks that have ended. */

import type { SchedulerEffect } from "../../core/scheduler/effects.ts";
import type { SchedulerInput } from "../../core/scheduler/inputs.ts";
import { toBlobReference } from "../../model/blob.ts";
import { counted } from "../../model/counted.ts";
import { OutlastError } from "../../model/errors.ts";
import { childId, childPrefix, nodesKey, prefixOf } from "../../model/family.ts";
import type { GraphInput } from "../../model/graphs/graph.ts";
import { planGraph } from "../../model/graphs/plan.ts";
import { type EndedTask, fillInput, parseReference, referencesIn } from "../../model/graphs/references.ts";
import type { TaskId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { defaults, limits } from "../../model/limits.ts";
import { checkFilled, inputSchemaOf } from "../../model/submission.ts";
import type { TaskDocument, TaskPayload, TaskStatus } from "../../model/task.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { type Store, StoreUnavailable, type TaskPage } from "../../ports/store.ts";
import { readArtifacts } from "../artifactReads.ts";
import type { Inbox } from "./inbox.ts";
import type { Payloads } from "./payloads.ts";
import { jsonBytes } from "./weights.ts";

export interface GraphReaderParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly inbox: Inbox;
  readonly payloads: Payloads;
}

type Effect<Kind extends SchedulerEffect["kind"]> = Extract<SchedulerEffect, { kind: Kind }>;
type ReadEffect = Effect<"load-graph" | "resolve-inputs" | "conclude-graph">;

export class GraphReader {
  readonly #parts: GraphReaderParts;
  /** Rises with each term: what was asked in an earlier one is asked again by the leader of the next. */
  #term = 0;

  constructor(parts: GraphReaderParts) {
    this.#parts = parts;
  }

  /** The term is over: nothing that it asked for is read any more. */
  clear(): void {
    this.#term += 1;
  }

  /** The answers are inputs of the scheduler. While the store cannot be read, it is tried again. */
  read(effect: ReadEffect): void {
    void this.#answer(effect, this.#term);
  }

  async #answer(effect: ReadEffect, term: number): Promise<void> {
    const { inbox, clock, log } = this.#parts;
    while (term === this.#term) {
      try {
        for await (const input of this.#inputsFor(effect)) {
          if (term !== this.#term) return;
          inbox.push(input);
        }
        return;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        log.warn("cannot read from the store what a graph needs; it waits", { error });
      }
      await new Promise<void>((resolve) => clock.at(clock.now() + defaults.commitRetryMsMax, resolve));
    }
  }

  async *#inputsFor(effect: ReadEffect): AsyncGenerator<SchedulerInput> {
    switch (effect.kind) {
      case "load-graph": {
        const payload = await this.#payloadOf(effect);
        if (payload === null) return;
        const { input, traceparent } = payload;
        yield { kind: "graph-loaded", task: effect.task, input, ...(traceparent !== undefined && { traceparent }) };
        return;
      }
      case "resolve-inputs":
        for (const task of effect.tasks) yield await this.#resolve(task);
        return;
      case "conclude-graph":
        yield* this.#conclude(effect);
        return;
      default:
        effect satisfies never;
    }
  }

  async #payloadOf(wanted: { readonly task: TaskId; readonly inputEpoch?: number }): Promise<TaskPayload | null> {
    const payload = (await this.#parts.payloads.get([wanted])).get(wanted.task);
    if (payload === undefined) this.#parts.log.error("a graph has no payload in the store", { task: wanted.task });
    return payload ?? null;
  }

  async #resolve(task: TaskId): Promise<SchedulerInput> {
    const document = await this.#parts.store.readTask(task);
    if (document === null) return { kind: "input-resolved", task, problem: "The task is not in the store." };
    try {
      const input = fillInput(document, await this.#outputsFor(document), inputSchemaOf);
      const bytes = jsonBytes(input);
      if (bytes > limits.submissionBytesMax) {
        const message = `With these outputs the input has ${bytes} bytes; ${limits.submissionBytesMax} are allowed.`;
        return { kind: "input-resolved", task, problem: message };
      }
      checkFilled({ kind: document.kind, input });
      return { kind: "input-resolved", task, input };
    } catch (error) {
      if (!(error instanceof OutlastError)) throw error;
      return { kind: "input-resolved", task, problem: error.message };
    }
  }

  /** By name, of the tasks that the input of this one refers to. @throws OutlastError if one is gone */
  async #outputsFor(document: TaskDocument): Promise<ReadonlyMap<string, EndedTask>> {
    const { after = [], afterNames: names = after } = document;
    const wanted = new Map<string, TaskId>();
    const withFiles = new Set<string>();
    for (const { body } of referencesIn(document, "")) {
      const { name, part } = parseReference(body, names) ?? {};
      const id = name === undefined ? undefined : after[names.indexOf(name)];
      if (name !== undefined && id !== undefined) wanted.set(name, id);
      if (name !== undefined && part === "artifacts") withFiles.add(name);
    }
    const statuses = await this.#statuses([...wanted.values()]);
    const ended = new Map<string, EndedTask>();
    for (const [name, id] of wanted) {
      const status = statuses.get(id);
      if (status === undefined)
        throw new OutlastError("invalid", `Task ${id}, whose output it takes, is not there any more.`);
      const isSuccess = status.state === "success";
      const artifacts = isSuccess && withFiles.has(name) ? { artifacts: await this.#filesOf(id, status.attempt) } : {};
      ended.set(name, { isSuccess, output: status.output ?? null, ...artifacts });
    }
    return ended;
  }

  /** References of the files that an attempt has left, by their paths. */
  async #filesOf(task: TaskId, attempt: number): Promise<ReadonlyMap<string, string>> {
    const artifacts = await readArtifacts(this.#parts.store, task, attempt);
    return new Map(artifacts.map(({ path, sha256 }) => [path, toBlobReference(sha256)]));
  }

  async *#conclude(effect: Effect<"conclude-graph">): AsyncGenerator<SchedulerInput> {
    const { task, epoch, hasFailed } = effect;
    const nodes = effect.isBroadcast ? await this.#nodesOfBroadcast(task, epoch) : await this.#nodesOfGraph(effect);
    if (nodes === null) return;
    const output = hasFailed ? null : outputsOf(nodes);
    yield { kind: "graph-concluded", task, output, reason: reasonOf(nodes) };
  }

  /** By the names of their workers. */
  async #nodesOfBroadcast(parent: TaskId, epoch: number): Promise<readonly NamedStatus[]> {
    const prefix = childPrefix(parent, epoch, nodesKey);
    const nodes: NamedStatus[] = [];
    for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
      const query = { parent, order: "oldest", cursor, limit: limits.pageMax } as const;
      const page: TaskPage = await this.#parts.store.listTasks(query);
      // Those of earlier generations are there, too.
      for (const each of page.tasks) if (prefixOf(each.id) === prefix) nodes.push({ name: each.name, status: each });
      ({ cursor } = page);
    }
    return nodes;
  }

  async #nodesOfGraph(effect: Effect<"conclude-graph">): Promise<readonly NamedStatus[] | null> {
    const { task, epoch } = effect;
    const payload = await this.#payloadOf(effect);
    if (payload === null) return null;
    const plan = planGraph(payload.input as unknown as GraphInput);
    const prefix = childPrefix(task, epoch, nodesKey);
    const statuses = await this.#statuses(plan.map((_node, index) => childId(prefix, index)));
    return plan.map(({ name }, index) => ({ name, status: statuses.get(childId(prefix, index)) }));
  }

  async #statuses(ids: readonly TaskId[]): Promise<Map<TaskId, TaskStatus>> {
    const all = new Map<TaskId, TaskStatus>();
    for (let from = 0; from < ids.length; from += limits.statusesPerReadMax) {
      const page = await this.#parts.store.readStatuses(ids.slice(from, from + limits.statusesPerReadMax));
      for (const [id, status] of page) all.set(id, status);
    }
    return all;
  }
}

interface NamedStatus {
  readonly name: string;
  readonly status: TaskStatus | undefined;
}

/** Outputs by name, in the order of the plan, as many as a result may hold: the others are read from their tasks. */
function outputsOf(nodes: readonly NamedStatus[]): Json {
  const outputs: [string, Json][] = [];
  let bytes = 2;
  for (const { name, status } of nodes) {
    if (status?.state !== "success" || status.output === undefined) continue;
    const more = Buffer.byteLength(JSON.stringify(status.output)) + name.length + 4;
    if (bytes + more > limits.resultBytesMax) continue;
    bytes += more;
    outputs.push([name, status.output]);
  }
  return Object.fromEntries(outputs);
}

function reasonOf(nodes: readonly NamedStatus[]): string {
  const failed = nodes.filter(({ status }) => status?.state === "failed" || status?.state === "cancelled");
  const shown = failed.slice(0, limits.loggedTasksMax).map(({ name, status }) => `${name} (${causeOf(status)})`);
  const rest = failed.length - shown.length;
  const names = shown.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
  return `${failed.length} of ${counted(nodes.length, "task")} did not succeed: ${names}.`.slice(
    0,
    limits.errorMessageLengthMax,
  );
}

function causeOf(status: TaskStatus | undefined): string {
  if (status?.state === "cancelled") return "cancelled";
  if (typeof status?.exit?.code === "number") return `exit code ${status.exit.code}`;
  return (status?.error?.message ?? "failed").replace(/[.]$/, "").slice(0, 200);
}
