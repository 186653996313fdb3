/** Templates as the API sees them: versions are read from the store, and a run of one becomes a submission. */
import type { Reply, SubmittedTask } from "../../core/scheduler/effects.ts";
import type { RequestId, SchedulerInput } from "../../core/scheduler/inputs.ts";
import { coversTemplate } from "../../core/scheduler/rights.ts";
import { OutlastError } from "../../model/errors.ts";
import { isId } from "../../model/ids.ts";
import type { Json } from "../../model/json.ts";
import { defaults, limits } from "../../model/limits.ts";
import type { Actor } from "../../model/principals/principal.ts";
import { toSpec } from "../../model/submission.ts";
import type { TaskSpec } from "../../model/task.ts";
import { checkTemplate, expandTemplate } from "../../model/templates/expansion.ts";
import {
  type TemplateContent,
  type TemplateRecord,
  type TemplateRun,
  type TemplateVersion,
  versionId,
  versionPrefix,
} from "../../model/templates/template.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Ids } from "../../ports/ids.ts";
import type { Store } from "../../ports/store.ts";
import { fingerprint, toIdentity, withNormalTask } from "./submissions.ts";
import type { PutTemplate, TemplateApi, TemplatePage, TemplateVersionPage } from "./templateApi.ts";

/** What a part of the service may do: ask the scheduler, read the store, submit tasks. */
export interface ServiceCalls {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly store: Store;
  /** @throws OutlastError where this master could not commit now what it is asked for */
  readonly checkLeading: () => void;
  readonly ask: (question: (request: RequestId) => SchedulerInput, by?: Actor) => Promise<Reply>;
  readonly read: <Result>(read: () => Promise<Result>) => Promise<Result>;
  readonly submit: (specs: readonly TaskSpec[], by?: Actor) => Promise<readonly SubmittedTask[]>;
}

export class TemplateService implements TemplateApi {
  readonly #calls: ServiceCalls;

  constructor(calls: ServiceCalls) {
    this.#calls = calls;
  }

  async put(name: string, asked: Json, by?: Actor): Promise<PutTemplate> {
    this.#calls.checkLeading();
    const given = withNormalTask(asked);
    checkTemplate(given);
    const content: TemplateContent = given;
    const mark = fingerprint(given);
    const reply = await this.#calls.ask((request) => {
      return { kind: "put-template", request, name, queue: queueOf(content), content, fingerprint: mark };
    }, by);
    if (reply.kind !== "template") throw new Error(`The scheduler answered ${reply.kind} to a template.`);
    return { name, version: reply.version, isNew: reply.isNew };
  }

  async remove(name: string, by?: Actor): Promise<void> {
    await this.#calls.ask((request) => ({ kind: "remove-template", request, name }), by);
  }

  async list(after: string | null, limit: number, by?: Actor): Promise<TemplatePage> {
    const { read, store } = this.#calls;
    const query = { limit, ...(after !== null && { after }) };
    const { records, isMore } = await read(() => store.listRecords("templates", query));
    const templates = records.map(({ value }) => value).filter((template) => isThere(template, by));
    return { templates: templates.map(toView), cursor: isMore ? (records.at(-1)?.id ?? null) : null };
  }

  async read(name: string, wanted: number | null, by?: Actor): Promise<TemplateVersion> {
    const { read, store } = this.#calls;
    const version = wanted ?? (await this.#latest(name));
    const found = await read(() => store.readRecord("templateVersions", versionId(name, version)));
    if (found !== null && !coversTemplate(by?.queues, queueOf(found))) throw noSuchTemplate(name);
    if (found !== null) return found;
    throw new OutlastError("not-found", `Template ${name} has no version ${version}.`, {
      hint: `The last ${limits.templateVersionsMax} versions are kept.`,
    });
  }

  async versions(name: string, after: number | null, limit: number, by?: Actor): Promise<TemplateVersionPage> {
    const { read, store } = this.#calls;
    const query = {
      idPrefix: versionPrefix(name),
      limit,
      ...(after !== null && { after: versionId(name, after) }),
    };
    const { records, isMore } = await read(() => store.listRecords("templateVersions", query));
    if (records.length === 0 && after === null) throw noSuchTemplate(name);
    const last = records.at(-1)?.value;
    const versions = records.map(({ value }) => value).filter((each) => coversTemplate(by?.queues, queueOf(each)));
    if (versions.length === 0 && last !== undefined && by?.queues !== undefined) throw noSuchTemplate(name);
    return { versions, cursor: isMore ? (last?.version ?? null) : null };
  }

  async run(
    name: string,
    wish: TemplateRun,
    key: string | null,
    by?: Actor,
    traceparent?: string,
  ): Promise<SubmittedTask> {
    const { clock, ids, store, read, submit } = this.#calls;
    this.#calls.checkLeading();
    const asked = { template: name, ...wish } as unknown as Json;
    const identity = toIdentity(asked, wish.id, key, ids, clock.now());
    if (identity.fingerprint !== null) {
      // A repeated request finds its task, also if the template has changed or is gone by now.
      const { found } = await read(() => store.findTasks([identity.id]));
      if (found.get(identity.id) === identity.fingerprint) return { id: identity.id, isNew: false };
    }
    const template = await this.read(name, wish.version ?? null, by);
    const { task, variables } = expandTemplate(template, wish.variables ?? {});
    const submission = wish.name === undefined ? task : { ...task, name: wish.name };
    const origin = { template: name, version: template.version, variables };
    const trace = traceparent === undefined ? {} : { traceparent };
    const [submitted] = await submit([{ ...toSpec(submission, identity), origin, ...trace }], by);
    if (submitted === undefined) throw new Error("The scheduler answered a run of a template with no task.");
    return submitted;
  }

  async #latest(name: string): Promise<number> {
    const { read, store } = this.#calls;
    const record = await read(() => store.readRecord("templates", name));
    if (record === null || record.isRemoved === true) throw noSuchTemplate(name);
    return record.version;
  }
}

/** The queue that a template names; null if a variable gives it. */
function queueOf({ task }: TemplateContent): string | null {
  const queue = task["queue"] ?? defaults.queue;
  return isId(queue) ? queue : null;
}

function isThere({ isRemoved, queue }: TemplateRecord, by: Actor | undefined): boolean {
  return isRemoved !== true && coversTemplate(by?.queues, queue);
}

function toView({ name, version, changedAt, description }: TemplateRecord): TemplatePage["templates"][number] {
  return { name, version, changedAt, ...(description !== undefined && { description }) };
}

function noSuchTemplate(name: string): OutlastError {
  return new OutlastError("not-found", `There is no template ${name}.`, { hint: "`outlast template ls` lists them." });
}
